"""Nothing in; the tables of incidents and campaigns out: what belongs together, why, and what people said of it."""

import sqlalchemy as sa

from riskmodel.casebook.tables import METADATA, UtcTime, number_column

# What a text names that others may name too, such as a handle; one row for each value of an escalation.
SIGNALS = sa.Table(
    "signals",
    METADATA,
    sa.Column("escalation", sa.BigInteger, sa.ForeignKey("escalations.number", ondelete="CASCADE"), primary_key=True),
    sa.Column("value", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Index(None, "value", "escalation"),
)

# Reports about one event. What follows from its members is kept with it and made anew whenever they change.
INCIDENTS = sa.Table(
    "incidents",
    METADATA,
    number_column(),
    sa.Column("name", sa.Text),
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("rating", sa.Text, nullable=False),
    sa.Column("reports", sa.Integer, nullable=False),
    sa.Column("sources", sa.Integer, nullable=False),
    sa.Column("opened_at", UtcTime, nullable=False),
    sa.Column("first_at", UtcTime, nullable=False),
    sa.Column("last_at", UtcTime, nullable=False),
    sa.Column("merged_into", sa.BigInteger, sa.ForeignKey("incidents.number", ondelete="CASCADE")),
    sa.Column("stale", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Index(None, "last_at", "number"),
    sa.Index(None, "merged_into"),
    sqlite_autoincrement=True,
)
# A trigger counts down and says so when a member is forgotten; the joiner then makes anew what followed from it.
IS_STALE = "stale"
sa.Index(
    "ix_incidents_stale",
    INCIDENTS.c.number,
    sqlite_where=sa.text(IS_STALE),
    postgresql_where=sa.text(IS_STALE),
)

# An escalation is in one incident at most.
INCIDENT_MEMBERS = sa.Table(
    "incident_members",
    METADATA,
    sa.Column(
        "escalation",
        sa.BigInteger,
        sa.ForeignKey("escalations.number", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    sa.Column("incident", sa.BigInteger, sa.ForeignKey("incidents.number", ondelete="CASCADE"), nullable=False),
    sa.Column("joined_at", UtcTime, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Index(None, "incident", "escalation"),
)

# What a person took out of an incident, which nobody but a person may put back.
INCIDENT_BARS = sa.Table(
    "incident_bars",
    METADATA,
    sa.Column("escalation", sa.BigInteger, sa.ForeignKey("escalations.number", ondelete="CASCADE"), primary_key=True),
    sa.Column("incident", sa.BigInteger, sa.ForeignKey("incidents.number", ondelete="CASCADE"), primary_key=True),
    sa.Index(None, "incident"),
)

# The timeline; triggers refuse to change a row, or to delete one while its incident and escalations are there.
INCIDENT_EVENTS = sa.Table(
    "incident_events",
    METADATA,
    number_column(),
    sa.Column("incident", sa.BigInteger, sa.ForeignKey("incidents.number", ondelete="CASCADE"), nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("escalation", sa.BigInteger, sa.ForeignKey("escalations.number", ondelete="CASCADE")),
    sa.Column("other", sa.BigInteger, sa.ForeignKey("escalations.number", ondelete="CASCADE")),
    sa.Column("evidence", sa.Text, nullable=False),
    sa.Index(None, "incident", "number"),
    sa.Index(None, "escalation"),
    sa.Index(None, "other"),
    sqlite_autoincrement=True,
)

# Many alike in a short time: more than chance explains.
CAMPAIGNS = sa.Table(
    "campaigns",
    METADATA,
    number_column(),
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("reports", sa.Integer, nullable=False),
    sa.Column("seen", sa.Integer, nullable=False),
    sa.Column("expected", sa.Double, nullable=False),
    sa.Column("chance", sa.Double, nullable=False),
    sa.Column("opened_at", UtcTime, nullable=False),
    sa.Column("first_at", UtcTime, nullable=False),
    sa.Column("last_at", UtcTime, nullable=False),
    sa.Index(None, "last_at", "number"),
    sqlite_autoincrement=True,
)

# An escalation is in one campaign at most.
CAMPAIGN_MEMBERS = sa.Table(
    "campaign_members",
    METADATA,
    sa.Column(
        "escalation",
        sa.BigInteger,
        sa.ForeignKey("escalations.number", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    sa.Column("campaign", sa.BigInteger, sa.ForeignKey("campaigns.number", ondelete="CASCADE"), nullable=False),
    sa.Index(None, "campaign", "escalation"),
)

# How far something that works through all escalations has come, and which process does it now.
POSITIONS = sa.Table(
    "positions",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("escalation", sa.BigInteger, nullable=False),
    sa.Column("holder", sa.Text),
    sa.Column("held_until", UtcTime),
)

# Where the texts of a model version are compared: what makes its vectors spread alike (float32, little-endian).
SPACES = sa.Table(
    "spaces",
    METADATA,
    sa.Column("model_version", sa.Text, primary_key=True),
    sa.Column("mean", sa.LargeBinary, nullable=False),
    sa.Column("matrix", sa.LargeBinary, nullable=False),
)
