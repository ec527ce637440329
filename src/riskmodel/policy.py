"""The rating policy: a TOML file in, a checked :class:`Policy` out (ratings, table, floor, categories, teams)."""

import itertools
import tomllib
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from riskmodel.errors import PolicyError
from riskmodel.records import PROXIMITIES, RATINGS, SEVERITIES, Proximity, Rating, Record, Severity, Source

SHIPPED_POLICY = Path(__file__).with_name("policy.toml")
NO_VIOLATION = "none"


class RatingRule(Record):
    """How fast someone must act on a rating, and what it means."""

    act_within_hours: Annotated[int, Field(gt=0)]
    meaning: Annotated[str, Field(min_length=1)]


class CategoryRule(Record):
    """The code of a category in the EU DSA Transparency Database, its team, and what stays for a person.

    ``person_from``: the rating from which no escalation of this main category is accepted without a person.
    """

    team: str
    person_from: Rating | None = None
    dsa: Annotated[str | None, Field(pattern=r"^STATEMENT_CATEGORY_[A-Z_]+$")] = None


class Floor(Record):
    """The rule that lifts a rating when an authority demands it or the press is about to publish."""

    sources: Annotated[list[Source], Field(min_length=1)]
    at_least: dict[Severity, Rating]


class Policy(Record):
    """What the desk decides, as versioned data."""

    version: Annotated[str, Field(min_length=1)]
    ratings: dict[Rating, RatingRule]
    table: dict[Severity, dict[Proximity, Rating]]
    floor: Floor
    teams: dict[str, str]
    categories: dict[str, CategoryRule]

    @property
    def category_names(self) -> tuple[str, ...]:
        """Return the categories in the order of the policy file."""
        return tuple(self.categories)

    @cached_property
    def rating_ranks(self) -> NDArray[np.int64]:
        """Return ranks of ratings, shape (4 severities, 3 proximities, 2: as in the table, lifted by the floor)."""
        ranks = np.empty((len(SEVERITIES), len(PROXIMITIES), 2), dtype=np.int64)
        for s, severity in enumerate(SEVERITIES):
            least = RATINGS.index(self.floor.at_least[severity])
            for p, proximity in enumerate(PROXIMITIES):
                cell = RATINGS.index(self.table[severity][proximity])
                ranks[s, p] = cell, max(cell, least)
        return ranks

    def act_by(self, rating: Rating, received_at: datetime) -> datetime:
        """Return the moment by which someone must act on an escalation that arrived at ``received_at``."""
        return received_at + timedelta(hours=self.ratings[rating].act_within_hours)

    def needs_person(self, category: str, rating: Rating) -> bool:
        """Return whether a person must look at every escalation of this main category and rating."""
        least = self.categories[category].person_from
        return least is not None and RATINGS.index(rating) >= RATINGS.index(least)

    def team_for(self, category: str) -> str:
        """Return the team that mitigates the main category."""
        return self.categories[category].team


def load_policy(path: Path = SHIPPED_POLICY) -> Policy:
    """Read and check a policy file.

    Raises:
        PolicyError: naming the file and each thing that is missing, unknown or contradictory.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PolicyError(f"Policy {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PolicyError(f"Policy {path} is not valid TOML: {error}.") from error
    try:
        policy = Policy.model_validate(raw)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()]
        raise PolicyError(f"Policy {path} is incomplete or malformed: {'; '.join(problems)}.") from None
    problems = [*_gaps(policy), *_contradictions(policy)]
    if problems:
        raise PolicyError(f"Policy {path} cannot be used: {'; '.join(problems)}.")
    return policy


def _gaps(policy: Policy) -> list[str]:
    gaps = [f"ratings.{name} is missing" for name in RATINGS if name not in policy.ratings]
    for severity in SEVERITIES:
        row = policy.table.get(severity, {})
        gaps += [f"table.{severity}.{name} is missing" for name in PROXIMITIES if name not in row]
        if severity not in policy.floor.at_least:
            gaps.append(f"floor.at_least.{severity} is missing")
    if NO_VIOLATION not in policy.categories:
        gaps.append(f"categories.{NO_VIOLATION} is missing")
    return gaps


def _contradictions(policy: Policy) -> list[str]:
    """Return what does not fit together: deadlines, a table that falls, a floor that falls, unknown or idle teams."""
    found = []
    deadlines = [(name, policy.ratings[name].act_within_hours) for name in RATINGS if name in policy.ratings]
    for (less, slow), (more, fast) in itertools.pairwise(deadlines):
        if fast >= slow:
            found.append(f"ratings.{more} must be acted on sooner than ratings.{less} ({fast} h against {slow} h)")
    rank = RATINGS.index
    cells = {(s, p): rank(rating) for s, row in policy.table.items() for p, rating in row.items()}
    for (severity, proximity), here in cells.items():
        for nearer in PROXIMITIES[PROXIMITIES.index(proximity) + 1 :]:
            if cells.get((severity, nearer), here) < here:
                found.append(f"table.{severity}.{nearer} is rated below table.{severity}.{proximity}")
        for worse in SEVERITIES[SEVERITIES.index(severity) + 1 :]:
            if cells.get((worse, proximity), here) < here:
                found.append(f"table.{worse}.{proximity} is rated below table.{severity}.{proximity}")
    floors = [(name, rank(policy.floor.at_least[name])) for name in SEVERITIES if name in policy.floor.at_least]
    for (lesser, low), (worse, high) in itertools.pairwise(floors):
        if high < low:
            found.append(f"floor.at_least.{worse} is below floor.at_least.{lesser}")
    for name, category in policy.categories.items():
        if category.team not in policy.teams:
            found.append(f"categories.{name}.team names {category.team!r}, which teams does not list")
    idle = set(policy.teams) - {category.team for category in policy.categories.values()}
    found += [f"teams.{name} has no category" for name in sorted(idle)]
    return found
