"""The casebook: every escalation that was answered, with its assessments; the keys; and who did what.

SQLite in a file by default, PostgreSQL by its URL. Synchronous: call it from threads.
"""

from riskmodel.casebook import incident_tables  # noqa: F401  so that METADATA is whole wherever it is used
from riskmodel.casebook.audit import AuditEntry, AuditEvent, Trail
from riskmodel.casebook.cases import Casebook, open_casebook
from riskmodel.casebook.keys import ROLES, Key, KeyRing, NewKey, Role
from riskmodel.casebook.opening import Migrated, migrate_database
from riskmodel.casebook.paging import Filters, Page
from riskmodel.casebook.records import (
    GOLDEN_CLIENT,
    AmbiguousCaseError,
    Case,
    Conflict,
    CursorError,
    Found,
    KeptAssessment,
    Rated,
    Sent,
    UnknownCaseError,
    digest_of,
)
from riskmodel.casebook.vectors import packed, unpacked

__all__ = [
    "GOLDEN_CLIENT",
    "ROLES",
    "AmbiguousCaseError",
    "AuditEntry",
    "AuditEvent",
    "Case",
    "Casebook",
    "Conflict",
    "CursorError",
    "Filters",
    "Found",
    "KeptAssessment",
    "Key",
    "KeyRing",
    "Migrated",
    "NewKey",
    "Page",
    "Rated",
    "Role",
    "Sent",
    "Trail",
    "UnknownCaseError",
    "digest_of",
    "migrate_database",
    "open_casebook",
    "packed",
    "unpacked",
]
