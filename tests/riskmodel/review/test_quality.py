"""Quality: what is drawn is drawn without bias, intervals hold the truth, kappas are those of scikit-learn."""

from random import Random

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from riskmodel.casebook import Casebook
from riskmodel.policy import Policy
from riskmodel.records import RATINGS
from riskmodel.review import Desk, Entering, Filters, Golden, Known, ReviewSettings
from riskmodel.review.measures import kappa, share
from tests.riskmodel.casebook.made import NOON, make_rated
from tests.riskmodel.review.made import answer, keep, minutes, waiting

EVERYTHING = Filters()
ANSWERS = {
    "low": {"severity": "minor"},
    "medium": {"severity": "serious"},
    "high": {"severity": "severe"},
    "critical": {"severity": "severe", "proximity": "active"},
}


def test_chance_draws_the_share_that_was_asked_for_whatever_the_escalation_is() -> None:
    enter = Entering(ReviewSettings(audit_share=0.1), Random(7))
    kinds = {rating: make_rated(rating, rating=rating) for rating in RATINGS}

    drawn = {
        rating: sum(enter(rated, NOON) is not None for _ in range(20_000)) / 20_000 for rating, rated in kinds.items()
    }

    assert all(abs(found - 0.1) < 4 * (0.1 * 0.9 / 20_000) ** 0.5 for found in drawn.values()), drawn


def test_an_audit_share_of_nothing_draws_nothing() -> None:
    enter = Entering(ReviewSettings(audit_share=0.0), Random(7))

    assert all(enter(make_rated("a"), NOON) is None for _ in range(100))


@pytest.mark.parametrize("truth", [0.01, 0.05, 0.3])
@pytest.mark.parametrize("shares", [(0.02, 0.02), (0.02, 0.1)])
def test_the_interval_of_the_audited_error_holds_the_truth(truth: float, shares: tuple[float, float]) -> None:
    """Of 400 periods, in whose second half another share is drawn; errors do not depend on the half."""
    random, hits = np.random.default_rng(11), 0
    estimates = []
    for _ in range(400):
        wrong = random.random(40_000) < truth
        share_of = np.repeat(shares, 20_000)
        drawn = random.random(40_000) < share_of
        found = share(wrong[drawn].tolist(), (1 / share_of[drawn]).tolist())
        hits += found.low <= truth <= found.high
        estimates.append(found.value)

    assert hits / 400 >= 0.93
    assert np.mean(np.array(estimates, dtype=float)) == pytest.approx(truth, rel=0.05)


def test_a_share_of_nothing_is_not_known() -> None:
    assert share([]).value is None
    assert (share([]).low, share([]).high) == (0.0, 1.0)
    assert share([False] * 50).high == pytest.approx(0.0713, abs=1e-3)  # Wilson's of 0 in 50


def test_kappa_is_that_of_scikit_learn() -> None:
    random = np.random.default_rng(3)
    ones = [RATINGS[rank] for rank in random.integers(0, 4, 200)]
    others = [one if random.random() < 0.7 else RATINGS[random.integers(0, 4)] for one in ones]
    ranks = [[RATINGS.index(rating) for rating in raters] for raters in (ones, others)]

    assert kappa(ones, others) == pytest.approx(cohen_kappa_score(*ranks, weights="quadratic"))
    assert kappa([], []) is None
    assert kappa(["low", "low"], ["low", "low"]) is None


def test_agreement_is_told_for_each_language_and_analyst_with_its_n(casebook: Casebook, second_desk: Desk) -> None:
    random = Random(5)
    pairs: list[tuple[str, str, str, str]] = []
    for number in range(24):
        keep(casebook, waiting(f"a-{number:02}", language="pt" if number % 3 else "es", hours=number))
        said = random.choice(RATINGS)
        first_analyst, second_analyst = ("ana", "bo") if number % 2 else ("bo", "cy")
        item = second_desk.claims.next(first_analyst, Filters(purpose="review"), NOON)
        assert item is not None
        second_desk.verdicts.decide(answer(item, first_analyst, **ANSWERS[said]), NOON)
        other = said if random.random() < 0.6 else random.choice(RATINGS)
        blind = second_desk.claims.next(second_analyst, Filters(purpose="second"), NOON)
        assert blind is not None
        second_desk.verdicts.decide(answer(blind, second_analyst, **ANSWERS[other]), NOON)
        pairs.append((item.language, first_analyst + second_analyst, said, other))

    summary = second_desk.quality.summary(None, None)

    def expected(chosen: list[tuple[str, str, str, str]]) -> float:
        ranks = [[RATINGS.index(pair[place]) for pair in chosen] for place in (2, 3)]  # type: ignore[arg-type]
        return float(cohen_kappa_score(*ranks, weights="quadratic", labels=[0, 1, 2, 3]))

    assert summary.agreement.n == 24
    assert summary.agreement.kappa == pytest.approx(expected(pairs))
    for found in summary.by_language:
        chosen = [pair for pair in pairs if pair[0] == found.name]
        assert (found.n, found.kappa) == (len(chosen), pytest.approx(expected(chosen)))
        assert found.same.value == pytest.approx(np.mean([one == other for _, _, one, other in chosen]))
    assert [found.name for found in summary.by_analyst] == ["ana", "bo", "cy"]
    for found in summary.by_analyst:
        chosen = [pair for pair in pairs if found.name in pair[1]]
        assert (found.n, found.kappa) == (len(chosen), pytest.approx(expected(chosen)))
    differing = sum(one != other for _, _, one, other in pairs)
    assert len(summary.disagreements) == differing > 0
    assert all(item.purpose == "third" for item in summary.disagreements)


