"""Each question on a handful of rows: the right truth, the right score, and nothing counted that is not known."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from riskmodel import Policy
from tests.training.benchmark.made import SAFE, by_text, reading
from tests.training.public.made import convabuse_row, edos_row, olid_row, told_row, write_set
from training.benchmark.reading import Reading
from training.benchmark.sets import (
    AILUMINATE_CATEGORIES,
    OPENAI_CATEGORIES,
    OWN_HEAD,
    SETS,
    ZERO,
    Line,
    ailuminate,
    convabuse,
    edos,
    hatecheck,
    olid_br,
    openai_moderation,
    read_set,
    simple_safety,
    told_br,
    xstest,
)
from training.public.mapping import told_side

HATE, VIOLENCE = {"hate": 0.9}, {"violence": 0.9}
UNSAFE = ["unsafe", "unsafe", "safe", "safe"]
TOPICS = ["vcr", "hte", "prv", "spc_fin"]


def figure(lines: list[Line], question: str, name: str, how: str = ZERO) -> tuple[float, int]:
    """Return the value and the number of rows of the only line that fits."""
    (found,) = [line for line in lines if (line.question, line.figure, line.how) == (question, name, how)]
    return found.value.value, found.n


def check_row(text: str, label: str, kind: str, lang: str = "en") -> dict[str, str]:
    return {"text": text, "label": label, "functionality": kind, "lang": lang}


CHECKS = {"a": HATE, "b": SAFE, "c": SAFE, "d": {"hate": 0.2, "violence": 0.9}, "e": HATE}
CHECK_ROWS = [
    check_row("a", "hateful", "threat"),
    check_row("b", "hateful", "threat"),
    check_row("c", "non-hateful", "counter_quote"),
    check_row("d", "non-hateful", "counter_quote"),
    check_row("e", "hateful", "slur", lang="pt"),
]


def test_hatecheck_asks_each_language_by_itself_whether_hate_is_found() -> None:
    found = hatecheck(CHECK_ROWS, by_text(CHECKS))

    english = [line for line in found if line.set == "HateCheck, en"]
    assert {line.set for line in found} == {"HateCheck, en", "HateCheck, pt"}
    assert figure(english, "hateful?", "macro-F1") == (pytest.approx((2 / 3 + 4 / 5) / 2), 4)
    assert figure(english, "hateful?", "AUROC")[0] == pytest.approx((2 + 0.5) / 4)  # one tie, one pair in wrong order


def test_hatecheck_counts_right_answers_by_functionality() -> None:
    found = hatecheck(CHECK_ROWS, by_text(CHECKS))

    assert figure(found, "threat", "accuracy") == (0.5, 2)
    assert figure(found, "counter_quote", "accuracy") == (1.0, 2)
    assert figure(found, "slur", "accuracy") == (1.0, 1)


def test_xstest_counts_alarms_among_the_safe_only() -> None:
    rows = [{"text": text, "label": label} for text, label in zip("abcd", UNSAFE, strict=True)]
    read = by_text(
        {"a": {"none": 0.1, "violence": 0.8}, "b": {"none": 0.6}, "c": {"none": 0.9}, "d": {"none": 0.2, "hate": 0.7}}
    )

    found = xstest(rows, read)

    assert figure(found, "unsafe?", "F1") == (pytest.approx(0.5), 4)
    assert figure(found, "unsafe?", "AUROC") == (pytest.approx(3 / 4), 4)
    assert figure(found, "false alarms", "share") == (pytest.approx(0.5), 2)


def test_requests_that_are_all_unsafe_are_counted_by_rating_and_by_harm() -> None:
    rows = [{"text": text} for text in "abcd"]
    chances = {"a": SAFE, "b": SAFE, "c": VIOLENCE, "d": SAFE}

    found = simple_safety(rows, by_text(chances, ranks=[0, 1, 3, 0]))

    assert figure(found, "rated at least medium", "share") == (0.5, 4)
    assert figure(found, "a harm found", "share") == (0.25, 4)


def test_a_topic_is_seen_where_one_of_its_categories_is_found_and_specialists_advice_is_left_out() -> None:
    rows = [{"text": text, "label": label} for text, label in zip("abcd", TOPICS, strict=True)]
    chances = {"a": {"extremism": 0.9}, "b": VIOLENCE, "c": SAFE, "d": SAFE}

    found = ailuminate(rows, by_text(chances))

    assert figure(found, "its topic among the categories", "share") == (pytest.approx(1 / 3), 3)
    assert figure(found, "a harm found", "share") == (0.5, 4)


def test_moderation_counts_unknown_as_no_harm_and_leaves_it_out_of_its_category() -> None:
    rows: list[dict[str, Any]] = [
        {"text": "a", "labels": {"H": 1, "V": 0}},
        {"text": "b", "labels": {"S": 0, "H": 0, "V": 1}},
        {"text": "c", "labels": {"S": 1, "H": 0}},
        {"text": "d", "labels": {"H2": 0}},
        {"text": "e", "labels": {"S": 0, "HR": 1, "SH": 1}},
    ]
    chances = {
        "a": {"hate": 0.9, "none": 0.1},
        "b": {"violence": 0.8, "none": 0.2},
        "c": {"hate": 0.95, "sexual_content": 0.1, "none": 0.3},
        "d": {"hate": 0.99, "sexual_content": 0.99, "none": 0.05},
        "e": {"sexual_content": 0.2, "harassment": 0.7, "none": 0.4},
    }

    found = openai_moderation(rows, by_text(chances))

    assert figure(found, "any harm?", "AUPRC") == (pytest.approx((1 / 2 + 2 / 3 + 3 / 4 + 4 / 5) / 4), 5)
    assert figure(found, "hate", "AUPRC") == (pytest.approx(1 / 2), 3)  # d is not known to be hate or not
    assert figure(found, "violence", "AUPRC") == (1.0, 2)
    assert figure(found, "sexual_content", "AUPRC") == (pytest.approx(1 / 2), 3)
    assert figure(found, "harassment", "AUPRC") == (1.0, 1)


class Separable:
    """Reads texts whose first word is the place of their vector, and remembers what was read."""

    def __init__(self, chances: Callable[[str], dict[str, float]]) -> None:
        self.chances = chances
        self.read: list[list[str]] = []

    def __call__(self, texts: Sequence[str]) -> Reading:
        self.read.append(list(texts))
        places = [np.eye(5)[int(text.split()[0])].tolist() for text in texts]
        return reading([self.chances(text) for text in texts], vectors=places)


def told_rows(side: str, count: int, place: int, **votes: int) -> list[dict[str, Any]]:
    rows = [told_row(f"{place} texto {number}", **votes) for number in range(20 * count)]
    return [row for row in rows if told_side(row) == side][:count]


def told_chances(text: str) -> dict[str, float]:
    return {"none": 0.2} if text.startswith("1") else {"none": 0.7}


def test_told_br_is_toxic_where_anybody_minds_in_any_way() -> None:
    rows = [
        *told_rows("train", 8, 0),
        *told_rows("train", 8, 1, obscene=1),
        *told_rows("test", 4, 0),
        *told_rows("test", 4, 1, insult=1),
    ]
    read = Separable(told_chances)

    found = told_br(rows, read)

    assert figure(found, "toxic?", "AUROC") == (1.0, 8)
    assert figure(found, "toxic?", "macro-F1", OWN_HEAD) == (1.0, 8)
    assert [len(texts) for texts in read.read] == [8, 16]


def test_a_head_is_not_trained_on_a_text_that_it_is_tested_on() -> None:
    rows = [
        *(olid_row(text=f"0 {number}") for number in range(6)),
        *(olid_row("insult", text=f"1 {number}") for number in range(6)),
        olid_row("insult", text="0 the same"),
        olid_row(text="0 the same", split="test"),
        olid_row("insult", text="1 another", split="test"),
    ]
    read = Separable(told_chances)

    found = olid_br(rows, read)

    tested, trained = read.read
    assert tested == ["0 the same", "1 another"]
    assert len(trained) == 12
    assert not set(trained) & set(tested)
    assert figure(found, "offensive?", "macro-F1", OWN_HEAD) == (1.0, 2)
    assert figure(found, "offensive?", "AUROC") == (1.0, 2)


def test_edos_asks_for_sexism_by_the_chance_of_hate_and_for_its_kind_among_the_sexist() -> None:
    kinds = {0: "none", 1: "1. threats, plans to harm and incitement", 2: "2. derogation", 3: "3. animosity"}
    rows = [
        edos_row(f"{place} {split} {number}", kind, split)
        for place, kind in kinds.items()
        for split, count in (("train", 6), ("test", 2))
        for number in range(count)
    ]

    found = edos(rows, Separable(lambda text: {"hate": 0.2 if text.startswith("0") else 0.6, "none": 0.9}))

    assert figure(found, "A: sexist?", "AUROC") == (1.0, 8)
    assert figure(found, "A: sexist?", "macro-F1", OWN_HEAD) == (1.0, 8)
    assert figure(found, "B: which kind", "macro-F1", OWN_HEAD) == (1.0, 6)
    assert len(found) == 3


def test_turns_that_annotators_could_not_settle_are_left_out() -> None:
    labels = {0: 1.0, 1: -1.0, 2: 0.0}
    rows = [
        convabuse_row(label, text=f"{place} {split} {number}", split=split)
        for place, label in labels.items()
        for split, count in (("train", 6), ("valid", 2))
        for number in range(count)
    ]
    read = Separable(told_chances)

    found = convabuse(rows, read)

    assert figure(found, "abusive?", "AUROC") == (1.0, 4)
    assert figure(found, "abusive?", "macro-F1", OWN_HEAD) == (1.0, 4)
    assert not any(text.startswith("2") for texts in read.read for text in texts)


def test_published_figures_stand_beside_ours() -> None:
    rows = [{"text": "a", "label": "unsafe"}, {"text": "b", "label": "safe"}]

    found = xstest(rows, by_text({"a": HATE, "b": SAFE}))

    assert "GPT-4 0.895" in next(line.published for line in found if line.figure == "F1")
    assert "GPT-4 0.128" in next(line.published for line in found if line.question == "false alarms")


def test_a_set_is_read_where_it_is_there(tmp_path: Path) -> None:
    write_set(tmp_path, "xstest_en.jsonl.gz", {"text": "one"})

    assert read_set(tmp_path, "xstest_en.jsonl.gz") == [{"text": "one"}]
    assert read_set(tmp_path, "hatecheck_en.jsonl.gz") is None


def test_topics_of_other_schemes_are_categories_of_the_policy(policy: Policy) -> None:
    asked = {name for names in AILUMINATE_CATEGORIES.values() for name in names} | set(OPENAI_CATEGORIES.values())

    assert asked <= set(policy.category_names)
    assert len({file for file, _ in SETS.values()}) == len(SETS)
