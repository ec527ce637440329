"""Who reported and how far they can be trusted, and the vector of each text.

Written out by hand: this step stays as it is when the tables go on.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the columns and make the table."""
    sqlite = op.get_context().dialect.name == "sqlite"
    number = sa.Integer() if sqlite else sa.BigInteger()
    op.add_column("escalations", sa.Column("reliability", sa.Text))
    op.add_column("escalations", sa.Column("credibility", sa.SmallInteger))
    op.add_column("escalations", sa.Column("reporter", sa.Text))
    op.create_table(
        "vectors",
        sa.Column("assessment", number, primary_key=True, autoincrement=False),
        sa.Column("escalation", sa.BigInteger, nullable=False),
        sa.Column("model_version", sa.Text, nullable=False),
        sa.Column("vector", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(
            ["assessment"], ["assessments.number"], name="fk_vectors_assessment", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_vectors_escalation", "vectors", ["escalation"])
