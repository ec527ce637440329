"""The first tables: escalations, assessments, keys, and an audit trail that cannot be changed.

Written out by hand: this step stays as it is when the tables go on.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

REFUSAL = "The audit trail is appended to, never changed."


def upgrade() -> None:
    """Make the tables."""
    sqlite = op.get_context().dialect.name == "sqlite"
    number = sa.Integer() if sqlite else sa.BigInteger()
    moment: sa.types.TypeEngine[Any] = sa.BigInteger() if sqlite else sa.DateTime(timezone=True)
    _make_escalations(number, moment)
    _make_assessments(number, moment)
    _make_keys(moment)
    _make_audit(number, moment)
    for statement in _sqlite_triggers() if sqlite else _postgresql_triggers():
        op.execute(statement)


def _make_escalations(number: sa.types.TypeEngine[int], moment: sa.types.TypeEngine[Any]) -> None:
    op.create_table(
        "escalations",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("idempotency_key", sa.Text),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("request_id", sa.Text),
        sa.Column("key_id", sa.Text),
        sa.Column("received_at", moment, nullable=False),
        sa.Column("kept_at", moment, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("source", sa.Text),
        sa.Column("market", sa.Text),
        sa.UniqueConstraint("id", "client", name="uq_escalations_id_client"),
        sa.UniqueConstraint("idempotency_key", "client", name="uq_escalations_idempotency_key_client"),
        sqlite_autoincrement=True,
    )
    for column in ("client", "source", "market", "kept_at"):
        op.create_index(f"ix_escalations_{column}_number", "escalations", [column, "number"])


def _make_assessments(number: sa.types.TypeEngine[int], moment: sa.types.TypeEngine[Any]) -> None:
    op.create_table(
        "assessments",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("escalation", sa.BigInteger, nullable=False),
        sa.Column("assessed_at", moment, nullable=False),
        sa.Column("model_version", sa.Text, nullable=False),
        sa.Column("policy_version", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("rating", sa.Text, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("team", sa.Text, nullable=False),
        sa.Column("route", sa.Text, nullable=False),
        sa.Column("confidence", sa.Double, nullable=False),
        sa.Column("act_by", moment, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(
            ["escalation"], ["escalations.number"], name="fk_assessments_escalation", ondelete="CASCADE"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_assessments_escalation_number", "assessments", ["escalation", "number"])
    for column in ("rating", "language", "category", "team", "route", "model_version"):
        op.create_index(f"ix_assessments_{column}_escalation", "assessments", [column, "escalation"])


def _make_keys(moment: sa.types.TypeEngine[Any]) -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("expires_at", moment),
        sa.Column("last_used_at", moment),
        sa.Column("revoked_at", moment),
    )


def _make_audit(number: sa.types.TypeEngine[int], moment: sa.types.TypeEngine[Any]) -> None:
    op.create_table(
        "audit",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("at", moment, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("key_id", sa.Text),
        sa.Column("role", sa.Text),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text),
        sqlite_autoincrement=True,
    )


def _sqlite_triggers() -> list[str]:
    return [
        f"CREATE TRIGGER audit_refuses_{change.lower()} BEFORE {change} ON audit "
        f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        for change in ("UPDATE", "DELETE")
    ]


def _postgresql_triggers() -> list[str]:
    return [
        "CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$",
        "CREATE TRIGGER audit_refuses_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
    ]
