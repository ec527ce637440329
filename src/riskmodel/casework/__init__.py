"""From a rating to a mitigated risk: what is handed over and asked, and how it reaches those who act.

Synchronous: call it from threads.
"""

from riskmodel.casework.again import Again, Learnt
from riskmodel.casework.automatic import Automatic
from riskmodel.casework.board import Board, Boards, Place
from riskmodel.casework.contacts import Contacts, Team, load_contacts
from riskmodel.casework.courier import Courier
from riskmodel.casework.deadlines import Deadlines, Reminder
from riskmodel.casework.delivery import Channel, NewMessage, Schedule
from riskmodel.casework.email import Emails
from riskmodel.casework.handoff_records import (
    ACTIONS,
    STATES,
    Actor,
    Handoff,
    HandoffError,
    HandoffFilters,
    HandoffPage,
    HandoffStateError,
    Listed,
    Offer,
    UnknownHandoffError,
    WholeHandoff,
)
from riskmodel.casework.handoffs import Handoffs
from riskmodel.casework.links import UnknownLinkError
from riskmodel.casework.outbox import Attempt, Message, Outbox, UnknownMessageError, put, withdraw
from riskmodel.casework.questions import (
    Answer,
    ClosedQuestionError,
    NewAnswer,
    NewQuestion,
    Question,
    QuestionError,
    Questions,
    UnknownQuestionError,
)
from riskmodel.casework.signing import SignatureError, sign, verify
from riskmodel.casework.webhook import Webhooks

__all__ = [
    "ACTIONS",
    "STATES",
    "Actor",
    "Again",
    "Answer",
    "Attempt",
    "Automatic",
    "Board",
    "Boards",
    "Channel",
    "ClosedQuestionError",
    "Contacts",
    "Courier",
    "Deadlines",
    "Emails",
    "Handoff",
    "HandoffError",
    "HandoffFilters",
    "HandoffPage",
    "HandoffStateError",
    "Handoffs",
    "Learnt",
    "Listed",
    "Message",
    "NewAnswer",
    "NewMessage",
    "NewQuestion",
    "Offer",
    "Outbox",
    "Place",
    "Question",
    "QuestionError",
    "Questions",
    "Reminder",
    "Schedule",
    "SignatureError",
    "Team",
    "UnknownHandoffError",
    "UnknownLinkError",
    "UnknownMessageError",
    "UnknownQuestionError",
    "Webhooks",
    "WholeHandoff",
    "load_contacts",
    "put",
    "sign",
    "verify",
    "withdraw",
]
