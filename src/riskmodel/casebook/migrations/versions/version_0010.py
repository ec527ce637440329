"""Incidents and campaigns whose members are forgotten count down by themselves.

Written out by hand: this step stays as it is when the tables go on.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

IS_STALE = "stale"
_COUNTS = (
    ("incident_members", "incidents", "incident", ", stale = {true}"),
    ("campaign_members", "campaigns", "campaign", ""),
)


def upgrade() -> None:
    """Add the column, its index and the triggers."""
    sqlite = op.get_context().dialect.name == "sqlite"
    op.add_column("incidents", sa.Column("stale", sa.Boolean, nullable=False, server_default=sa.false()))
    where = sa.text(IS_STALE)
    op.create_index("ix_incidents_stale", "incidents", ["number"], sqlite_where=where, postgresql_where=where)
    for members, table, column, more in _COUNTS:
        change = f"UPDATE {table} SET reports = reports - 1{more.format(true='1' if sqlite else 'true')}"
        name, when = f"{members}_count_down", f"WHERE number = OLD.{column};"
        if sqlite:
            op.execute(f"CREATE TRIGGER {name} AFTER DELETE ON {members} BEGIN {change} {when} END")
            continue
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {change} {when} RETURN OLD; END $$"
        )
        op.execute(f"CREATE TRIGGER {name} AFTER DELETE ON {members} FOR EACH ROW EXECUTE FUNCTION {name}()")
