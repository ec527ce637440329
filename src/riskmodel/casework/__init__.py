"""From a rating to a mitigated risk: what is handed over and asked, and how it reaches those who act.

Synchronous: call it from threads.
"""

from riskmodel.casework.contacts import Contacts, Team, load_contacts
from riskmodel.casework.courier import Courier
from riskmodel.casework.delivery import Channel, NewMessage, Schedule
from riskmodel.casework.email import Emails
from riskmodel.casework.outbox import Attempt, Message, Outbox, UnknownMessageError, put, withdraw
from riskmodel.casework.signing import SignatureError, sign, verify
from riskmodel.casework.webhook import Webhooks

__all__ = [
    "Attempt",
    "Channel",
    "Contacts",
    "Courier",
    "Emails",
    "Message",
    "NewMessage",
    "Outbox",
    "Schedule",
    "SignatureError",
    "Team",
    "UnknownMessageError",
    "Webhooks",
    "load_contacts",
    "put",
    "sign",
    "verify",
    "withdraw",
]
