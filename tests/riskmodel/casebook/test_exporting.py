"""The export: what was sent and what was said of it, as JSON, personal data masked if asked for."""

import json
import tracemalloc

import pytest

from riskmodel.casebook import Casebook, Filters, exporting
from tests.riskmodel.casebook.made import TEXT, make_rated


def test_an_export_holds_everything_as_it_was_sent_and_answered(casebook: Casebook) -> None:
    rated = make_rated("a-1")
    casebook.keep([rated])

    (row,) = casebook.export(Filters(), redact=False)

    assert json.loads(json.dumps(row)) == {
        "id": "a-1",
        "client": "desk",
        "received_at": "2026-03-01T12:00:00Z",
        "kept_at": "2026-03-01T12:01:00Z",
        "text": TEXT,
        "source": "user_report",
        "market": "BR",
        "reliability": None,
        "credibility": None,
        "reporter": None,
        "assessments": [json.loads(rated.document) | {"assessed_at": "2026-03-01T12:00:00Z"}],
    }


def test_a_redacted_export_tells_how_far_a_source_is_trusted_and_not_who_it_was(casebook: Casebook) -> None:
    casebook.keep([make_rated("a-1", reliability="B", credibility=2, reporter="acct-77"), make_rated("a-2")])

    unnamed, named = casebook.export(Filters(), redact=True)
    _, as_it_is = casebook.export(Filters(), redact=False)

    assert (named["reliability"], named["credibility"], named["reporter"]) == ("B", 2, "[reporter]")
    assert unnamed["reporter"] is None
    assert as_it_is["reporter"] == "acct-77"


def test_a_redacted_export_masks_every_word_that_stems_from_a_report(casebook: Casebook) -> None:
    casebook.keep([make_rated("a-1")])

    (row,) = casebook.export(Filters(), redact=True)

    assert row["text"] == "Vai na escola amanhã às 18:00, ligue [phone]."
    explanation = row["assessments"][0]["explanation"]
    (evidence,) = explanation["evidence"]
    assert row["text"][evidence["start"] : evidence["end"]] == evidence["text"] == "ligue [phone]."
    assert explanation["summary"] == "Alta: «ligue [phone].»."
    assert explanation["precedents"][0]["excerpt"] == "escreva a [e-mail]"
    assert "98765" not in json.dumps(row)
    assert "4321" not in json.dumps(row)


def test_evidence_that_cuts_a_number_in_two_does_not_show_its_half(casebook: Casebook) -> None:
    rated = make_rated("a-1")
    answer = json.loads(rated.document)
    half = {"start": 37, "end": 46, "text": TEXT[37:46], "weight": 0.4}
    answer["explanation"] |= {"evidence": [half], "summary": f"Alta: «{half['text']}»."}
    document = json.dumps(answer, ensure_ascii=False)
    casebook.keep([type(rated)(rated.sent, rated.assessment, document, rated.received_at, rated.assessed_at)])

    (row,) = casebook.export(Filters(), redact=True)

    assert half["text"] == "11 98765-"
    assert row["assessments"][0]["explanation"]["summary"] == "Alta: «[phone]»."
    assert "98765" not in json.dumps(row)


def test_an_export_passes_the_filters_over_many_pages(casebook: Casebook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "CASES_AT_ONCE", 4)
    casebook.keep([make_rated(f"a-{number}", market="BR" if number % 2 else "MX") for number in range(20)])

    ids = [row["id"] for row in casebook.export(Filters(market="MX"), redact=True)]

    assert ids == [f"a-{number}" for number in range(18, -1, -2)]


def test_an_export_takes_no_more_memory_for_more_cases(casebook: Casebook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "CASES_AT_ONCE", 20)
    text = "x " * 5_000

    def peak() -> int:
        tracemalloc.start()
        for _ in casebook.export(Filters(), redact=False):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    casebook.keep([make_rated(f"a-{number}", text=text) for number in range(60)])
    peak()
    few = peak()
    casebook.keep([make_rated(f"b-{number}", text=text) for number in range(240)])

    assert peak() < few * 1.5
