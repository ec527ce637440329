"""What all tests share: the corpus, the policy and a tiny model made of real code."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from riskmodel import Policy, RiskModel, load_model, load_policy
from tests.tiny import build_tiny_model
from training.dataset import SPLITS
from training.rows import read_labelled

ROOT = Path(__file__).parents[1]
SAMPLE = 450


@pytest.fixture(scope="session")
def policy() -> Policy:
    return load_policy()


@pytest.fixture(scope="session")
def train_frame(policy: Policy) -> pd.DataFrame:
    return read_labelled(ROOT / SPLITS["train"], policy)


@pytest.fixture(scope="session")
def sample_frame(train_frame: pd.DataFrame) -> pd.DataFrame:
    return train_frame.iloc[:SAMPLE]


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory, sample_frame: pd.DataFrame) -> Path:
    """Return a complete model folder; not to be changed, see ``own_tiny_model``."""
    return build_tiny_model(tmp_path_factory.mktemp("models") / "tiny", sample_frame)


@pytest.fixture
def own_tiny_model(tiny_model: Path, tmp_path: Path) -> Path:
    """Return a copy of the tiny model that a test may damage."""
    return Path(shutil.copytree(tiny_model, tmp_path / "tiny"))


@pytest.fixture(scope="session")
def model(tiny_model: Path, policy: Policy) -> RiskModel:
    return load_model(tiny_model, policy)
