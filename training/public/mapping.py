"""A public set's own labels in, chances of our categories out, and the set's own questions beside them.

A category that a set says nothing about is missing from ``categories``: it is masked, neither taught nor denied. The
set's own questions (``tasks``) teach the encoder only; their read-out is thrown away.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from riskmodel.policy import NO_VIOLATION
from riskmodel.records import Language

Side = Literal["train", "test"]
Row = Mapping[str, Any]

HATE, HARASSMENT, VIOLENCE = "hate", "harassment", "violence"
# "Not sexist" is not "not hateful": of 40 such training rows that we read, 4 attacked another group.
OTHER_HATE = 0.1
TOLD_TEST_SHARE = 5  # ToLD-Br comes without a split: one text in five, by its hash, is kept for testing
TOLD_HATE = ("homophobia", "racism", "misogyny", "xenophobia")
TOLD_TASKS = (*TOLD_HATE, "insult", "obscene")
VOTERS = 3
MAJORITY = 2
OLID_HATE = ("lgbtqphobia", "racism", "religious_intolerance", "sexism", "xenophobia")
OLID_TASKS = (*OLID_HATE, "health", "ideology", "insult", "other_lifestyle", "physical_aspects", "profanity_obscene")
EDOS_TASKS = {
    "threats": "1. threats, plans to harm and incitement",
    "derogation": "2. derogation",
    "animosity": "3. animosity",
    "prejudiced": "4. prejudiced discussions",
}
CONVABUSE_HATE = ("sexist", "homophobic", "racist")


@dataclass(frozen=True)
class Mapped:
    """What a row says: chances (0 to 1) of our categories, and of the set's own questions, by name."""

    categories: dict[str, float]
    tasks: dict[str, float]


@dataclass(frozen=True)
class PublicSet:
    """A set that we train on: its file in the folder of public sets, what is owed to its makers, and how it reads."""

    file: str
    language: Language
    licence: str
    source: str
    side: Callable[[Row], Side]
    read: Callable[[Row], Mapped]
    text: Callable[[Row], str] = lambda row: str(row["text"])


def edos(row: Row) -> Mapped:
    """Read sexism: hate against women; threats are violence as well."""
    sexist = row["label"] == "sexist"
    tasks = {f"edos.{name}": float(row["category"] == label) for name, label in EDOS_TASKS.items()}
    tasks["edos.sexist"] = float(sexist)
    if not sexist:
        return Mapped({HATE: OTHER_HATE}, tasks)
    categories = {HATE: 1.0, NO_VIOLATION: 0.0}
    return Mapped(categories | ({VIOLENCE: 1.0} if tasks["edos.threats"] else {}), tasks)


def told(row: Row) -> Mapped:
    """Read votes of three: a majority for a kind of hate is hate, no vote for anything is no violation."""
    votes = row["labels"]
    tasks = {f"told.{name}": votes[name] / VOTERS for name in TOLD_TASKS}
    hate = max(votes[name] for name in TOLD_HATE)
    if not any(votes.values()):
        return Mapped({HATE: 0.0, HARASSMENT: 0.0, NO_VIOLATION: 1.0}, tasks)
    if hate >= MAJORITY:
        return Mapped({HATE: 1.0, NO_VIOLATION: 0.0}, tasks)
    addressed = "@user" in row["text"].lower() and votes["insult"] >= MAJORITY
    categories = {HARASSMENT: 1.0, NO_VIOLATION: 0.0} if addressed else {}
    return Mapped(categories | ({} if hate else {HATE: 0.0}), tasks)


def told_side(row: Row) -> Side:
    """Draw the part of a row by the hash of its text, so that equal texts fall on one side."""
    return "test" if text_hash(row["text"]) % TOLD_TEST_SHARE == 0 else "train"


def told_text(row: Row) -> str:
    """Return the text; where the source broke its accents, the mended one."""
    return str(row.get("text_fixed") or row["text"])


def olid(row: Row) -> Mapped:
    """Read offences: those against groups are hate, an insult of one person is harassment."""
    labels = set(row["labels"])
    tasks = {f"olid.{name}": float(name in labels) for name in OLID_TASKS}
    tasks["olid.offensive"] = float(row["label"] == "OFF")
    if row["label"] != "OFF":
        return Mapped({HATE: 0.0, HARASSMENT: 0.0, NO_VIOLATION: 1.0}, tasks)
    hate = bool(labels & set(OLID_HATE))
    categories = {HATE: float(hate)}
    if row["target_type"] == "IND" and "insult" in labels:
        categories[HARASSMENT] = 1.0
    return Mapped(categories | ({NO_VIOLATION: 0.0} if hate or HARASSMENT in categories else {}), tasks)


def convabuse(row: Row) -> Mapped:
    """Read what people say to a bot: abuse of groups is hate; what no annotator minded is no violation."""
    abusive = row["label"] < 0
    tasks = {"convabuse.abuse": float(abusive)}
    if row["label"] == 1:
        return Mapped({HATE: 0.0, HARASSMENT: 0.0, NO_VIOLATION: 1.0}, tasks)
    if abusive and set(row["labels"]) & set(CONVABUSE_HATE):
        return Mapped({HATE: 1.0, NO_VIOLATION: 0.0}, tasks)
    return Mapped({HARASSMENT: 1.0} if abusive and "sex_harassment" in row["labels"] else {}, tasks)


def own_side(row: Row) -> Side:
    """Return the side that the source itself gives a row."""
    return "train" if row["split"] == "train" else "test"


def text_hash(text: str) -> int:
    """Return a number that is the same for a text everywhere and always."""
    return int.from_bytes(hashlib.sha256(" ".join(text.casefold().split()).encode()).digest()[:8], "big")


PUBLIC_SETS = {
    "edos": PublicSet(
        "edos_en.jsonl.gz", "en", "CC0-1.0", "EDOS, SemEval-2023 task 10, arXiv 2303.04222", own_side, edos
    ),
    "told_br": PublicSet(
        "told_br.jsonl.gz", "pt", "CC-BY-SA-4.0", "ToLD-Br, AACL 2020, arXiv 2010.04543", told_side, told, told_text
    ),
    "olid_br": PublicSet("olid_br.jsonl.gz", "pt", "CC-BY-4.0", "OLID-BR, 2023", own_side, olid),
    "convabuse": PublicSet(
        "convabuse_en.jsonl.gz", "en", "CC-BY-4.0", "ConvAbuse, EMNLP 2021, arXiv 2109.09483", own_side, convabuse
    ),
}
