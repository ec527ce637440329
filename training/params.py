"""``params.toml`` in, checked parameters out."""

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from riskmodel.errors import SettingsError
from riskmodel.records import Record

SHIPPED_PARAMS = Path(__file__).with_name("params.toml")

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(gt=0)]
Share = Annotated[float, Field(gt=0, lt=1)]


class EncoderParams(Record):
    """Which encoder, and how it reads."""

    base: Annotated[str, Field(min_length=1)]
    prompt: str
    window_tokens: Annotated[int, Field(ge=32, le=512)]
    float_layers: list[Annotated[int, Field(ge=0)]]
    cut_vocabulary: bool
    adapt: bool


class AdapterParams(Record):
    """How the encoder is adapted with LoRA."""

    rank: Count
    alpha: Count
    epochs: Count
    batch: Count
    tokens: Annotated[int, Field(ge=32, le=512)]
    learning_rate: Positive
    head_learning_rate: Positive
    category_weight: Positive
    content_share: NotNegative
    task_weight: Positive
    changed_share: Annotated[float, Field(ge=0, lt=1)]
    evidence_weight: NotNegative


class HeadParams(Record):
    """How the linear heads are fitted."""

    dense_strength: Positive
    lexical_strength: Positive
    min_documents: Count


class DoubtParams(Record):
    """What the decision promises."""

    coverage: Share
    under_rating: Share
    certainty: Share
    critical_recall: Share
    critical_reviewed: Share
    unfamiliar: Share


class Params(Record):
    """Everything that decides how a model comes out, beside the data."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]
    seed: Annotated[int, Field(ge=0)]
    folds: Annotated[int, Field(ge=2)]
    encoder: EncoderParams
    adapter: AdapterParams
    heads: HeadParams
    doubt: DoubtParams


def read_params(path: Path = SHIPPED_PARAMS) -> Params:
    """Read and check a parameter file.

    Raises:
        SettingsError: naming the file and each parameter that is missing, unknown or out of range.
    """
    try:
        return Params.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"Parameters {path} cannot be read: {error}.") from error
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()]
        raise SettingsError(f"Parameters {path} cannot be used: {'; '.join(problems)}.") from None
