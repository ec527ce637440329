"""Incidents: reports about one event, joined by what they share; and campaigns, many alike in a short time.

Synchronous: call it from threads.
"""

from riskmodel.casework.incidents.editing import Editing
from riskmodel.casework.incidents.independence import MOST_SOURCES
from riskmodel.casework.incidents.joining import Joiner
from riskmodel.casework.incidents.kept_spaces import KeptSpaces
from riskmodel.casework.incidents.reading import Incidents
from riskmodel.casework.incidents.records import (
    Campaign,
    CampaignCase,
    CampaignPage,
    EditError,
    Event,
    Evidence,
    Filters,
    Incident,
    IncidentCase,
    IncidentPage,
    Member,
    Shared,
    UnknownIncidentError,
)

__all__ = [
    "MOST_SOURCES",
    "Campaign",
    "CampaignCase",
    "CampaignPage",
    "EditError",
    "Editing",
    "Event",
    "Evidence",
    "Filters",
    "Incident",
    "IncidentCase",
    "IncidentPage",
    "Incidents",
    "Joiner",
    "KeptSpaces",
    "Member",
    "Shared",
    "UnknownIncidentError",
]