def test_the_error_of_the_automatic_part_comes_from_audits_alone(casebook: Casebook, desk: Desk) -> None:
    keep(casebook, waiting("asked"), *(make_rated(f"auto-{number:03}") for number in range(60)))
    asked = desk.claims.next("ana", Filters(purpose="review"), NOON)
    assert asked is not None
    desk.verdicts.decide(answer(asked, severity="minor"), NOON)
    audits = desk.queue.page(Filters(purpose="audit"), None, 100, NOON).items
    for place, _ in enumerate(audits[:-2]):
        item = desk.claims.next("ana", Filters(purpose="audit"), NOON)
        assert item is not None
        said = ANSWERS["critical"] if place < 3 else ANSWERS["low"] if place < 5 else {}
        desk.verdicts.decide(answer(item, **said), NOON)

    automatic = desk.quality.summary(None, None).automatic

    judged = len(audits) - 2
    assert (automatic.drawn, automatic.undecided, automatic.stands_for) == (len(audits), 2, 2.0 * len(audits))
    assert automatic.wrong.n == automatic.too_low.n == judged
    assert automatic.wrong.value == pytest.approx(5 / judged)
    assert automatic.too_low.value == pytest.approx(3 / judged)
    assert automatic.wrong.low < 5 / judged < automatic.wrong.high
    assert desk.quality.summary(NOON + minutes(1), None).automatic.drawn == 0
    assert desk.quality.summary(None, NOON).automatic.drawn == 0
    assert desk.quality.summary(NOON, NOON + minutes(1)).automatic.drawn == len(audits)


def test_a_verdict_that_was_taken_back_does_not_count(casebook: Casebook, desk: Desk) -> None:
    keep(casebook, *(make_rated(f"auto-{number}") for number in range(8)))
    item = desk.claims.next("ana", Filters(purpose="audit"), NOON)
    assert item is not None
    verdict = desk.verdicts.decide(answer(item, severity="minor"), NOON)
    assert desk.quality.summary(None, None).automatic.wrong.value == 1

    desk.verdicts.undo(verdict.number, "ana", NOON)

    assert desk.quality.summary(None, None).automatic.wrong.value is None


def test_an_analyst_sees_one_copy_of_a_golden_case_at_a_time(casebook: Casebook, desk: Desk) -> None:
    desk.add_golden([Golden(waiting("g"), Known("severe", "plausible", "high"))], 3, NOON)

    def seen(analyst: str) -> list[int]:
        return [item.number for item in desk.queue.page(Filters(analyst=analyst), None, 10, NOON).items]

    (copy,) = seen("ana")
    assert seen("bo") == [copy]
    mine = desk.claims.next("ana", EVERYTHING, NOON)
    assert mine is not None
    assert seen("ana") == [mine.number]
    others = desk.claims.next("bo", EVERYTHING, NOON)
    assert others is not None and others.number != mine.number
    assert desk.claims.next("ana", EVERYTHING, NOON) is None
    desk.claims.release(mine.number, "ana", NOON)
    desk.verdicts.decide(answer(others, "bo"), NOON)
    assert mine.number not in seen("bo")
    assert seen("ana") == [mine.number]


def test_golden_cases_look_like_others_and_show_who_rates_well(casebook: Casebook, desk: Desk, policy: Policy) -> None:
    golden = [Golden(waiting(f"g-{number}"), Known("severe", "plausible", "high")) for number in range(2)]

    assert desk.add_golden(golden, 2, NOON) == 2
    assert desk.add_golden(golden, 2, NOON) == 0
    assert len(desk.queue.page(EVERYTHING, None, 10, NOON).items) == 4
    for analyst, said in (("ana", ANSWERS["high"]), ("bo", ANSWERS["low"])):
        for _ in range(2):
            item = desk.claims.next(analyst, EVERYTHING, NOON)
            assert item is not None
            assert (item.purpose, item.asked_as) == ("golden", "review")
            assert desk.queue.case(item.number).verdicts == ()
            desk.verdicts.decide(answer(item, analyst, **said), NOON)
        assert desk.claims.next(analyst, EVERYTHING, NOON) is None

    found = desk.quality.summary(None, None)

    assert [(one.analyst, one.right.n, one.right.value) for one in found.golden] == [("ana", 2, 1.0), ("bo", 2, 0.0)]
    assert found.automatic.drawn == 0
