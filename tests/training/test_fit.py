"""The whole of training, on a small corpus, public content and a small transformer: fit, log, rebuild, load, answer."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from riskmodel import Escalation, load_model, load_policy
from riskmodel.artifact import CARD, ENCODER, read_manifest
from riskmodel.errors import SettingsError
from tests.training.public.made import edos_row, write_set
from training.dataset import SPLITS
from training.examples import Examples
from training.params import Params, read_params
from training.public.adding import add
from training.public.mapping import PUBLIC_SETS
from training.workspace import Workspace

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),
]  # torch, transformers and mlflow warn of themselves

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = {"train": 240, "test": 60}
PUBLIC = 40


def build_small_base(folder: Path, texts: list[str]) -> None:
    """Write a sentence-transformers folder: two random layers and a tokenizer learnt from the texts."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from transformers import BertConfig, BertModel

    from tests.tiny import build_tiny_encoder

    work = folder.parent / "bert"
    build_tiny_encoder(work, texts)
    tokens = {"bos": "<s>", "cls": "<s>", "eos": "</s>", "sep": "</s>", "unk": "<unk>", "pad": "<pad>"}
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 128}
    (work / "tokenizer_config.json").write_text(json.dumps(settings | {f"{k}_token": v for k, v in tokens.items()}))
    config = BertConfig(
        vocab_size=2100,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
    )
    BertModel(config).save_pretrained(work)
    words = Transformer(str(work), max_seq_length=128)
    SentenceTransformer(modules=[words, Pooling(32, pooling_mode="mean"), Normalize()], device="cpu").save(str(folder))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project folder, with a space in its path: a small corpus, a small public set, a small base encoder."""
    found = tmp_path_factory.mktemp("a project")
    for split, path in SPLITS.items():
        lines = (ROOT / path).read_text(encoding="utf-8").splitlines()[: ROWS[split]]
        (found / path).parent.mkdir(parents=True, exist_ok=True)
        (found / path).write_text("\n".join(lines) + "\n", encoding="utf-8")
    texts = [json.loads(line)["text"] for line in (found / SPLITS["train"]).read_text().splitlines()]
    build_small_base(found / "base", texts)
    posts = (edos_row(f"{text[:40]} {at}", "none" if at % 2 else "2. derogation") for at, text in enumerate(texts))
    write_set(found / "downloaded", PUBLIC_SETS["edos"].file, *islice(posts, PUBLIC))
    add("edos", found / "downloaded", found)
    return found


@pytest.fixture(scope="module")
def params(root: Path) -> Params:
    shipped = read_params()
    encoder = shipped.encoder.model_copy(update={"base": str(root / "base"), "window_tokens": 64})
    adapter = shipped.adapter.model_copy(update={"epochs": 1, "tokens": 64, "rank": 4})
    heads = shipped.heads.model_copy(update={"min_documents": 3})
    return shipped.model_copy(update={"folds": 2, "encoder": encoder, "adapter": adapter, "heads": heads})


@pytest.fixture(scope="module")
def fitted(root: Path, params: Params) -> Any:
    from training.fit import fit

    return fit(Workspace(root), params, load_policy(), "one")


def test_a_fit_writes_a_whole_version_that_loads_and_answers(fitted: Any) -> None:
    model = load_model(fitted.folder, load_policy())

    (found,) = model.assess([Escalation(text="Golpe do pix em nome do banco, vítimas hoje")], NOW)

    assert found.model.version == "one"
    assert (fitted.folder / CARD).read_text().startswith("# riskmodel one")
    assert not list(fitted.folder.parent.glob(".*.part"))


def test_figures_of_the_version_stand_beside_those_of_three_baselines(fitted: Any) -> None:
    assert list(fitted.manifest.metrics) == [
        "riskmodel, out of fold",
        "riskmodel",
        "majority",
        "TF-IDF + logistic regression",
        "frozen encoder + logistic regression",
    ]


def test_a_version_is_never_overwritten(fitted: Any, root: Path, params: Params) -> None:
    from training.fit import fit

    with pytest.raises(SettingsError, match="exists already"):
        fit(Workspace(root), params, load_policy(), "one")


@pytest.fixture(scope="module")
def own(root: Path) -> Examples:
    """Return a few labelled escalations to learn from."""
    from training.examples import labelled
    from training.labels import read_labels
    from training.rows import read_labelled

    frame = read_labelled(root / SPLITS["train"], load_policy()).iloc[:64]
    return labelled(frame["text"].tolist(), read_labels(frame, load_policy()), frame["evidence"].tolist())


@pytest.fixture(scope="module")
def joined(root: Path, own: Examples) -> Examples:
    """Return the same with the public set."""
    from training.examples import content, join
    from training.public.reading import read_content

    return join(own, content(read_content(root, load_policy().category_names)))


def adapted(root: Path, examples: Examples, params: Params, seed: int, out: Path) -> bytes:
    """Return the weights of an adapter."""
    from training.adapter import adapt

    adapt(root / "base", examples, "", params.adapter, seed, out, lambda *_: None)
    return (out / "adapter_model.safetensors").read_bytes()


def test_the_same_seed_trains_the_same_adapter(root: Path, params: Params, joined: Examples, tmp_path: Path) -> None:
    first = adapted(root, joined, params, 1, tmp_path / "one")

    assert adapted(root, joined, params, 1, tmp_path / "again") == first
    assert adapted(root, joined, params, 2, tmp_path / "another seed") != first


def test_an_adapter_learns_from_escalations_alone_and_otherwise_with_public_content(
    root: Path, params: Params, own: Examples, joined: Examples, tmp_path: Path
) -> None:
    alone = adapted(root, own, params, 1, tmp_path / "alone")

    assert adapted(root, joined, params, 1, tmp_path / "joined") != alone


@pytest.mark.parametrize("steps", [1, 2, 10])
def test_an_adapter_is_trained_in_however_few_steps(
    root: Path, params: Params, own: Examples, tmp_path: Path, steps: int
) -> None:
    one_by_one = params.model_copy(update={"adapter": params.adapter.model_copy(update={"batch": 1})})

    assert adapted(root, own.take(np.arange(steps)), one_by_one, 1, tmp_path / "few")


@pytest.mark.parametrize("part", ["task_weight", "evidence_weight"])
def test_read_outs_that_are_thrown_away_shape_the_encoder(
    root: Path, params: Params, joined: Examples, tmp_path: Path, part: str
) -> None:
    weighed = params.model_copy(update={"adapter": params.adapter.model_copy(update={part: 0.01})})

    first = adapted(root, joined, params, 1, tmp_path / "one")

    assert adapted(root, joined, weighed, 1, tmp_path / "other") != first


def test_an_adapter_comes_with_heads_for_the_answers_and_for_no_public_question(
    root: Path, params: Params, joined: Examples, tmp_path: Path
) -> None:
    from training.adapter import read_heads

    adapted(root, joined, params, 1, tmp_path / "one")

    heads = read_heads(tmp_path / "one")
    assert joined.tasks.shape[1] > 0
    assert heads.weights.shape == (32, 4 + 3 + 4 + 1 + joined.categories.shape[1])
    assert heads.bias.shape == (heads.weights.shape[1],)


def test_an_encoder_that_was_left_out_is_rebuilt_and_proved_by_the_probe(fitted: Any, root: Path) -> None:
    from training.rebuild import rebuild_encoder

    (fitted.folder / ENCODER).rename(root / "taken away")

    cosine = rebuild_encoder(Workspace(root), fitted.folder)

    assert cosine >= 0.9999
    assert load_model(fitted.folder, load_policy())


@pytest.fixture(scope="module")
def alias(fitted: Any, root: Path, params: Params) -> Iterator[str]:
    import mlflow

    from training.tracking import track

    yield track(Workspace(root), fitted, params)
    mlflow.set_tracking_uri(None)


def test_the_first_version_is_the_champion_and_loads_from_the_registry_with_the_same_answers(
    alias: str, fitted: Any
) -> None:
    import mlflow

    registered = mlflow.pyfunc.load_model(f"models:/riskmodel@{alias}")
    texts = ["Alguien amenaza con quemar la tienda mañana", "Spam comments about shoes"]

    found = registered.predict(pd.DataFrame({"text": texts, "source": ["press", None]}))

    model = load_model(fitted.folder, load_policy())
    expected = model.assess([Escalation(text=texts[0], source="press"), Escalation(text=texts[1])], NOW)
    assert alias == "champion"
    assert found["rating"].tolist() == [assessment.rating for assessment in expected]
    assert found["confidence"].tolist() == [assessment.confidence for assessment in expected]


def test_a_run_holds_parameters_digest_figures_pictures_and_card(alias: str, fitted: Any) -> None:
    import mlflow

    (run,) = mlflow.search_runs(experiment_names=["riskmodel"], output_format="list")
    client = mlflow.MlflowClient()
    pictures = {item.path for item in client.list_artifacts(run.info.run_id, "pictures")}

    assert run.data.params["adapter.rank"] == "4"
    assert run.data.tags["data_digest"] == fitted.manifest.data_digest
    assert run.data.metrics["riskmodel.all.kappa"] == pytest.approx(
        fitted.evaluations["riskmodel"].rating["all"]["kappa"].value
    )
    assert "riskmodel.pt.critical_recall" in run.data.metrics
    assert pictures == {"pictures/confusion.png", "pictures/reliability.png"}
    assert "card.md" in {item.path for item in client.list_artifacts(run.info.run_id)}


def test_a_killed_run_leaves_no_version_behind(root: Path, params: Params) -> None:
    recipe = root / "long.toml"
    text = (ROOT / "training" / "params.toml").read_text()
    text = text.replace('"multilingual-e5-small"', f'"{root / "base"}"').replace("epochs = 3", "epochs = 400")
    recipe.write_text(text.replace("tokens = 192", "tokens = 64"))
    command = [
        sys.executable,
        "-m",
        "training",
        "fit",
        "--root",
        str(root),
        "--params",
        str(recipe),
        "--version",
        "two",
    ]
    process = subprocess.Popen(
        command, cwd=ROOT, stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"}
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "Adapting the encoder" in line:
            break
    time.sleep(1)

    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stderr.close()

    assert [path.name for path in (root / "models").iterdir() if path.is_dir()] == ["one"]


def test_the_manifest_says_what_the_version_was_trained_on(fitted: Any) -> None:
    manifest = read_manifest(fitted.folder)

    edos = PUBLIC_SETS["edos"]
    assert manifest.trained_on == [
        f"data/escalations/train.jsonl: {ROWS['train']} escalations",
        f"{edos.source} ({edos.licence}): {PUBLIC} texts, for categories and encoder only",
    ]
    assert manifest.parameters["adapter"]["rank"] == 4
