"""Reports and their schedules; and two indexes that hold all that is counted of a case, in place of two narrower ones.

Written out by hand: this step stays as it is when the tables go on.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

REFUSAL = "Reports are appended, never changed."


def upgrade() -> None:
    """Make the tables and the indexes."""
    sqlite = op.get_context().dialect.name == "sqlite"
    number = sa.Integer() if sqlite else sa.BigInteger()
    moment: sa.types.TypeEngine[Any] = sa.BigInteger() if sqlite else sa.DateTime(timezone=True)
    _widen_indexes()
    _make_schedules(number, moment)
    _make_reports(number, moment)
    for statement in _sqlite_triggers() if sqlite else _postgresql_triggers():
        op.execute(statement)


def _widen_indexes() -> None:
    op.drop_index("ix_escalations_kept_at_number", "escalations")
    told = ["kept_at", "number", "client", "source", "market", "received_at"]
    op.create_index("ix_escalations_kept_at_counted", "escalations", told)
    op.drop_index("ix_assessments_escalation_number", "assessments")
    said = ["escalation", "number", "rating", "language", "category", "team", "route", "act_by"]
    op.create_index("ix_assessments_escalation_counted", "assessments", [*said, "model_version", "policy_version"])


def _make_schedules(number: sa.types.TypeEngine[int], moment: sa.types.TypeEngine[Any]) -> None:
    op.create_table(
        "report_schedules",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("made_at", moment, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("every", sa.Text, nullable=False),
        sa.Column("on_day", sa.SmallInteger),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("market", sa.Text),
        sa.Column("language", sa.Text),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("format", sa.Text, nullable=False),
        sa.Column("recipients", sa.Text, nullable=False),
        sa.Column("ended_at", moment),
        sa.Column("ended_by", sa.Text),
        sqlite_autoincrement=True,
    )


def _make_reports(number: sa.types.TypeEngine[int], moment: sa.types.TypeEngine[Any]) -> None:
    op.create_table(
        "reports",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("made_at", moment, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("first_day", sa.Text, nullable=False),
        sa.Column("last_day", sa.Text, nullable=False),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("market", sa.Text),
        sa.Column("language", sa.Text),
        sa.Column("numbers", sa.Text, nullable=False),
        sa.Column("versions", sa.Text, nullable=False),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("figures", sa.Text, nullable=False),
        sa.Column("schedule", sa.BigInteger),
        sa.Column("due_at", moment),
        sa.ForeignKeyConstraint(["schedule"], ["report_schedules.number"], name="fk_reports_schedule"),
        sa.UniqueConstraint("id", name="uq_reports_id"),
        sa.UniqueConstraint("schedule", "due_at", name="uq_reports_schedule_due_at"),
        sqlite_autoincrement=True,
    )


def _sqlite_triggers() -> list[str]:
    return [
        f"CREATE TRIGGER reports_refuse_update BEFORE UPDATE ON reports BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    ]


def _postgresql_triggers() -> list[str]:
    return [
        "CREATE FUNCTION reports_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$",
        "CREATE TRIGGER reports_refuse_change BEFORE UPDATE OR TRUNCATE ON reports "
        "FOR EACH STATEMENT EXECUTE FUNCTION reports_refuse()",
    ]
