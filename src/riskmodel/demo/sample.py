"""A file of labelled escalations in, the six that the demo shows out."""

import json
from dataclasses import dataclass
from pathlib import Path

from riskmodel.errors import DataError
from riskmodel.records import Language, Rating

# Two a language, by the rating that people gave; together all four.
SHOWN: tuple[tuple[Language, Rating], ...] = (
    ("en", "critical"),
    ("en", "medium"),
    ("es", "high"),
    ("es", "low"),
    ("pt", "critical"),
    ("pt", "medium"),
)
SENT = ("text", "source", "market")
# Thirty invented escalations in the corpus's format, each with how many minutes ago it arrived.
CASES = Path(__file__).with_name("cases.jsonl")
SHORTEST, LONGEST = 60, 300  # characters that say something and fit a table


@dataclass(frozen=True)
class Labelled:
    """An escalation as it is sent, and the rating that people gave it."""

    body: dict[str, str]
    language: Language
    rating: Rating


def choose(data: Path) -> list[Labelled]:
    """Return the first escalation of the file for each language and rating shown, whatever a model makes of it.

    Raises:
        DataError: if the file cannot be read or lacks one.
    """
    found: dict[tuple[str, str], Labelled] = {}
    try:
        with data.open(encoding="utf-8") as file:
            for row in map(json.loads, file):
                key = (row["language"], row["rating"])
                if key in SHOWN and key not in found and SHORTEST <= len(row["text"]) <= LONGEST:
                    found[key] = Labelled({name: row[name] for name in SENT}, row["language"], row["rating"])
    except OSError as error:
        raise DataError(f"{data} cannot be read: {error.strerror}.") from None
    except (ValueError, KeyError, TypeError):
        raise DataError(f"{data} does not hold labelled escalations, one JSON object a line.") from None
    lacking = [f"{rating} in {language}" for language, rating in SHOWN if (language, rating) not in found]
    if lacking:
        raise DataError(f"{data} has no escalation of {SHORTEST} to {LONGEST} characters rated {lacking[0]}.")
    return [found[key] for key in SHOWN]
