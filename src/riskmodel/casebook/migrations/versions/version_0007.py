"""Incidents and campaigns: what belongs together, why, and a timeline that cannot be changed.

Written out by hand: this step stays as it is when the tables go on.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

REFUSAL = "The timeline of an incident is appended to, never changed."


def upgrade() -> None:
    """Make the tables."""
    sqlite = op.get_context().dialect.name == "sqlite"
    number = sa.Integer() if sqlite else sa.BigInteger()
    moment: sa.types.TypeEngine[Any] = sa.BigInteger() if sqlite else sa.DateTime(timezone=True)
    op.add_column("reviews", sa.Column("sources", sa.Integer, nullable=False, server_default="1"))
    _make_signals()
    _make_incidents(number, moment)
    _make_members(moment)
    _make_events(number, moment)
    _make_campaigns(number, moment)
    op.create_table(
        "positions",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("escalation", sa.BigInteger, nullable=False),
        sa.Column("holder", sa.Text),
        sa.Column("held_until", moment),
    )
    op.create_table(
        "spaces",
        sa.Column("model_version", sa.Text, primary_key=True),
        sa.Column("mean", sa.LargeBinary, nullable=False),
        sa.Column("matrix", sa.LargeBinary, nullable=False),
    )
    for statement in _sqlite_triggers() if sqlite else _postgresql_triggers():
        op.execute(statement)


def _to(table: str, parent: str, column: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}"
    return sa.ForeignKeyConstraint([column], [f"{parent}.number"], name=name, ondelete="CASCADE")


def _make_signals() -> None:
    op.create_table(
        "signals",
        sa.Column("escalation", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("value", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        _to("signals", "escalations", "escalation"),
    )
    op.create_index("ix_signals_value_escalation", "signals", ["value", "escalation"])


def _make_incidents(number: sa.types.TypeEngine[int], moment: sa.types.TypeEngine[Any]) -> None:
    op.create_table(
        "incidents",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("name", sa.Text),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("rating", sa.Text, nullable=False),
        sa.Column("reports", sa.Integer, nullable=False),
        sa.Column("sources", sa.Integer, nullable=False),
        sa.Column("opened_at", moment, nullable=False),
        sa.Column("first_at", moment, nullable=False),
        sa.Column("last_at", moment, nullable=False),
        sa.Column("merged_into", sa.BigInteger),
        _to("incidents", "incidents", "merged_into"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_incidents_last_at_number", "incidents", ["last_at", "number"])
    op.create_index("ix_incidents_merged_into", "incidents", ["merged_into"])


def _make_members(moment: sa.types.TypeEngine[Any]) -> None:
    op.create_table(
        "incident_members",
        sa.Column("escalation", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("incident", sa.BigInteger, nullable=False),
        sa.Column("joined_at", moment, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        _to("incident_members", "escalations", "escalation"),
        _to("incident_members", "incidents", "incident"),
    )
    op.create_index("ix_incident_members_incident_escalation", "incident_members", ["incident", "escalation"])
    op.create_table(
        "incident_bars",
        sa.Column("escalation", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("incident", sa.BigInteger, primary_key=True, autoincrement=False),
        _to("incident_bars", "escalations", "escalation"),
        _to("incident_bars", "incidents", "incident"),
    )
    op.create_index("ix_incident_bars_incident", "incident_bars", ["incident"])


def _make_events(number: sa.types.TypeEngine[int], moment: sa.types.TypeEngine[Any]) -> None:
    op.create_table(
        "incident_events",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("incident", sa.BigInteger, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("escalation", sa.BigInteger),
        sa.Column("other", sa.BigInteger),
        sa.Column("evidence", sa.Text, nullable=False),
        _to("incident_events", "incidents", "incident"),
        _to("incident_events", "escalations", "escalation"),
        _to("incident_events", "escalations", "other"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_incident_events_incident_number", "incident_events", ["incident", "number"])
    op.create_index("ix_incident_events_escalation", "incident_events", ["escalation"])
    op.create_index("ix_incident_events_other", "incident_events", ["other"])


def _make_campaigns(number: sa.types.TypeEngine[int], moment: sa.types.TypeEngine[Any]) -> None:
    op.create_table(
        "campaigns",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("reports", sa.Integer, nullable=False),
        sa.Column("seen", sa.Integer, nullable=False),
        sa.Column("expected", sa.Double, nullable=False),
        sa.Column("chance", sa.Double, nullable=False),
        sa.Column("opened_at", moment, nullable=False),
        sa.Column("first_at", moment, nullable=False),
        sa.Column("last_at", moment, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_campaigns_last_at_number", "campaigns", ["last_at", "number"])
    op.create_table(
        "campaign_members",
        sa.Column("escalation", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("campaign", sa.BigInteger, nullable=False),
        _to("campaign_members", "escalations", "escalation"),
        _to("campaign_members", "campaigns", "campaign"),
    )
    op.create_index("ix_campaign_members_campaign_escalation", "campaign_members", ["campaign", "escalation"])


_STAYS = (
    "EXISTS (SELECT 1 FROM incidents WHERE number = OLD.incident) "
    "AND (OLD.escalation IS NULL OR EXISTS (SELECT 1 FROM escalations WHERE number = OLD.escalation)) "
    "AND (OLD.other IS NULL OR EXISTS (SELECT 1 FROM escalations WHERE number = OLD.other))"
)


def _sqlite_triggers() -> list[str]:
    return [
        "CREATE TRIGGER incident_events_refuse_update BEFORE UPDATE ON incident_events "
        f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
        "CREATE TRIGGER incident_events_refuse_delete BEFORE DELETE ON incident_events "
        f"WHEN {_STAYS} BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
    ]


def _postgresql_triggers() -> list[str]:
    return [
        "CREATE FUNCTION incident_events_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$",
        "CREATE FUNCTION incident_events_refuse_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF {_STAYS} THEN RAISE EXCEPTION '{REFUSAL}'; END IF; RETURN OLD; END $$",
        "CREATE TRIGGER incident_events_refuse_change BEFORE UPDATE OR TRUNCATE ON incident_events "
        "FOR EACH STATEMENT EXECUTE FUNCTION incident_events_refuse()",
        "CREATE TRIGGER incident_events_refuse_delete BEFORE DELETE ON incident_events "
        "FOR EACH ROW EXECUTE FUNCTION incident_events_refuse_delete()",
    ]
