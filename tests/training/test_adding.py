"""Verdicts and labels join the corpus: what is learnt, what is left out and why, who says what, and who settles it."""

import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from riskmodel.artifact import CHAMPION, ENCODER, load_encoder, read_manifest
from riskmodel.errors import DataError
from riskmodel.policy import Policy
from tests.training.made import changed, write
from training.added import FOLDERS
from training.adding import Added, add_files
from training.conflicts import CONFLICTS
from training.contract import FIELDS
from training.dataset import SPLITS, data_digest, learnt_files, read_corpus, read_splits
from training.joining import fold_groups, join
from training.ledger import LEDGER, read_ledger
from training.overlap import SAME_REPORT_COSINE, near_duplicates, near_vectors
from training.splits import make_folds
from training.workspace import MODELS, Workspace

ROOT = Path(__file__).parents[2]
ROWS = {"train": 60, "test": 20}
MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)
NEW = "Two shops in one arcade take deposits for phones that nobody has ever seen in their windows."


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a project with a small corpus."""
    for split, path in SPLITS.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        lines = (ROOT / path).read_text(encoding="utf-8").splitlines()[: ROWS[split]]
        (tmp_path / path).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


def first(root: Path, split: str, at: int = 0) -> dict[str, Any]:
    """Return a row of the corpus as it was written."""
    return dict(json.loads((root / SPLITS[split]).read_text(encoding="utf-8").splitlines()[at]))


def label(name: str, text: str = NEW, **others: Any) -> dict[str, Any]:
    return changed(
        **{"id": name, "group": name, "text": text, "evidence": [], "source": None, "market": None, **others}
    )


def verdict(number: int, text: str = NEW, weight: float = 1.0, **others: Any) -> dict[str, Any]:
    return {**label(f"v-{number:016x}.{number}", text, **others), "weight": weight}


def add(root: Path, policy: Policy, kind: str, name: str, *rows: dict[str, Any], **options: Any) -> Added:
    given = write(root / "given" / name, *rows)
    (found,) = (found for found in FOLDERS if found == kind)
    return add_files(Workspace(root), found, [given], policy, options.pop("today", MONDAY), **options)


def learnt(root: Path, policy: Policy) -> pd.DataFrame:
    return read_splits(root, policy)["train"]


def test_labels_go_to_train_with_the_file_and_line_that_they_came_from(root: Path, policy: Policy) -> None:
    add(root, policy, "labels", "week.jsonl", label("a"), label("b", "A teacher asks how long an appeal may take."))

    found = learnt(root, policy).iloc[ROWS["train"] :]

    assert found["origin"].tolist() == ["data/labels/week.jsonl:1", "data/labels/week.jsonl:2"]
    assert found["weight"].tolist() == [1.0, 1.0]
    assert read_splits(root, policy)["test"]["origin"].iloc[0] == "data/escalations/test.jsonl:1"


def test_the_ledger_tells_of_each_row_its_file_its_day_and_who_labelled_it(root: Path, policy: Policy) -> None:
    add(root, policy, "labels", "week.jsonl", label("a"), by="ana")
    add(root, policy, "labels", "later.jsonl", label("b", "A teacher asks how long an appeal takes."), today=TUESDAY)

    ledger = read_ledger(root)
    first_one, second = ledger["data/labels/week.jsonl:1"], ledger["data/labels/later.jsonl:1"]

    assert (first_one.came_from, first_one.by, first_one.added) == ("week.jsonl", "ana", "2026-11-23")
    assert (second.came_from, second.by, second.added) == ("later.jsonl", "", "2026-11-24")


def test_the_exports_own_record_says_who_gave_a_verdict(root: Path, policy: Policy) -> None:
    one = verdict(1)
    write(root / "given" / "origins" / "day.jsonl", {"id": one["id"], "analyst": "bea"})

    add(root, policy, "verdicts", "day.jsonl", one)

    assert [row.by for row in read_ledger(root).values()] == ["bea"]


def test_what_is_learnt_has_another_digest_after_every_addition(root: Path, policy: Policy) -> None:
    before = data_digest(learnt_files(root))

    after = add(root, policy, "labels", "week.jsonl", label("a")).digest
    again = add(root, policy, "labels", "week.jsonl", label("a")).digest

    assert len({before, after}) == 2
    assert again == after == data_digest(learnt_files(root))


def test_a_row_near_to_a_test_row_is_left_out_and_named(root: Path, policy: Policy) -> None:
    tested = first(root, "test")

    found = add(root, policy, "labels", "week.jsonl", label("a"), label("b", f"{tested['text']} Please."))

    assert learnt(root, policy)["id"].tolist()[ROWS["train"] :] == ["a"]
    (line,) = (line for line in found.lines() if line.startswith("Left out: data/labels/week.jsonl:2"))
    assert tested["id"] in line
    assert tested["text"] not in line


def test_a_row_of_a_tested_situation_is_left_out_whatever_its_words(root: Path, policy: Policy) -> None:
    add(root, policy, "labels", "week.jsonl", label("a", group=first(root, "test")["group"]))

    assert len(learnt(root, policy)) == ROWS["train"]


def test_a_row_that_was_not_compared_with_the_test_split_stops_every_fit(root: Path, policy: Policy) -> None:
    write(root / FOLDERS["labels"] / "by-hand.jsonl", label("a"))

    with pytest.raises(DataError, match=r"by-hand.jsonl:1 was added .* run `python -m training data add labels data/"):
        read_splits(root, policy)


def test_a_row_that_was_changed_since_is_compared_anew(root: Path, policy: Policy) -> None:
    add(root, policy, "labels", "week.jsonl", label("a"))
    there = write(root / FOLDERS["labels"] / "week.jsonl", label("a", first(root, "test")["text"]))

    with pytest.raises(DataError, match=r"week.jsonl:1 was added or changed"):
        read_splits(root, policy)
    add_files(Workspace(root), "labels", [there], policy, MONDAY)
    assert len(learnt(root, policy)) == ROWS["train"]


def test_a_file_of_verdicts_may_grow_but_not_turn_into_another(root: Path, policy: Policy) -> None:
    add(root, policy, "verdicts", "day.jsonl", verdict(1))

    add(
        root, policy, "verdicts", "day.jsonl", verdict(1), verdict(2, "A neighbour's page was copied, photographs too.")
    )
    assert len(learnt(root, policy)) == ROWS["train"] + 2
    with pytest.raises(DataError, match="holds other rows"):
        add(root, policy, "verdicts", "day.jsonl", verdict(3))


def test_nothing_is_changed_by_a_file_that_breaks_the_contract(root: Path, policy: Policy) -> None:
    with pytest.raises(DataError, match=r"week.jsonl:2 rating: "):
        add(root, policy, "labels", "week.jsonl", label("a"), label("b", rating="urgent"))

    assert not (root / FOLDERS["labels"]).exists()
    assert not (root / LEDGER).exists()


def test_an_id_of_the_corpus_is_refused(root: Path, policy: Policy) -> None:
    with pytest.raises(DataError, match=r"week.jsonl:1 id: found the id of .*train.jsonl:1"):
        add(root, policy, "labels", "week.jsonl", label(first(root, "train")["id"]))


def test_what_says_the_same_of_the_same_text_is_learnt_once(root: Path, policy: Policy) -> None:
    found = add(root, policy, "labels", "week.jsonl", label("a"), label("b", NEW.upper()))

    assert learnt(root, policy)["id"].tolist()[ROWS["train"] :] == ["a"]
    assert "Left out: 1 that say of a text what another row says." in found.lines()


def test_the_weights_of_verdicts_keep_their_proportions_and_are_one_on_average(root: Path, policy: Policy) -> None:
    texts = [f"Report {word} about a parcel that came open." for word in ("amber", "birch", "cedar")]
    add(
        root,
        policy,
        "verdicts",
        "day.jsonl",
        *(verdict(at, text, 50.0 if at == 0 else 1.0) for at, text in enumerate(texts)),
    )

    weights = learnt(root, policy)["weight"].to_numpy()

    assert weights[-3:].tolist() == pytest.approx([150 / 52, 3 / 52, 3 / 52])
    assert (weights[:-3] == 1).all()


# --- who is right -------------------------------------------------------------------------------------------------


def disputed(root: Path, policy: Policy) -> tuple[Added, list[dict[str, Any]]]:
    """Add two labels of one text that differ; return what the file of conflicts says."""
    minor = {"severity": "minor", "rating": "low"}
    add(root, policy, "labels", "ana.jsonl", label("a"), by="ana")
    found = add(root, policy, "labels", "bea.jsonl", label("b", **minor), by="bea")
    return found, [json.loads(line) for line in (root / CONFLICTS).read_text(encoding="utf-8").splitlines()]


def settle(root: Path, conflicts: list[dict[str, Any]], right: str) -> None:
    write(root / CONFLICTS, *({**one, "settled": right} for one in conflicts))


def test_labels_that_differ_on_a_text_are_listed_with_who_says_what_and_not_learnt(root: Path, policy: Policy) -> None:
    found, (conflict,) = disputed(root, policy)

    assert conflict["settled"] is None
    assert [(said["by"], said["severity"], said["rating"]) for said in conflict["says"]] == [
        ("ana", "serious", "medium"),
        ("bea", "minor", "low"),
    ]
    assert len(learnt(root, policy)) == ROWS["train"]
    assert "Left out until somebody settles them: 1 texts with different labels, data/conflicts.jsonl." in found.lines()


def test_who_is_right_is_learnt_once_a_person_has_said_so_and_stays_settled(root: Path, policy: Policy) -> None:
    settle(root, disputed(root, policy)[1], "b")

    assert learnt(root, policy)["id"].tolist()[ROWS["train"] :] == ["b"]
    found = add(root, policy, "labels", "more.jsonl", label("c", "A teacher asks how long an appeal may take."))
    assert learnt(root, policy)["id"].tolist()[ROWS["train"] :] == ["b", "c"]
    assert not any("settles" in line for line in found.lines())


def test_a_settled_conflict_may_overrule_the_corpus(root: Path, policy: Policy) -> None:
    known = first(root, "train")
    other = {"severity": "severe", "proximity": "active", "rating": "critical"}
    add(root, policy, "labels", "week.jsonl", label("a", known["text"], categories=known["categories"], **other))
    lines = [json.loads(line) for line in (root / CONFLICTS).read_text(encoding="utf-8").splitlines()]

    assert known["id"] in set(learnt(root, policy)["id"])
    settle(root, lines, "a")
    assert known["id"] not in set(learnt(root, policy)["id"])
    assert "a" in set(learnt(root, policy)["id"])


def test_a_settlement_that_names_nobody_is_refused_by_line(root: Path, policy: Policy) -> None:
    settle(root, disputed(root, policy)[1], "c")

    with pytest.raises(DataError, match=r"conflicts.jsonl:1 settled: found 'c', expected null or one of a, b"):
        read_splits(root, policy)


# --- the same report in other words -------------------------------------------------------------------------------


def test_what_resembles_a_row_shares_its_fold(root: Path, policy: Policy) -> None:
    known = first(root, "train")
    near = known["text"].replace(".", " again.")
    add(root, policy, "labels", "week.jsonl", label("a", near), label("b", "A teacher asks how long an appeal takes."))

    groups = learnt(root, policy).set_index("id")["group"]

    assert groups["a"] == known["group"]
    assert groups["b"] == "b"


def test_a_row_that_resembles_two_situations_puts_all_three_in_one_fold() -> None:
    rows = pd.DataFrame({"id": ["x", "y", "z", "new"], "group": ["gx", "gy", "gz", "gn"]})

    groups = fold_groups(rows, {"new": {"z": 0.9, "y": 0.8, "gone": 0.9}})

    assert groups.tolist() == ["gx", "gy", "gy", "gy"]


def test_vectors_find_the_same_report_where_words_do_not(root: Path, policy: Policy) -> None:
    frames = read_corpus(root, policy)
    add(root, policy, "labels", "week.jsonl", label("a"), label("b", "Outra coisa.", language="pt"))
    added = pd.DataFrame([label("a"), label("b", "Outra coisa.")]).assign(origin=["f:1", "f:2"], digest="0")
    unit = np.eye(ROWS["train"] + ROWS["test"] + 1, dtype=np.float32)
    vectors = {
        "corpus": unit[: ROWS["train"]],
        "test": unit[ROWS["train"] : -1],
        "added": np.stack([unit[3], unit[ROWS["train"] + 2]]),
    }

    one, other = join(frames["train"], frames["test"], added, vectors, {}, {}, {}, MONDAY)

    assert (one.fate, list(one.like)) == ("learnt", [frames["train"]["id"].iloc[3]])
    assert (other.fate, list(other.like)) == ("near test", [frames["test"]["id"].iloc[2]])


@pytest.mark.slow
def test_the_version_that_serves_knows_reports_again_in_another_language(policy: Policy) -> None:
    folder = ROOT / MODELS / (ROOT / MODELS / CHAMPION).read_text(encoding="utf-8").strip()
    corpus = read_corpus(ROOT, policy)["train"]
    told = pd.read_json(ROOT / "tests/training/translations.jsonl", lines=True)
    originals = corpus.set_index("id").loc[told["of"]]
    others = corpus[~corpus["id"].isin(told["of"])].iloc[::40]
    encoder = load_encoder(folder / ENCODER, read_manifest(folder).encoder, across_texts=True)

    def vectors(texts: "pd.Series[str]") -> np.ndarray:
        return np.stack([found.vector for found in encoder.encode(texts.tolist())])

    translated = vectors(told["text"])
    pairs = near_vectors(vectors(originals["text"]), translated)
    chance = near_vectors(vectors(others["text"]), translated)

    known = {pair.test_line for pair in pairs if pair.train_line == pair.test_line}
    assert len(near_duplicates(originals.reset_index(), told)) <= 1  # their words do not tell
    assert len(known) >= 0.85 * len(told)
    assert len(chance) <= 0.001 * len(others) * len(told)
    assert SAME_REPORT_COSINE == 0.75


def test_the_champion_compares_where_one_serves(root: Path, policy: Policy, tiny_model: Path) -> None:
    without = add(root, policy, "labels", "week.jsonl", label("a"))
    shutil.copytree(tiny_model, root / MODELS / "tiny")
    (root / MODELS / CHAMPION).write_text("tiny\n", encoding="utf-8")

    found = add(root, policy, "labels", "week.jsonl", label("a"))

    assert (without.compared, found.compared) == (False, True)


@pytest.mark.filterwarnings("ignore:The least populated class")
def test_a_fold_never_learns_what_resembles_a_row_that_it_holds_out(root: Path, policy: Policy) -> None:
    known = [first(root, "train", at) for at in range(30)]
    near = [label(f"a-{at}", f"{row['text']} Thank you.", language=row["language"]) for at, row in enumerate(known)]
    add(root, policy, "labels", "week.jsonl", *near)
    frame = learnt(root, policy)

    for fit, held in make_folds(frame, 3, seed=0):
        apart = near_duplicates(frame.iloc[fit].reset_index(drop=True), frame.iloc[held].reset_index(drop=True))
        assert apart == []
    assert set(frame.columns) == {*FIELDS, "weight", "origin"}
