import pytest

from training.benchmark import measures


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep intervals quick; the figures are the same."""
    monkeypatch.setattr(measures, "RESAMPLES", 50)
