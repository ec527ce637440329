"""The records that travel along the road: an escalation in, an assessment out. All frozen, unknown fields refused.

Ordered vocabularies (``RATINGS``, ``SEVERITIES``, ``PROXIMITIES``) run from the least to the most urgent, so
a position in them is a rank.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, get_args

import pycountry
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from riskmodel.errors import EscalationError, FieldProblem

Rating = Literal["low", "medium", "high", "critical"]
Severity = Literal["minor", "moderate", "serious", "severe"]
Proximity = Literal["contained", "plausible", "active"]
Source = Literal[
    "user_report",
    "trusted_flagger",
    "press",
    "government",
    "law_enforcement",
    "partner",
    "moderation_queue",
    "employee",
    "automated_detection",
    "legal",
]
Language = Literal["en", "es", "pt"]
Reliability = Literal["A", "B", "C", "D", "E", "F"]
Credibility = Annotated[int, Field(ge=1, le=6)]  # a Literal would take true for 1
Route = Literal["auto", "review"]
ReviewReason = Literal[
    "uncertain rating",
    "may be rated too low",
    "near critical",
    "factors and rating disagree",
    "unfamiliar text",
    "evidence too thin",
    "category needs a person",
    "content without a report",
    "mixed language",
    "unsupported language",
    "no readable words",
]

RATINGS: tuple[Rating, ...] = get_args(Rating)
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
PROXIMITIES: tuple[Proximity, ...] = get_args(Proximity)
SOURCES: tuple[Source, ...] = get_args(Source)
LANGUAGES: tuple[Language, ...] = get_args(Language)
RELIABILITIES: tuple[Reliability, ...] = get_args(
    Reliability
)  # of a source, by the Admiralty scale: F cannot be judged
UNDETERMINED = "und"  # ISO 639-2: no language can be told
MARKETS: frozenset[str] = frozenset(country.alpha_2 for country in pycountry.countries)

MAX_TEXT_CHARACTERS = 20_000
MAX_ID_CHARACTERS = 128
LAST_YEAR = 9998  # the calendar ends with 9999, and a deadline lies after its escalation
_NAME = rf"^[\x21-\x7e]{{1,{MAX_ID_CHARACTERS}}}$"
_DATE_AND_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]")
_TIME_EXPECTED = "RFC 3339, such as 2026-01-31T18:00:00Z"


class Record(BaseModel):
    """Base of all records: frozen, unknown fields refused, no silent conversion of types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _readable_text(text: str) -> str:
    if not text.strip():
        raise ValueError("found blank text, expected at least one visible character")
    if "\x00" in text:
        raise ValueError("found text with a NUL character, expected text without")
    return text


def _known_market(market: str) -> str:
    if market not in MARKETS:
        raise ValueError(
            "found an unknown code, expected an ISO 3166-1 alpha-2 country code in capitals, such as BR, MX or US"
        )
    return market


def _written_time(value: Any) -> Any:
    """Refuse what pydantic would take for seconds since 1970."""
    if value is None or isinstance(value, datetime) or (isinstance(value, str) and _DATE_AND_TIME.match(value)):
        return value
    raise ValueError(f"found {kind_of(value)} that is not a time with a zone, expected {_TIME_EXPECTED}")


def _in_utc(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    if not 1 < moment.year <= LAST_YEAR:
        raise ValueError(f"found a time out of range, expected {_TIME_EXPECTED}")
    return moment.astimezone(UTC)


class Escalation(Record):
    """A report that something may do harm, as it arrived."""

    text: Annotated[
        str,
        Field(min_length=1, max_length=MAX_TEXT_CHARACTERS, description="the report as it arrived"),
        AfterValidator(_readable_text),
    ]
    source: Annotated[Source | None, Field(description="who reported it")] = None
    market: Annotated[
        str | None,
        Field(description="the country it concerns, ISO 3166-1 alpha-2"),
        AfterValidator(lambda market: None if market is None else _known_market(market)),
    ] = None
    id: Annotated[
        str | None,
        Field(pattern=_NAME, description="the sender's own identifier"),
    ] = None
    received_at: Annotated[
        AwareDatetime | None,
        Field(strict=False, description="when it arrived, RFC 3339; now if absent"),
        BeforeValidator(_written_time),
        AfterValidator(_in_utc),
    ] = None
    reliability: Annotated[
        Reliability | None,
        Field(description="of the source, by the Admiralty scale: A completely reliable ... E unreliable, F unknown"),
    ] = None
    credibility: Annotated[
        Credibility | None,
        Field(description="of what it says, by the Admiralty scale: 1 confirmed ... 5 improbable, 6 unknown"),
    ] = None
    reporter: Annotated[
        str | None,
        Field(pattern=_NAME, description="who reported it, as an identifier that tells reporters apart; no name"),
    ] = None


class Factor(Record):
    """One answer to a question of the rating guide, with the calibrated chance that it is right."""

    value: str
    confidence: float


class Category(Record):
    """A category that was decided, with its probability and its code in the EU DSA Transparency Database."""

    name: str
    probability: float
    dsa: str | None


class Evidence(Record):
    """A stretch of the text that carried the rating; offsets count Unicode code points of the text as sent."""

    start: int
    end: int
    text: str
    weight: Annotated[float, Field(description="share of all the support for this rating that the stretch carries")]


class Counterfactual(Record):
    """What the table would say if one answer were another."""

    if_: Annotated[str, Field(alias="if", description="the other severity or proximity")]
    then: Rating

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, serialize_by_alias=True)


