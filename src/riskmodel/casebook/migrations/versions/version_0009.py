"""An index that holds all that a report counts of a hand-off.

Written out by hand: this step stays as it is when the tables go on.
"""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the index."""
    columns = ["opened_at", "number", "team", "rating", "category", "market", "language", "act_by"]
    op.create_index("ix_handoffs_opened_at_counted", "handoffs", columns)
