"""What is asked and answered, and how far the time of each open thing has gone.

Written out by hand: this step stays as it is when the tables go on.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the column and make the tables."""
    sqlite = op.get_context().dialect.name == "sqlite"
    number = sa.Integer() if sqlite else sa.BigInteger()
    moment: sa.types.TypeEngine[Any] = sa.BigInteger() if sqlite else sa.DateTime(timezone=True)
    op.add_column("assessments", sa.Column("learnt", sa.Text))
    _make_questions(number, moment)
    _make_clocks(number, moment)


def _make_questions(number: sa.types.TypeEngine[int], moment: sa.types.TypeEngine[Any]) -> None:
    op.create_table(
        "questions",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("escalation", sa.BigInteger, nullable=False),
        sa.Column("asked_by", sa.Text, nullable=False),
        sa.Column("asked_at", moment, nullable=False),
        sa.Column("due_at", moment, nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        sa.Column("destination", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("as_written", sa.Boolean, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("ended_at", moment),
        _goes_with("questions", "escalation", "escalations"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_questions_escalation_number", "questions", ["escalation", "number"])
    op.create_index("ix_questions_state_number", "questions", ["state", "number"])
    op.create_table(
        "answers",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("question", sa.BigInteger, nullable=False),
        sa.Column("answered_at", moment, nullable=False),
        sa.Column("via", sa.Text, nullable=False),
        sa.Column("sender", sa.Text),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("review", sa.BigInteger),
        _goes_with("answers", "question", "questions"),
        sa.UniqueConstraint("question", "digest", name="uq_answers_question_digest"),
        sqlite_autoincrement=True,
    )


def _make_clocks(number: sa.types.TypeEngine[int], moment: sa.types.TypeEngine[Any]) -> None:
    op.create_table(
        "clocks",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.BigInteger, nullable=False),
        sa.Column("escalation", sa.BigInteger, nullable=False),
        sa.Column("act_by", moment, nullable=False),
        sa.Column("share", sa.Double, nullable=False),
        sa.Column("rank", sa.Text),
        sa.Column("next_at", moment),
        _goes_with("clocks", "escalation", "escalations"),
        sa.UniqueConstraint("kind", "subject", name="uq_clocks_kind_subject"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_clocks_escalation", "clocks", ["escalation"])
    running = sa.text("next_at IS NOT NULL")
    op.create_index("ix_clocks_running", "clocks", ["next_at"], sqlite_where=running, postgresql_where=running)
    op.create_table(
        "reminders",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("clock", sa.BigInteger, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("act_by", moment, nullable=False),
        sa.Column("share", sa.Double, nullable=False),
        sa.Column("rank", sa.Text, nullable=False),
        sa.Column("destination", sa.Text, nullable=False),
        sa.Column("batch", sa.BigInteger),
        _goes_with("reminders", "clock", "clocks"),
        sa.UniqueConstraint("clock", "act_by", "share", name="uq_reminders_clock_act_by_share"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_reminders_at", "reminders", ["at"])


def _goes_with(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.number"], name=f"fk_{table}_{column}", ondelete="CASCADE")