class Precedent(Record):
    """A labelled escalation that lies near this one, with the cosine of the two."""

    id: str
    rating: Rating
    similarity: float
    excerpt: str


class Explanation(Record):
    """Why the rating is what it is."""

    summary: Annotated[str, Field(description="one sentence in the language of the report")]
    rule: Annotated[str, Field(description="the row of the policy's table that gives this rating")]
    evidence: list[Evidence]
    counterfactuals: list[Counterfactual]
    precedents: list[Precedent]


class Decision(Record):
    """Whether the rating stands alone (auto) or a person must look (review), and why."""

    route: Route
    reasons: list[ReviewReason]


class ModelVersion(Record):
    """Which model and which policy gave the answer."""

    name: str
    version: str
    policy: str


class Assessment(Record):
    """A rated escalation, with its reasons."""

    id: str
    language: Annotated[str, Field(description="ISO 639-1 code; und if there are no readable words")]
    rating: Rating
    act_by: datetime
    team: str
    confidence: Annotated[float, Field(description="the calibrated chance that the rating is right")]
    probabilities: dict[Rating, float]
    plausible_ratings: Annotated[
        list[Rating], Field(description="the conformal set: neighbours that cannot be excluded")
    ]
    severity: Factor
    proximity: Factor
    categories: Annotated[list[Category], Field(description="those decided, the main one first")]
    category_probabilities: dict[str, float]
    explanation: Explanation
    decision: Decision
    model: ModelVersion


_KINDS = {
    dict: "an object",
    list: "a list",
    str: "text",
    bool: "a boolean",
    int: "a number",
    float: "a number",
}


def kind_of(value: Any) -> str:
    """Name the kind of a JSON value without repeating it."""
    return "nothing" if value is None else _KINDS.get(type(value), type(value).__name__)


def _expected(error: dict[str, Any]) -> tuple[str, str]:
    """Return (what was found, what is expected) for one of pydantic's errors, never the value itself."""
    kind, context, value = error["type"], error.get("ctx", {}), error["input"]
    match kind:
        case "missing":
            return "no such field", "a value"
        case "extra_forbidden":
            return f"an unknown field with {kind_of(value)}", "one of " + ", ".join(Escalation.model_fields)
        case "string_type":
            return kind_of(value), "text"
        case "string_too_short":
            return "empty text", f"1 to {MAX_TEXT_CHARACTERS:,} characters"
        case "string_too_long":
            return f"{len(value):,} characters", f"at most {context['max_length']:,} characters"
        case "string_unicode":
            return "text with a lone surrogate", "valid Unicode text"
        case "literal_error":
            return f"{kind_of(value)} that is not in the list", f"one of {context['expected']}"
        case "string_pattern_mismatch":
            return (
                "text of another form",
                f"1 to {MAX_ID_CHARACTERS} printable ASCII characters without spaces",
            )
        case "int_type" | "int_from_float" | "greater_than_equal" | "less_than_equal":
            return f"{kind_of(value)} that is none of the scale", "a whole number from 1 to 6"
        case "value_error":
            found, _, expected = str(context["error"]).removeprefix("found ").partition(", expected ")
            return found, expected
        case "model_type" | "model_attributes_type" | "dict_type":
            return kind_of(value), "an object with the field text"
        case "timezone_aware" | "datetime_from_date_parsing" | "datetime_parsing" | "datetime_type":
            return (
                f"{kind_of(value)} that is not a time with a zone",
                _TIME_EXPECTED,
            )
        case _:
            return kind_of(value), str(error["msg"])


def read_escalation(raw: Any) -> Escalation:
    """Validate one escalation at the door.

    Raises:
        EscalationError: naming each field that was refused, the kind of value found and what is expected.
    """
    try:
        return Escalation.model_validate(raw)
    except ValidationError as error:
        problems = []
        for item in error.errors(include_url=False):
            found, expected = _expected(dict(item))
            field = ".".join(str(part) for part in item["loc"][:1]) or "escalation"
            problems.append(FieldProblem(field, found, expected))
        raise EscalationError(problems) from None
