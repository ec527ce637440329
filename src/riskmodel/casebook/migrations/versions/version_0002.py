"""What waits for a person, and what people decided; a verdict cannot be changed, and goes only with its escalation.

Written out by hand: this step stays as it is when the tables go on.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

REFUSAL = "Verdicts are appended, never changed."
IS_OPEN, IS_CLAIMED = "state <> 'decided'", "state = 'claimed'"
OPEN_COLUMNS = (
    "order_at",
    "number",
    "state",
    "language",
    "category",
    "source",
    "market",
    "rating",
    "purpose",
    "reasons",
    "analyst",
)


def upgrade() -> None:
    """Make the tables."""
    sqlite = op.get_context().dialect.name == "sqlite"
    number = sa.Integer() if sqlite else sa.BigInteger()
    moment: sa.types.TypeEngine[Any] = sa.BigInteger() if sqlite else sa.DateTime(timezone=True)
    _make_reviews(number, moment)
    _make_verdicts(number, moment)
    for statement in _sqlite_triggers() if sqlite else _postgresql_triggers():
        op.execute(statement)


def _make_reviews(number: sa.types.TypeEngine[int], moment: sa.types.TypeEngine[Any]) -> None:
    op.create_table(
        "reviews",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("escalation", sa.BigInteger, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("weight", sa.Double, nullable=False),
        sa.Column("known", sa.Text),
        sa.Column("text_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("source", sa.Text),
        sa.Column("market", sa.Text),
        sa.Column("rating", sa.Text, nullable=False),
        sa.Column("reasons", sa.Text, nullable=False),
        sa.Column("queued_at", moment, nullable=False),
        sa.Column("act_by", moment, nullable=False),
        sa.Column("harm", sa.Double, nullable=False),
        sa.Column("order_at", moment, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("analyst", sa.Text),
        sa.Column("assigned_at", moment),
        sa.Column("claimed_at", moment),
        sa.Column("heartbeat_at", moment),
        sa.Column("last_claim_at", moment),
        sa.Column("version", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(
            ["escalation"], ["escalations.number"], name="fk_reviews_escalation", ondelete="CASCADE"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_reviews_escalation", "reviews", ["escalation"])
    op.create_index("ix_reviews_purpose_escalation", "reviews", ["purpose", "escalation"])
    op.create_index("ix_reviews_text_digest_number", "reviews", ["text_digest", "number"])
    for name, columns, condition in (
        ("ix_reviews_open", list(OPEN_COLUMNS), IS_OPEN),
        ("ix_reviews_claimed", ["heartbeat_at"], IS_CLAIMED),
    ):
        where = sa.text(condition)
        op.create_index(name, "reviews", columns, sqlite_where=where, postgresql_where=where)


def _make_verdicts(number: sa.types.TypeEngine[int], moment: sa.types.TypeEngine[Any]) -> None:
    op.create_table(
        "verdicts",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("review", sa.BigInteger, nullable=False),
        sa.Column("escalation", sa.BigInteger, nullable=False),
        sa.Column("assessment", sa.BigInteger, nullable=False),
        sa.Column("analyst", sa.Text, nullable=False),
        sa.Column("decided_at", moment, nullable=False),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("proximity", sa.Text, nullable=False),
        sa.Column("lifted", sa.Boolean, nullable=False),
        sa.Column("rating", sa.Text, nullable=False),
        sa.Column("categories", sa.Text, nullable=False),
        sa.Column("evidence", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("retracts", sa.BigInteger),
        sa.Column("client_token", sa.Text),
        sa.Column("model_version", sa.Text, nullable=False),
        sa.Column("policy_version", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("weight", sa.Double, nullable=False),
        *(
            sa.ForeignKeyConstraint([column], [f"{table}.number"], name=f"fk_verdicts_{column}", ondelete="CASCADE")
            for column, table in (
                ("review", "reviews"),
                ("escalation", "escalations"),
                ("assessment", "assessments"),
            )
        ),
        sa.UniqueConstraint("review", "analyst", "client_token", name="uq_verdicts_review_analyst_client_token"),
        sa.UniqueConstraint("retracts", name="uq_verdicts_retracts"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_verdicts_escalation_analyst", "verdicts", ["escalation", "analyst"])
    op.create_index("ix_verdicts_assessment", "verdicts", ["assessment"])


def _sqlite_triggers() -> list[str]:
    return [
        f"CREATE TRIGGER verdicts_refuse_update BEFORE UPDATE ON verdicts BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
        "CREATE TRIGGER verdicts_refuse_delete BEFORE DELETE ON verdicts "
        "WHEN EXISTS (SELECT 1 FROM escalations WHERE number = OLD.escalation) "
        f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
    ]


def _postgresql_triggers() -> list[str]:
    return [
        "CREATE FUNCTION verdicts_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$",
        "CREATE FUNCTION verdicts_refuse_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF EXISTS (SELECT 1 FROM escalations WHERE number = OLD.escalation) THEN "
        f"RAISE EXCEPTION '{REFUSAL}'; END IF; RETURN OLD; END $$",
        "CREATE TRIGGER verdicts_refuse_change BEFORE UPDATE OR TRUNCATE ON verdicts "
        "FOR EACH STATEMENT EXECUTE FUNCTION verdicts_refuse()",
        "CREATE TRIGGER verdicts_refuse_delete BEFORE DELETE ON verdicts "
        "FOR EACH ROW EXECUTE FUNCTION verdicts_refuse_delete()",
    ]
