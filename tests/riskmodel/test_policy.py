import itertools
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from riskmodel.errors import PolicyError
from riskmodel.policy import NO_VIOLATION, SHIPPED_POLICY, Policy, load_policy
from riskmodel.records import PROXIMITIES, RATINGS, SEVERITIES

GUIDE = Path(__file__).parents[2] / "data" / "rating-guide.md"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def guide_rows(place: str) -> list[list[str]]:
    """Return the body of the first table behind a line of the rating guide, its cells without their marks."""
    lines = GUIDE.read_text(encoding="utf-8").split(f"{place}\n", 1)[1].splitlines()
    table = itertools.takewhile(
        lambda line: line.startswith("|"), itertools.dropwhile(lambda line: "|" not in line, lines)
    )
    rows = [[cell.strip(" *`") for cell in line.strip("|").split("|")] for line in table]
    return rows[2:]


def edited(folder: Path, old: str, new: str) -> Path:
    text = SHIPPED_POLICY.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} must stand in the shipped policy exactly once"
    path = folder / "changed.toml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def refusal(path: Path) -> str:
    with pytest.raises(PolicyError) as caught:
        load_policy(path)
    return str(caught.value)


def test_every_cell_of_the_guides_table_is_what_the_policy_gives(policy: Policy) -> None:
    rows = {row[0]: row[1:] for row in guide_rows("### 3. Table")}

    assert rows.keys() == set(SEVERITIES)
    for severity, cells in rows.items():
        assert [policy.table[severity][proximity] for proximity in PROXIMITIES] == cells


def test_every_deadline_of_the_guide_is_what_the_policy_gives(policy: Policy) -> None:
    hours = {rating: policy.ratings[rating].act_within_hours for rating in RATINGS}

    assert hours == {row[0]: int(row[1].split()[0]) for row in guide_rows("The **rating** is a promise of speed.")}


def test_the_policy_has_the_guides_categories_and_no_other(
    policy: Policy,
) -> None:
    guide = [row[0] for row in guide_rows("## Categories")]

    assert sorted(policy.category_names) == sorted(guide)
    assert policy.category_names[-1] == NO_VIOLATION


def test_the_floor_is_the_guides(policy: Policy) -> None:
    assert policy.floor.at_least == {"severe": "high", "serious": "high", "moderate": "medium", "minor": "medium"}
    assert set(policy.floor.sources) == {"government", "law_enforcement", "legal", "press"}


