"""A seed and the training split in, a week of escalations out: single reports, events told by several, one campaign."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from statistics import fmean
from typing import Any

import pandas as pd

from riskmodel import Escalation
from riskmodel.records import LANGUAGES, MAX_TEXT_CHARACTERS
from training.augment import augment

DAYS = 7
# Arrivals in each hour of the day, UTC, beside the mean: the Americas sleep while it is morning in UTC.
BY_HOUR = (1.1, 1.0, 0.9, 0.8, 0.6, 0.5, 0.4, 0.3, 0.3, 0.4, 0.6, 0.9)
BY_HOUR += (1.1, 1.3, 1.4, 1.5, 1.5, 1.4, 1.4, 1.4, 1.3, 1.3, 1.3, 1.3)
EVENT_SHARE = 0.15  # of all escalations tell of an event that another one tells of too
EVENT_REPORTS = (2, 3, 4)
EVENT_SPAN = timedelta(hours=20)
CAMPAIGN_NAME, CAMPAIGN_REPORTS = "campaign", 90
CAMPAIGN_DAY, CAMPAIGN_HOURS = 2, 10.0
# The rest of the network forwards what it saw: in its own words around the same facts, sooner or later.
FORWARDS = {
    "en": (
        ("press", "Newsroom asking for comment on what readers sent us about {mark}: {text}"),
        ("law_enforcement", "Police liaison, file {number}: same matter as in the public report. {text}"),
        ("trusted_flagger", "Partner hotline forwards, their file {number}. {text} Account named: {mark}."),
        ("user_report", "seen it too, it is {mark} again. {text}"),
    ),
    "es": (
        ("press", "Redacción pide comentario sobre lo que enviaron lectores de {mark}: {text}"),
        ("law_enforcement", "Enlace policial, expediente {number}: mismo asunto del reporte público. {text}"),
        ("trusted_flagger", "Línea aliada reenvía, su caso {number}. {text} Cuenta señalada: {mark}."),
        ("user_report", "yo también lo vi, es {mark} otra vez. {text}"),
    ),
    "pt": (
        ("press", "Redação pede posição sobre o que leitores enviaram de {mark}: {text}"),
        ("law_enforcement", "Ponto focal da polícia, protocolo {number}: mesmo assunto do relato público. {text}"),
        ("trusted_flagger", "Canal parceiro encaminha, caso {number} deles. {text} Conta citada: {mark}."),
        ("user_report", "também vi, é {mark} de novo. {text}"),
    ),
}
CAMPAIGN = {
    "en": "Post in many groups today: a fake page of a bank offers a {amount} bonus at {link} "
    "and asks for the card and the code from the text message.",
    "es": "Publicación repetida hoy en muchos grupos: una página falsa de un banco ofrece un bono de {amount} "
    "en {link} y pide la tarjeta y el código del SMS.",
    "pt": "Postagem repetida hoje em vários grupos: página falsa de um banco oferece bônus de {amount} "
    "em {link} e pede o cartão e o código do SMS.",
}
CAMPAIGN_LINK = "bono-premio-hoy.example/alta"
CAMPAIGN_MARKETS = {"en": "US", "es": "MX", "pt": "BR"}


@dataclass(frozen=True)
class Truth:
    """What a careful analyst would say of an escalation."""

    severity: str
    proximity: str
    rating: str
    categories: tuple[str, ...]


@dataclass(frozen=True)
class Arrival:
    """An escalation with the moment it arrives, what is true of it, and the event it tells of, if others do too."""

    at: datetime
    escalation: Escalation
    truth: Truth
    event: str | None = None


def arrivals(train: pd.DataFrame, count: int, start: datetime, seed: int) -> list[Arrival]:
    """Return a week of escalations in order of arrival; the same for the same seed.

    Args:
        train: labelled escalations; each is used once at most.
        count: of all escalations, the campaign's among them.
        start: of the week.
        seed: of all that is drawn.

    Raises:
        ValueError: if the split is too small for so many.
    """
    draw = Random(seed)
    wanted = count - CAMPAIGN_REPORTS
    if not 0 < wanted <= len(train):
        raise ValueError(f"A week of {count}: found {len(train)} labelled texts, expected {wanted} or more.")
    found: list[Arrival] = []
    for row in train.sample(frac=1, random_state=seed).to_dict("records"):
        if draw.random() < EVENT_SHARE / fmean(EVENT_REPORTS):
            found += _event(row, f"event-{len(found)}", start, draw)
        else:
            found.append(Arrival(_moment(start, draw), _escalation(row, str(row["text"])), _truth(row)))
        if len(found) >= wanted:
            break
    found = [*found[:wanted], *_campaign(start, draw)]
    found.sort(key=lambda arrival: arrival.at)
    return [replace(one, escalation=_named(one, at)) for at, one in enumerate(found)]


def _named(arrival: Arrival, at: int) -> Escalation:
    return arrival.escalation.model_copy(update={"id": f"week-{at:05}", "received_at": arrival.at})


def _moment(start: datetime, draw: Random) -> datetime:
    """Draw a moment of the week, more in busy hours."""
    hour = draw.choices(range(24), BY_HOUR)[0]
    return start + timedelta(days=draw.randrange(DAYS), hours=hour, seconds=draw.uniform(0, 3_600))


def _event(row: dict[str, Any], name: str, start: datetime, draw: Random) -> list[Arrival]:
    """Tell of one event several times: as it is, then forwarded, with an account and a file that stay the same."""
    mark, number = f"@{_word(draw)}_{draw.randrange(100, 999)}", f"{draw.randrange(1_000, 9_999)}-{_word(draw).upper()}"
    text, at = str(row["text"]), _moment(start, draw)
    found = [Arrival(at, _escalation(row, f"{text} ({mark})"), _truth(row), name)]
    for source, form in draw.sample(FORWARDS[str(row["language"])], draw.choice(EVENT_REPORTS) - 1):
        later = at + timedelta(seconds=draw.uniform(600, EVENT_SPAN.total_seconds()))
        told = _escalation(row | {"source": source}, form.format(mark=mark, number=number, text=text))
        found.append(Arrival(later, told, _truth(row), name))
    return found


def _campaign(start: datetime, draw: Random) -> list[Arrival]:
    """Return reports of one wave of fraud, in three languages and many spellings, within some hours of one day."""
    truth = Truth("serious", "active", "high", ("scams_fraud",))
    begins = start + timedelta(days=CAMPAIGN_DAY, hours=11)
    found = []
    for _ in range(CAMPAIGN_REPORTS):
        language = draw.choice(LANGUAGES)
        text = CAMPAIGN[language].format(amount=f"${draw.randrange(5, 60) * 100:,}", link=CAMPAIGN_LINK)
        at = begins + timedelta(hours=draw.betavariate(1.5, 3.0) * CAMPAIGN_HOURS)
        escalation = Escalation(text=augment(text, draw), source="user_report", market=CAMPAIGN_MARKETS[language])
        found.append(Arrival(at, escalation, truth, CAMPAIGN_NAME))
    return found


def _escalation(row: dict[str, Any], text: str) -> Escalation:
    return Escalation(text=text[:MAX_TEXT_CHARACTERS], source=row["source"] or None, market=row["market"] or None)


def _truth(row: dict[str, Any]) -> Truth:
    return Truth(str(row["severity"]), str(row["proximity"]), str(row["rating"]), tuple(row["categories"]))


def _word(draw: Random) -> str:
    return "".join(draw.choice("bcdfglmnprst") + draw.choice("aeiou") for _ in range(3))
