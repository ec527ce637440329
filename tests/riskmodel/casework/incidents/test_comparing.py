"""What two reports are compared by: what they name, and where their vectors lie."""

import numpy as np
import pytest

from riskmodel.casework.incidents.signals import Signal, reporter_signal, signals
from riskmodel.casework.incidents.spaces import Space
from riskmodel.casework.incidents.weighing import MOST_BITS, bits, differ, read_levels, weigh
from riskmodel.casework.incidents.window import Window
from tests.riskmodel.casework.incidents.made import DIMENSIONS, story, told


def named(text: str) -> set[tuple[str, str]]:
    return {(one.kind, one.value) for one in signals(text, "BR")}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see https://Bad.example/p/1.", {("link", "bad.example/p/1"), ("site", "bad.example")}),
        ("a conta @Maria_X e maria_x", {("handle", "maria_x")}),
        ("a user called ghost.walk wrote", {("handle", "ghost.walk")}),
        ("case 26-018223 is open", {("case", "26-018223")}),
        ("Boletim de Ocorrência 7741/2026", {("case", "7741-2026"), ("name", "ocorrencia")}),
        ("em São Paulo e em Goiânia", {("name", "sao"), ("name", "paulo"), ("name", "goiania")}),
        ("He came. Nobody saw. On Friday in May", set()),
        ("12 people paid 9.500 or 9,500 dollars at 7 pm", {("name", "9500")}),
        ("nada", set()),
    ],
)
def test_a_report_names(text: str, expected: set[tuple[str, str]]) -> None:
    assert named(text) == expected


def test_a_reporter_is_the_clients_own() -> None:
    assert reporter_signal("app", "u-1") != reporter_signal("hotline", "u-1")


def test_the_rarer_the_more_a_value_tells_and_never_too_much() -> None:
    assert bits(2, 10_000) > bits(20, 10_000) > bits(10_000, 10_000) > 0
    assert bits(1, 10**9) == MOST_BITS
    assert bits(10**9, 10) == 0


def test_a_score_is_the_sum_of_its_weights_above_the_level() -> None:
    levels = read_levels()
    one = [Signal("link", "bad.example/p"), Signal("name", "leeds"), Signal("name", "ana")]
    other = [Signal("link", "bad.example/p"), Signal("name", "leeds")]
    holders = {"bad.example/p": 1, "leeds": 40, "ana": 3}

    found = weigh(one, other, 0.5, holders, 5_000, levels)

    weights = sum(shared.weight for shared in found.shared)
    assert found.score == pytest.approx(levels.near.constant - levels.near.join + weights)
    assert [shared.kind for shared in found.shared] == ["link", "text", "name"]
    assert found.score > weigh(one, other, None, holders, 5_000, levels).score


def test_other_names_speak_against_one_event_and_no_names_do_not() -> None:
    leeds, cardiff = [Signal("name", "leeds")], [Signal("name", "cardiff")]

    assert differ(leeds, cardiff, soft=True)
    assert not differ(leeds, [], soft=True)
    assert not differ([Signal("handle", "ana_x")], [Signal("name", "ana_x")], soft=False)


def test_in_a_space_unrelated_texts_are_at_right_angles_and_close_ones_stay_close() -> None:
    rng = np.random.default_rng(1)
    drift = rng.normal(size=48).astype(np.float32)  # in which all texts lie alike
    texts = (rng.normal(size=(800, 48)) * 0.1 + drift).astype(np.float32)
    space = Space.of("v1", texts[:600])
    again = texts[600:] + rng.normal(size=(200, 48)).astype(np.float32) * 0.02

    unrelated = space.place(texts[600:]) @ space.place(texts[600:]).T
    same = (space.place(texts[600:]) * space.place(again)).sum(axis=1)

    assert abs(float(unrelated[np.triu_indices(200, 1)].mean())) < 0.02
    assert same.min() > 0.9


def test_a_window_finds_what_is_near_and_forgets_the_oldest() -> None:
    window = Window(DIMENSIONS, most=1_500)
    vectors = np.stack([story(at) for at in range(1_400)])
    window.add(range(1, 1_401), [float(at) for at in range(1_400)], vectors)
    asked = told(3, 0.9)[None]

    (first,) = window.near(asked, alike=0.5)
    window.add(
        range(1_401, 1_601),
        [float(at) for at in range(1_400, 1_600)],
        np.stack([story(at) for at in range(1_400, 1_600)]),
    )
    (second,) = window.near(asked, alike=0.5)

    assert first.numbers[0] == first.alike[0] == 4
    assert first.alike_at.tolist() == [3.0]
    assert 4 not in second.numbers
    assert len(window) <= 1_500
    assert window.cosines(story(1_500), [1_501, 7])[1_501] == pytest.approx(1, abs=1e-2)
    assert window.since(1_590.0, 1e9) == 10


def test_a_window_drops_what_is_too_old() -> None:
    window = Window(DIMENSIONS)
    window.add([3, 5, 9], [1.0, 2.0, 3.0], np.stack([story(1), story(2), story(3)]))

    window.drop_before(5)

    assert len(window) == 2
    assert set(window.cosines(story(2), [3, 5, 9])) == {5, 9}