def test_the_version_of_the_policy_is_the_guides(policy: Policy) -> None:
    found = re.search(r"^# Rating guide, version (\S+)$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)

    assert found is not None
    assert policy.rating_version == found.group(1)


def test_the_floor_lifts_what_lies_below_it_and_never_lowers(policy: Policy) -> None:
    plain, lifted = policy.rating_ranks[..., 0], policy.rating_ranks[..., 1]

    assert plain.tolist() == [[0, 0, 0], [0, 1, 1], [0, 1, 2], [1, 2, 3]]
    assert lifted.tolist() == [[1, 1, 1], [1, 1, 1], [2, 2, 2], [2, 2, 3]]


@pytest.mark.parametrize(("rating", "hours"), [("low", 72), ("medium", 24), ("high", 4), ("critical", 1)])
def test_a_team_that_always_works_must_act_within_the_hours_of_the_rating(
    policy: Policy, rating: str, hours: int
) -> None:
    assert (policy.act_by(rating, NOON, "crisis_response") - NOON).total_seconds() == hours * 3600


@pytest.mark.parametrize(
    ("category", "team"),
    [
        ("violence", "crisis_response"),
        ("child_safety", "child_protection"),
        ("sexual_content", "human_exploitation"),
        ("intellectual_property", "legal_operations"),
        ("none", "user_support"),
    ],
)
def test_a_category_goes_to_its_team(policy: Policy, category: str, team: str) -> None:
    assert policy.team_for(category, "high", "MX") == team


@pytest.mark.parametrize(
    ("category", "rating", "market", "team"),
    [
        ("privacy", "critical", "MX", "crisis_response"),
        ("privacy", "high", "MX", "privacy_and_accounts"),
        ("harassment", "critical", None, "crisis_response"),
        ("intellectual_property", "low", "BR", "legal_operations_brazil"),
        ("intellectual_property", "low", "PT", "legal_operations"),
        ("intellectual_property", "low", None, "legal_operations"),
    ],
)
def test_the_routing_names_another_team_for_some_ratings_and_markets(
    policy: Policy, category: str, rating: str, market: str | None, team: str
) -> None:
    assert policy.team_for(category, rating, market) == team


def test_what_is_urgent_counts_every_hour_whatever_the_team(policy: Policy) -> None:
    night = datetime(2026, 11, 21, 4, tzinfo=UTC)

    for team in policy.teams:
        assert policy.act_by("critical", night, team) == night + timedelta(hours=1)
        assert policy.act_by("high", night, team) == night + timedelta(hours=4)


def test_what_can_wait_counts_the_hours_of_the_team(policy: Policy) -> None:
    friday_evening = datetime(2026, 11, 20, 23, tzinfo=UTC)  # 18:00 in New York, which works until 20:00

    # Two hours on Friday, twelve on Monday, ten on Tuesday.
    assert policy.act_by("medium", friday_evening, "legal_operations") == datetime(2026, 11, 24, 23, tzinfo=UTC)
    assert policy.act_by("medium", friday_evening) == friday_evening + timedelta(hours=24)


def test_a_less_urgent_rating_is_never_due_before_a_more_urgent_one(policy: Policy) -> None:
    for team, hours in itertools.product(policy.teams, range(0, 24 * 14, 5)):
        at = NOON + timedelta(hours=hours)
        due = [policy.act_by(rating, at, team) for rating in RATINGS]
        assert due == sorted(due, reverse=True)


@pytest.mark.parametrize(("rating", "needed"), [("low", False), ("medium", False), ("high", False), ("critical", True)])
def test_a_child_at_grave_risk_is_always_for_a_person(policy: Policy, rating: str, needed: bool) -> None:
    assert policy.needs_person("child_safety", rating) == needed


def test_no_other_category_is_kept_for_a_person(policy: Policy) -> None:
    others = [name for name in policy.category_names if name != "child_safety"]

    assert not any(policy.needs_person(name, rating) for name in others for rating in RATINGS)


@pytest.mark.parametrize("least", RATINGS)
def test_a_policy_may_keep_a_category_for_a_person_from_any_rating_up(tmp_path: Path, least: str) -> None:
    path = edited(
        tmp_path, 'none = { team = "user_support" }', f'none = {{ team = "user_support", person_from = "{least}" }}'
    )

    policy = load_policy(path)

    assert [policy.needs_person("none", rating) for rating in RATINGS] == [
        at >= RATINGS.index(least) for at in range(len(RATINGS))
    ]


VERSION = f'version = "{load_policy().version}"'
CRITICAL = 'critical = { act_within_hours = 1, clock = "wall", meaning = "a life, or a child, is in danger now" }\n'
SEVERE = 'severe = { contained = "medium", plausible = "high", active = "critical" }'
FLOOR = 'at_least = { severe = "high", serious = "high", moderate = "medium", minor = "medium" }'
MODERATE = 'moderate = { contained = "low", plausible = "medium", active = "medium" }\n'


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        pytest.param(CRITICAL, "", "ratings.critical", id="a rating"),
        pytest.param(
            SEVERE, 'severe = { contained = "medium", active = "critical" }', "table.severe.plausible", id="cell"
        ),
        pytest.param(MODERATE, "", "table.moderate.active", id="a row"),
        pytest.param(FLOOR, FLOOR.replace('serious = "high", ', ""), "floor.at_least.serious", id="a floor"),
        pytest.param(FLOOR, "", "floor.at_least", id="all floors"),
        pytest.param('none = { team = "user_support" }', "", "categories.none", id="the category none"),
        pytest.param(VERSION, "", "version", id="the version"),
        pytest.param(
            'hate = { dsa = "STATEMENT_CATEGORY_ILLEGAL_OR_HARMFUL_SPEECH", team = "abuse_response" }',
            'hate = { dsa = "STATEMENT_CATEGORY_ILLEGAL_OR_HARMFUL_SPEECH" }',
            "categories.hate.team",
            id="a team",
        ),
    ],
)
def test_a_policy_that_lacks_something_is_refused_and_the_gap_is_named(
    tmp_path: Path, old: str, new: str, place: str
) -> None:
    path = edited(tmp_path, old, new)

    message = refusal(path)

    assert str(path) in message
    assert place in message


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        pytest.param("act_within_hours = 1,", "act_within_hours = 4,", "ratings.critical", id="as slow as high"),
        pytest.param("act_within_hours = 24,", "act_within_hours = 96,", "ratings.medium", id="slower than low"),
        pytest.param(
            'minor = { contained = "low", plausible = "low"',
            'minor = { contained = "low", plausible = "critical"',
            "table.moderate.plausible",
            id="less where it is worse",
        ),
        pytest.param(
            SEVERE,
            'severe = { contained = "critical", plausible = "high", active = "critical" }',
            "table.severe.plausible",
            id="less where it is nearer",
        ),
        pytest.param(
            FLOOR, FLOOR.replace('severe = "high"', 'severe = "medium"'), "floor.at_least.severe", id="floor falls"
        ),
        pytest.param(
            'team = "regulated_goods"',
            'team = "nobody_at_all"',
            "categories.illegal_goods.team",
            id="unknown team",
        ),
        pytest.param(
            "[teams]\n",
            '[teams]\nnight_shift = { duty = "sleeps", calendar = "always" }\n',
            "teams.night_shift",
            id="idle team",
        ),
        pytest.param('team = "legal_operations_brazil"', 'team = "nobody"', "routing.1.team", id="a route to nobody"),
        pytest.param(
            'categories = ["intellectual_property"]',
            'categories = ["harassment"]\nrating_from = "critical"',
            "routing.1 is never reached",
            id="a route behind another",
        ),
        pytest.param(
            'categories = ["intellectual_property"]',
            'categories = ["patents"]',
            "routing.1.categories names 'patents'",
            id="a route for an unknown category",
        ),
        pytest.param(
            'in Brazil", calendar = "sao_paulo"',
            'in Brazil", calendar = "mars"',
            "teams.legal_operations_brazil.calendar names 'mars'",
            id="unknown calendar",
        ),
        pytest.param(
            '72, clock = "team"', '72, clock = "wall"', "ratings.medium counts the hours", id="clocks crossed"
        ),
        pytest.param(
            'holidays = "US", hours = { mon-fri = "08:00-20:00" }',
            'holidays = "US", hours = { mon = "08:00-10:00" }',
            "calendars.new_york is open 2 h a week",
            id="hardly ever open",
        ),
    ],
)
def test_a_policy_that_contradicts_itself_is_refused_and_the_place_is_named(
    tmp_path: Path, old: str, new: str, place: str
) -> None:
    path = edited(tmp_path, old, new)

    message = refusal(path)

    assert str(path) in message
    assert place in message


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        pytest.param(VERSION, f'{VERSION}\nowner = "us"', "owner", id="unknown field"),
        pytest.param("[floor]\n", "[floor]\nlowest = 1\n", "floor.lowest", id="unknown field of the floor"),
        pytest.param(
            "none = { team", 'none = { boss = "x", team', "categories.none.boss", id="unknown field of a category"
        ),
        pytest.param(
            "[ratings]\n",
            '[ratings]\nurgent = { act_within_hours = 2, meaning = "?" }\n',
            "ratings.urgent",
            id="rating",
        ),
        pytest.param(
            SEVERE, SEVERE.replace('"critical"', '"urgent"'), "table.severe.active", id="a rating nobody knows"
        ),
        pytest.param(
            SEVERE, SEVERE.replace("active", "imminent"), "table.severe.imminent", id="a proximity nobody knows"
        ),
        pytest.param(
            "act_within_hours = 1,", "act_within_hours = 0,", "ratings.critical.act_within_hours", id="no time"
        ),
        pytest.param(
            "act_within_hours = 1,", "act_within_hours = 1.5,", "ratings.critical.act_within_hours", id="a fraction"
        ),
        pytest.param(
            "act_within_hours = 1,", 'act_within_hours = "1",', "ratings.critical.act_within_hours", id="text"
        ),
        pytest.param('"STATEMENT_CATEGORY_SELF_HARM"', '"SELF_HARM"', "categories.self_harm.dsa", id="no DSA code"),
        pytest.param(
            'person_from = "critical"', 'person_from = "urgent"', "child_safety.person_from", id="a person from when"
        ),
        pytest.param('"government", ', '"neighbours", ', "floor.sources", id="a source nobody knows"),
        pytest.param(
            'sources = ["government", "law_enforcement", "legal", "press"]',
            "sources = []",
            "floor.sources",
            id="no source",
        ),
        pytest.param(VERSION, "version = 1.1", "version", id="a number as version"),
        pytest.param(VERSION, 'version = "1.1"', "version", id="two numbers as version"),
        pytest.param('"America/Bogota"', '"America/Macondo"', "calendars.bogota", id="a zone nobody knows"),
        pytest.param('"BR-SP"', '"BR-XX"', "calendars.sao_paulo", id="a place without known holidays"),
        pytest.param('markets = ["BR"]', 'markets = ["br"]', "routing.1.markets", id="a market nobody knows"),
        pytest.param('24, clock = "team"', '24, clock = "sun"', "ratings.medium.clock", id="a clock nobody knows"),
    ],
)
def test_a_policy_with_a_value_that_cannot_be_is_refused_and_the_place_is_named(
    tmp_path: Path, old: str, new: str, place: str
) -> None:
    path = edited(tmp_path, old, new)

    message = refusal(path)

    assert str(path) in message
    assert place in message


def test_every_gap_is_told_at_once(tmp_path: Path) -> None:
    text = (
        SHIPPED_POLICY.read_text(encoding="utf-8").replace(CRITICAL, "").replace('none = { team = "user_support" }', "")
    )
    path = tmp_path / "changed.toml"
    path.write_text(text, encoding="utf-8")

    message = refusal(path)

    assert "ratings.critical" in message
    assert "categories.none" in message


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"version = ", id="broken off"),
        pytest.param(b'version = "1.0"\nversion = "1.1"\n', id="a key twice"),
        pytest.param(b'version = "\xff"', id="not UTF-8"),
        pytest.param(b"", id="empty"),
        pytest.param(b'{"version": "1.0"}', id="JSON"),
    ],
)
def test_a_file_that_is_no_policy_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "policy.toml"
    path.write_bytes(content)

    assert str(path) in refusal(path)


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "nowhere.toml"

    assert str(path) in refusal(path)


def test_a_folder_is_refused_by_name(tmp_path: Path) -> None:
    assert str(tmp_path) in refusal(tmp_path)
