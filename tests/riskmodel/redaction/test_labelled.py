"""What is found in the labelled sentences; the figures stand in docs/personal-data.md."""

import pytest

from benchmarks.personal_data import Sentence, measure, ours, read

SENTENCES = read()


def of_part(part: str) -> list[Sentence]:
    return [sentence for sentence in SENTENCES if sentence.part == part]


def test_the_sentences_are_in_three_languages_and_a_third_of_them_hold_nothing_personal() -> None:
    languages = {sentence.id[:2] for sentence in SENTENCES}
    without = [sentence for sentence in SENTENCES if not sentence.labelled]

    assert languages == {"en", "es", "pt"}
    assert len(SENTENCES) >= 300
    assert len(without) >= 90


@pytest.mark.parametrize("part", ["tune", "test"])
def test_personal_data_is_found_whole_and_called_by_its_kind(part: str) -> None:
    figures = measure(of_part(part), ours)

    assert figures.recall >= 0.97, figures.missed
    assert figures.named_recall >= 0.95, figures.missed


@pytest.mark.parametrize("part", ["tune", "test"])
def test_next_to_nothing_else_is_taken_for_personal_data(part: str) -> None:
    figures = measure(of_part(part), ours)

    assert figures.precision >= 0.98, figures.wrong
    assert figures.untouched >= figures.without - 1, figures.wrong


def test_a_stretch_that_is_found_in_part_counts_as_missed() -> None:
    (sentence,) = (sentence for sentence in SENTENCES if sentence.id == "en-004")
    halves = [type(stretch)(stretch.kind, stretch.start, stretch.end - 2) for stretch in sentence.labelled]

    assert measure([sentence], lambda text: halves).recall == 0
