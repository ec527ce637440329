"""The rating policy: a TOML file in, a checked :class:`Policy` out (ratings, table, categories, teams, routing)."""

import itertools
import tomllib
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from riskmodel.calendars import Calendar, week_of
from riskmodel.errors import PolicyError
from riskmodel.records import PROXIMITIES, RATINGS, SEVERITIES, Proximity, Rating, Record, Severity, Source
from riskmodel.routing import Route, first_that_takes, never_reached

SHIPPED_POLICY = Path(__file__).with_name("policy.toml")
NO_VIOLATION = "none"
MOST_WEEKS = 26  # that a deadline may take by a calendar; more is a calendar that is hardly ever open


Rank = Literal["team", "lead"]
RANKS: tuple[Rank, ...] = get_args(Rank)


class RatingRule(Record):
    """How fast someone must act on a rating, and what it means.

    ``clock``: which hours count: all of them (``wall``), or those when the team works (``team``).
    """

    act_within_hours: Annotated[int, Field(gt=0)]
    clock: Literal["wall", "team"] = "wall"
    meaning: Annotated[str, Field(min_length=1)]


class CategoryRule(Record):
    """The code of a category in the EU DSA Transparency Database, its team, and what stays for a person.

    ``person_from``: the rating from which no escalation of this main category is accepted without a person.
    """

    team: str
    person_from: Rating | None = None
    dsa: Annotated[str | None, Field(pattern=r"^STATEMENT_CATEGORY_[A-Z_]+$")] = None


class TeamRule(Record):
    """What a team is for, and the calendar that it works by."""

    duty: Annotated[str, Field(min_length=1)]
    calendar: str


class ReminderRule(Record):
    """When it is reminded of a deadline, and how high that is raised.

    ``at``: the share of the time until the deadline that has passed; 1 is the deadline itself. ``rank``: who is told:
    those who must act (``team``), or their lead too (``lead``).
    """

    at: Annotated[float, Field(gt=0, le=10)]
    rank: Rank = "team"


class Floor(Record):
    """The rule that lifts a rating when an authority demands it or the press is about to publish."""

    sources: Annotated[list[Source], Field(min_length=1)]
    at_least: dict[Severity, Rating]


class Policy(Record):
    """What the desk decides, as versioned data.

    ``version``: three numbers. The first two move with whatever ratings are made of (table, floor, categories), the
    third with the rest.
    """

    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    ratings: dict[Rating, RatingRule]
    table: dict[Severity, dict[Proximity, Rating]]
    floor: Floor
    calendars: dict[str, Calendar | Literal["always"]]
    teams: dict[str, TeamRule]
    routing: list[Route] = []  # noqa: RUF012  pydantic copies it
    reminders: list[ReminderRule] = []  # noqa: RUF012  pydantic copies it
    categories: dict[str, CategoryRule]

    @property
    def rating_version(self) -> str:
        """Return what a model is trained for: the first two numbers of the version, which say how ratings are made."""
        return self.version.rpartition(".")[0]

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

    def act_by(self, rating: Rating, received_at: datetime, team: str | None = None) -> datetime:
        """Return the moment by which a team must act on an escalation that arrived at ``received_at``; without a team,
        every hour counts.
        """
        hours, calendar = self.ratings[rating].act_within_hours, self.working_hours(rating, team)
        return received_at + timedelta(hours=hours) if calendar is None else calendar.after(received_at, hours)

    def working_hours(self, rating: Rating, team: str | None) -> Calendar | None:
        """Return the calendar whose open hours count towards a rating's deadline; None where every hour counts."""
        if team is None or self.ratings[rating].clock == "wall":
            return None
        calendar = self.calendars[self.teams[team].calendar]
        return calendar if isinstance(calendar, Calendar) else None

    def needs_person(self, category: str, rating: Rating) -> bool:
        """Return whether a person must look at every escalation of this main category and rating."""
        least = self.categories[category].person_from
        return least is not None and RATINGS.index(rating) >= RATINGS.index(least)

    def team_for(self, category: str, rating: Rating, market: str | None) -> str:
        """Return the team that mitigates: that of the first rule of the routing that fits, else the main category's."""
        route = first_that_takes(self.routing, category, rating, market)
        return self.categories[category].team if route is None else route.team


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
    for before, after in itertools.pairwise(policy.reminders):
        if after.at <= before.at or RANKS.index(after.rank) < RANKS.index(before.rank):
            found.append(f"reminders at {before.at:g} and {after.at:g} are not in order, or the rank falls")
    return [*found, *_clocks(policy), *_names(policy)]


def _clocks(policy: Policy) -> list[str]:
    """Return deadlines that a calendar would turn upside down, and calendars by which none would ever come."""
    found = []
    rules = [(name, policy.ratings[name]) for name in RATINGS if name in policy.ratings]
    for (less, slow), (more, fast) in itertools.pairwise(rules):
        if slow.clock == "wall" and fast.clock == "team":
            found.append(f"ratings.{more} counts the hours of a team, so ratings.{less}, which is slower, must too")
    longest = max((rule.act_within_hours for _, rule in rules if rule.clock == "team"), default=0)
    for name, calendar in policy.calendars.items():
        if isinstance(calendar, Calendar):
            weekly = sum(closes - opens for day in week_of(calendar.hours) for opens, closes in day) / 60
            if weekly * MOST_WEEKS < longest:
                found.append(f"calendars.{name} is open {weekly:g} h a week, too few for a deadline of {longest} h")
    return found


def _names(policy: Policy) -> list[str]:
    """Return names that are not defined, and what is defined for nobody."""
    named = [(f"categories.{name}.team", category.team) for name, category in policy.categories.items()]
    named += [(f"routing.{at}.team", route.team) for at, route in enumerate(policy.routing)]
    found = [f"{place} names {team!r}, which teams does not list" for place, team in named if team not in policy.teams]
    idle = set(policy.teams) - {team for _, team in named}
    found += [f"teams.{name} has no category and no rule of the routing" for name in sorted(idle)]
    for name, team in policy.teams.items():
        if team.calendar not in policy.calendars:
            found.append(f"teams.{name}.calendar names {team.calendar!r}, which calendars does not list")
    for at, route in enumerate(policy.routing):
        unknown = sorted(set(route.categories or ()) - set(policy.categories))
        found += [f"routing.{at}.categories names {name!r}, which categories does not list" for name in unknown]
    never = never_reached(policy.routing, policy.category_names)
    return found + [f"routing.{at} is never reached: the rules before it take all that it is for" for at in never]
