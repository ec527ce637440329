"""Keeping escalations and finding them again: once under each id and idempotency key, whoever is first."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from riskmodel.casebook import (
    AmbiguousCaseError,
    Casebook,
    Conflict,
    Filters,
    Found,
    UnknownCaseError,
    digest_of,
    open_casebook,
)
from riskmodel.records import read_escalation
from tests.riskmodel.casebook.made import NOON, TEXT, make_rated, make_sent

PROCESSES = 6


def test_the_digest_takes_the_fields_as_sent_whatever_their_order_or_zone() -> None:
    one = read_escalation({"text": "a", "market": "BR", "received_at": "2026-01-31T18:00:00Z"})
    same = read_escalation({"received_at": "2026-01-31T15:00:00-03:00", "market": "BR", "text": "a", "id": None})
    other = read_escalation({"text": "a", "market": "BR", "received_at": "2026-01-31T18:00:01Z"})

    assert digest_of(one) == digest_of(same)
    assert digest_of(one) != digest_of(other)
    assert len(digest_of(one)) == 32


def test_what_was_kept_is_found_again_by_id_and_by_key_even_after_a_restart(url: str) -> None:
    first, second = make_rated("a-1"), make_rated("made-up", own_id=False, key="retry-1")
    casebook = open_casebook(url)
    assert casebook.keep([first, second]) == [Found(first.document, "v1"), Found(second.document, "v1")]
    casebook.close()

    again = open_casebook(url)
    found = again.find([make_sent("b-2"), second.sent, first.sent, make_sent()])
    again.close()

    assert found == [None, Found(second.document, "v1"), Found(first.document, "v1"), None]


def test_the_same_id_or_key_with_another_body_is_a_conflict_that_names_which(casebook: Casebook) -> None:
    casebook.keep([make_rated("a-1", key="k-1")])

    by_id, by_key = make_rated("a-1", text="other"), make_rated("a-2", own_id=False, key="k-1", text="other")

    assert casebook.find([by_id.sent, by_key.sent]) == [Conflict("id"), Conflict("Idempotency-Key")]
    assert casebook.keep([by_id, by_key]) == [Conflict("id"), Conflict("Idempotency-Key")]


def test_each_client_has_ids_and_keys_of_its_own(casebook: Casebook) -> None:
    ours = make_rated("a-1", key="k-1")
    theirs = make_rated("a-1", key="k-1", client="partner", text="other")

    assert casebook.keep([ours, theirs]) == [Found(ours.document, "v1"), Found(theirs.document, "v1")]
    assert casebook.find([theirs.sent, ours.sent]) == [Found(theirs.document, "v1"), Found(ours.document, "v1")]
    assert casebook.find([make_sent("a-1", client="third")]) == [None]


def test_the_same_escalation_twice_in_one_transaction_gets_the_first_answer(casebook: Casebook) -> None:
    first, later = make_rated("a-1"), make_rated("a-1", confidence=0.5)
    keyed, retried = make_rated("x", own_id=False, key="k"), make_rated("y", own_id=False, key="k")
    answers = casebook.keep([first, keyed, later, make_rated("a-1", text="other"), retried])

    assert answers == [
        Found(first.document, "v1"),
        Found(keyed.document, "v1"),
        Found(first.document, "v1"),
        Conflict("id"),
        Found(keyed.document, "v1"),
    ]
    assert len(casebook.page(Filters()).cases) == 2


def test_one_that_waited_behind_a_refused_twin_is_kept_all_the_same(casebook: Casebook) -> None:
    casebook.keep([make_rated("a-1", key="k")])
    refused, kept = make_rated("b-2", key="k", text="other"), make_rated("b-2")

    assert casebook.keep([refused, kept]) == [Conflict("Idempotency-Key"), Found(kept.document, "v1")]


def test_cases_of_one_transaction_are_numbered_as_they_were_sent(casebook: Casebook) -> None:
    ids = ["c", "a-10", "a-2", "b"]
    casebook.keep([make_rated(id_) for id_ in ids])
    casebook.keep([make_rated("a-1")])

    assert [case.id for case in casebook.page(Filters()).cases] == ["a-1", *reversed(ids)]


def test_keeping_again_what_was_kept_changes_nothing(casebook: Casebook) -> None:
    rated = make_rated("made-up", own_id=False)  # as when the acknowledgement was lost
    casebook.keep([rated])

    assert casebook.keep([rated]) == [Found(rated.document, "v1")]
    assert len(casebook.get("made-up").assessments) == 1


def test_nothing_kept_is_nothing_done(casebook: Casebook) -> None:
    assert casebook.keep([]) == []
    assert casebook.find([]) == []


def test_services_that_keep_the_same_ids_at_once_give_one_answer(url: str) -> None:
    books = [open_casebook(url) for _ in range(PROCESSES)]
    ids = [f"a-{number}" for number in range(8)]

    def keep(place: int) -> list[Found | Conflict]:
        order = ids if place % 2 else ids[::-1]  # which has databases wait for one another
        mine = books[place].keep([make_rated(id_, confidence=place / 10) for id_ in order])
        return mine if place % 2 else mine[::-1]

    with ThreadPoolExecutor(PROCESSES) as threads:
        answers = list(threads.map(keep, range(PROCESSES)))
    cases = books[0].page(Filters()).cases
    for book in books:
        book.close()

    assert all(answer == answers[0] for answer in answers)
    assert sorted(case.id for case in cases) == ids
    assert {case.assessments[0].document for case in cases} == {
        found.document for found in answers[0] if isinstance(found, Found)
    }


def test_a_case_holds_what_was_sent_and_what_was_answered(casebook: Casebook) -> None:
    rated = make_rated("a-1", key="k-1")
    casebook.keep([rated])

    case = casebook.get("a-1")

    assert (case.client, case.id, case.idempotency_key) == ("desk", "a-1", "k-1")
    assert (case.text, case.source, case.market) == (TEXT, "user_report", "BR")
    assert (case.request_id, case.key_id) == ("request-1", "key00001")
    assert (case.received_at, case.kept_at) == (NOON, NOON + timedelta(minutes=1))
    (kept,) = case.assessments
    assert kept.document == rated.document
    assert kept.assessment == rated.assessment
    assert (kept.assessed_at, kept.model_version, kept.policy_version) == (NOON, "v1", "1.0")


def test_moments_come_back_in_utc_to_the_microsecond(casebook: Casebook) -> None:
    moment = NOON.replace(microsecond=123_457)
    casebook.keep([replace(make_rated("a-1"), received_at=moment)])

    assert casebook.get("a-1").received_at == moment
    assert str(casebook.get("a-1").received_at.tzinfo) == "UTC"


def test_an_unknown_case_and_one_of_several_clients_are_said_to_be_so(casebook: Casebook) -> None:
    casebook.keep([make_rated("a-1"), make_rated("a-1", client="partner")])

    with pytest.raises(UnknownCaseError, match="no such id"):
        casebook.get("b-2")
    with pytest.raises(UnknownCaseError):
        casebook.get("a-1", client="third")
    with pytest.raises(AmbiguousCaseError, match="several clients"):
        casebook.get("a-1")
    assert casebook.get("a-1", client="partner").client == "partner"


def test_no_text_stands_in_a_repr(casebook: Casebook) -> None:
    rated = make_rated("a-1", text="the secret words")
    kept = casebook.keep([rated])
    shown = repr([rated, rated.sent, kept, casebook.get("a-1"), casebook.page(Filters())])

    assert "secret" not in shown
    assert json.loads(rated.document)["explanation"]["summary"] not in shown
