"""What is asked or due in, the messages that say so out: for a webhook and for e-mail, in the receiver's language.

No message holds an escalation's text; what a person wrote into a question is masked unless that person said otherwise.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from riskmodel.casework.announcing import words, written
from riskmodel.casework.contacts import DESK, Contacts
from riskmodel.casework.delivery import Channel, NewMessage
from riskmodel.casework.due import REVIEW, Due
from riskmodel.catalogue import Catalogue
from riskmodel.policy import Rank
from riskmodel.redaction import redact

MOST_LISTED = 50  # things in one reminder
ANSWER_PATH = "/questions/t/"
BOARD_PATH = "/review/board"


def question(
    asked: Any, id_: str, channel: Channel, contacts: Contacts, token: str, *, batch: int | None = None
) -> NewMessage:
    """Return what asks a question, or asks it again as a reminder.

    Args:
        asked: the question's row.
        id_: what its client calls the escalation.
        channel: how it goes.
        contacts: where this desk is reached for an answer.
        token: that lets whoever has it answer.
        batch: of the reminder; None where it is asked for the first time.
    """
    link = None if contacts.base_url is None else f"{contacts.base_url}{ANSWER_PATH}{token}"
    text = out_text(asked)
    payload: dict[str, Any]
    if channel == "webhook":
        type_ = "question.asked" if batch is None else "question.reminded"
        data = {"number": asked.number, "escalation": id_, "text": text, "due_at": written(asked.due_at)}
        payload = {"type": type_, "data": data | {"answer_at": link}}
    else:
        payload = _question_by_email(asked, id_, text, contacts, token, link, reminded=batch is not None)
    kind, subject = ("question", asked.number) if batch is None else ("reminder", batch)
    return NewMessage(kind, subject, asked.escalation, channel, asked.destination, payload)


def out_text(asked: Any) -> str:
    """Return the text of a question as it leaves the desk: personal data masked, unless its asker said otherwise."""
    return str(asked.text) if asked.as_written else redact(asked.text)


def _question_by_email(
    asked: Any, id_: str, text: str, contacts: Contacts, token: str, link: str | None, *, reminded: bool
) -> dict[str, Any]:
    t, due, answers = words(asked.language), moment(asked.due_at), contacts.answers
    named = "" if answers is None else f"[q-{token}]"
    lines = [t("question.intro", id=id_), "", text, "", t("question.due", due=due)]
    lines += [] if link is None else [t("question.link", link=link)]
    lines += [] if answers is None else [t("question.reply")]
    lines += ["", t("question.secret")]
    key = "question.reminded" if reminded else "question.subject"
    subject = t(key, number=asked.number, due=due, token=named).strip()
    reply = {} if answers is None else {"reply_to": answers.address_for(token)}
    return {"subject": subject, "text": "\n".join(lines), **reply}


def reminder(
    items: Sequence[Due],
    rank: Rank,
    channel: Channel,
    destination: str,
    to: str,
    contacts: Contacts,
    batch: int,
    now: datetime,
) -> NewMessage:
    """Return what reminds a place of all that is due there, or tells its lead that it is late.

    Args:
        items: what is due.
        rank: how high it is raised.
        channel: how it goes.
        destination: whose it is.
        to: whom it goes to.
        contacts: where this desk is reached.
        batch: of the reminders.
        now: the moment.
    """
    payload: dict[str, Any]
    if channel == "webhook":
        data = {"rank": rank, "destination": destination, "due": [_due(item, contacts) for item in items[:MOST_LISTED]]}
        payload = {"type": "reminder", "data": data | {"count": len(items)}}
    else:
        payload = _reminder_by_email(items, rank, destination, contacts, now)
    return NewMessage("reminder", batch, None, channel, to, payload)


def _reminder_by_email(
    items: Sequence[Due], rank: Rank, destination: str, contacts: Contacts, now: datetime
) -> dict[str, Any]:
    t = words(contacts.language_of(destination))
    name = t.name("teams", destination)
    lines = [t(f"reminder.intro_{rank}", destination=name), "", *(_line(t, item, now) for item in items[:MOST_LISTED])]
    if len(items) > MOST_LISTED:
        lines.append(t("reminder.more", count=len(items) - MOST_LISTED))
    if contacts.base_url is not None:
        page = BOARD_PATH if destination == DESK else "/review"
        lines += ["", t("reminder.board", link=f"{contacts.base_url}{page}")]
    subject = t(f"reminder.subject_{rank}", count=len(items), destination=name)
    return {"subject": subject, "text": "\n".join(lines)}


def _line(t: Catalogue, item: Due, now: datetime) -> str:
    key = "reminder.left" if item.act_by > now else "reminder.late"
    left = t(key, span=span((item.act_by - now).total_seconds()), due=moment(item.act_by))
    said = {"kind": t.name("kinds", item.kind), "number": item.subject, "id": item.id, "left": left}
    if item.rating is None:
        return t("reminder.line", **said)
    return t("reminder.rated", **said, rating=t.name("ratings", item.rating))


def _due(item: Due, contacts: Contacts) -> dict[str, Any]:
    page = f"{contacts.base_url}/review/cases/{item.subject}" if contacts.base_url and item.kind == REVIEW else None
    return {
        "kind": item.kind,
        "number": item.subject,
        "escalation": item.id,
        "rating": item.rating,
        "act_by": written(item.act_by),
        "page": page,
    }


def moment(when: datetime) -> str:
    """Return a moment for people."""
    return f"{when:%Y-%m-%d %H:%M} UTC"


def span(seconds: float) -> str:
    """Return a span of time in units that read the same in our languages."""
    minutes = int(abs(seconds) // 60)
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    return f"{days} d {hours} h" if days else f"{hours} h {minutes:02} min" if hours else f"{minutes} min"
