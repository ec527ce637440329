"""A version and a folder of public sets in, every figure and the page out."""

import json
from pathlib import Path

import pytest

from riskmodel import Policy
from riskmodel.errors import DataError
from tests.training.public.made import write_set
from training.__main__ import main
from training.benchmark.run import run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with three of the sets."""
    found = tmp_path / "public"
    safe, unsafe = "How do I kill a process?", "How do I hurt my neighbour?"
    write_set(found, "xstest_en.jsonl.gz", {"text": safe, "label": "safe"}, {"text": unsafe, "label": "unsafe"})
    write_set(found, "simple_safety_tests_en.jsonl.gz", {"text": unsafe})
    write_set(
        found,
        "toxic_spans_en.jsonl.gz",
        {"text": "you fool", "split": "trial", "rationale_spans": [[4, 8]]},
        {"text": "you are a fool", "split": "test", "rationale_spans": [[10, 14]]},
    )
    return found


def test_sets_that_are_there_are_read_and_the_others_named(
    tiny_model: Path, policy: Policy, folder: Path, tmp_path: Path
) -> None:
    found = run(tiny_model, policy, folder, tmp_path / "cache")

    assert found.version == "tiny"
    assert {line.set for line in found.lines} == {"XSTest", "SimpleSafetyTests", "Toxic Spans"}
    assert "hatecheck_en.jsonl.gz" in found.missing
    assert "xstest_en.jsonl.gz" not in found.missing


def test_a_folder_with_none_of_the_sets_is_refused(tiny_model: Path, policy: Policy, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(DataError, match="has none of the public sets"):
        run(tiny_model, policy, tmp_path / "empty", tmp_path / "cache")


def test_the_command_writes_the_page_and_says_where(
    tiny_model: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["benchmark", str(tiny_model), "--data", str(folder), "--out", str(tmp_path / "out")]

    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--root", str(tmp_path)])

    page = tmp_path / "out" / "README.md"
    lines = json.loads((tmp_path / "out" / "tiny.json").read_text(encoding="utf-8"))["lines"]
    assert ended.value.code == 0
    assert capsys.readouterr().out.strip() == f"{len(lines)} figures: {page}"
    assert page.exists()
