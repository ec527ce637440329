"""Links that let people act without an account; hand-offs, and what happened to each, which cannot be changed.

Written out by hand: this step stays as it is when the tables go on.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

REFUSAL = "What happened to a hand-off is appended, never changed."


def upgrade() -> None:
    """Make the tables."""
    sqlite = op.get_context().dialect.name == "sqlite"
    number = sa.Integer() if sqlite else sa.BigInteger()
    moment: sa.types.TypeEngine[Any] = sa.BigInteger() if sqlite else sa.DateTime(timezone=True)
    _make_links(number, moment)
    _make_handoffs(number, moment)
    _make_events(number, moment)
    for statement in _sqlite_triggers() if sqlite else _postgresql_triggers():
        op.execute(statement)


def _make_links(number: sa.types.TypeEngine[int], moment: sa.types.TypeEngine[Any]) -> None:
    op.create_table(
        "links",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("subject", sa.BigInteger, nullable=False),
        sa.Column("escalation", sa.BigInteger),
        sa.Column("made_at", moment, nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        _to("escalations", "escalation", "links"),
        sa.UniqueConstraint("hash", name="uq_links_hash"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_links_purpose_subject", "links", ["purpose", "subject"])
    op.create_index("ix_links_escalation", "links", ["escalation"])


def _make_handoffs(number: sa.types.TypeEngine[int], moment: sa.types.TypeEngine[Any]) -> None:
    op.create_table(
        "handoffs",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("escalation", sa.BigInteger, nullable=False),
        sa.Column("assessment", sa.BigInteger, nullable=False),
        sa.Column("verdict", sa.BigInteger),
        sa.Column("team", sa.Text, nullable=False),
        sa.Column("rating", sa.Text, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("market", sa.Text),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("opened_at", moment, nullable=False),
        sa.Column("opened_by", sa.Text),
        sa.Column("follows", sa.BigInteger),
        sa.Column("act_by", moment, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("acknowledged_at", moment),
        sa.Column("ended_at", moment),
        sa.Column("actions", sa.Text),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        _to("escalations", "escalation", "handoffs"),
        _to("assessments", "assessment", "handoffs"),
        _to("verdicts", "verdict", "handoffs"),
        _to("handoffs", "follows", "handoffs"),
        sqlite_autoincrement=True,
    )
    for columns in (
        ["escalation"],
        ["assessment"],
        ["verdict"],
        ["follows"],
        ["team", "number"],
        ["state", "act_by"],
    ):
        op.create_index(f"ix_handoffs_{'_'.join(columns)}", "handoffs", columns)
    where = sa.text("state IN ('open', 'acknowledged')")
    op.create_index(
        "ix_handoffs_with_team",
        "handoffs",
        ["escalation", "team"],
        unique=True,
        sqlite_where=where,
        postgresql_where=where,
    )


def _make_events(number: sa.types.TypeEngine[int], moment: sa.types.TypeEngine[Any]) -> None:
    op.create_table(
        "handoff_events",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("handoff", sa.BigInteger, nullable=False),
        sa.Column("escalation", sa.BigInteger, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("actor", sa.Text),
        sa.Column("way", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("actions", sa.Text),
        sa.Column("note", sa.Text, nullable=False),
        _to("handoffs", "handoff", "handoff_events"),
        _to("escalations", "escalation", "handoff_events"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_handoff_events_handoff_number", "handoff_events", ["handoff", "number"])
    op.create_index("ix_handoff_events_escalation", "handoff_events", ["escalation"])


def _to(table: str, column: str, within: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{table}.number"], name=f"fk_{within}_{column}", ondelete="CASCADE")


def _sqlite_triggers() -> list[str]:
    return [
        "CREATE TRIGGER handoff_events_refuse_update BEFORE UPDATE ON handoff_events "
        f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
        "CREATE TRIGGER handoff_events_refuse_delete BEFORE DELETE ON handoff_events "
        "WHEN EXISTS (SELECT 1 FROM escalations WHERE number = OLD.escalation) "
        f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
    ]


def _postgresql_triggers() -> list[str]:
    return [
        "CREATE FUNCTION handoff_events_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$",
        "CREATE FUNCTION handoff_events_refuse_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF EXISTS (SELECT 1 FROM escalations WHERE number = OLD.escalation) THEN "
        f"RAISE EXCEPTION '{REFUSAL}'; END IF; RETURN OLD; END $$",
        "CREATE TRIGGER handoff_events_refuse_change BEFORE UPDATE OR TRUNCATE ON handoff_events "
        "FOR EACH STATEMENT EXECUTE FUNCTION handoff_events_refuse()",
        "CREATE TRIGGER handoff_events_refuse_delete BEFORE DELETE ON handoff_events "
        "FOR EACH ROW EXECUTE FUNCTION handoff_events_refuse_delete()",
    ]
