"""A message in, one plain e-mail out, by SMTP; its Message-ID is the same at every attempt."""

import smtplib
import ssl
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime, parseaddr

from riskmodel.casework.contacts import Contacts, Smtp
from riskmodel.casework.delivery import Ended, Leased
from riskmodel.casework.watchdog import within

OPERATION_SECONDS = 10.0
PERMANENT = 500  # from this reply code on, a recipient is refused for good
MAX_SUBJECT_CHARACTERS = 200


class Emails:
    """Sends to teams, and to addresses outside.

    Args:
        contacts: where teams are, the server to send by, and how long an attempt may take.
    """

    def __init__(self, contacts: Contacts) -> None:
        self._contacts = contacts
        self._seconds = contacts.delivery.timeout_seconds

    def __call__(self, message: Leased) -> Ended:
        """Make one attempt."""
        smtp, to = self._contacts.smtp, self._contacts.email_of(message.destination)
        if smtp is None or to is None:
            return Ended("no address")
        try:
            return self._send(smtp, write(message, smtp.sender, to), to)
        except smtplib.SMTPRecipientsRefused as error:
            ((status, _),) = error.recipients.values()
            return Ended("refused for good" if status >= PERMANENT else "refused", status)
        except smtplib.SMTPServerDisconnected:
            return Ended("unreachable")
        except smtplib.SMTPResponseException as error:
            return Ended("refused", error.smtp_code)
        except TimeoutError:
            return Ended("timeout")
        except smtplib.SMTPException:  # such as a server that offers no TLS where it is required
            return Ended("refused")
        except OSError:
            return Ended("unreachable")

    def _send(self, smtp: Smtp, email: EmailMessage, to: str) -> Ended:
        context = ssl.create_default_context(cafile=smtp.ca_file)
        patience = min(OPERATION_SECONDS, self._seconds + 1)  # the greeting is read before there is anything to cut
        opened: smtplib.SMTP | None = None
        with within(self._seconds, lambda: None if opened is None else opened.sock):
            if smtp.tls == "from the start":
                opened = smtplib.SMTP_SSL(smtp.host, smtp.port, timeout=patience, context=context)
            else:
                opened = smtplib.SMTP(smtp.host, smtp.port, timeout=patience)
            try:
                opened.ehlo_or_helo_if_needed()
                if smtp.tls == "required" or (smtp.tls == "if offered" and opened.has_extn("starttls")):
                    opened.starttls(context=context)
                if smtp.user is not None:
                    _log_in(opened, smtp)
                opened.send_message(email, smtp.sender, [to])
            finally:
                opened.close()
        return Ended("delivered", 250)


def write(message: Leased, sender: str, to: str) -> EmailMessage:
    """Return the e-mail of a message: ``subject`` and ``text`` of its payload, and ``reply_to`` if it has one."""
    email = EmailMessage(policy=SMTP_POLICY)
    email["From"] = sender
    email["To"] = to
    email["Subject"] = one_line(str(message.payload["subject"]))
    email["Date"] = format_datetime(datetime.now(UTC))
    email["Message-ID"] = f"<{message.id}@{parseaddr(sender)[1].rpartition('@')[2]}>"
    email["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notes, please
    if message.payload.get("reply_to"):
        email["Reply-To"] = one_line(str(message.payload["reply_to"]))
    email.set_content(str(message.payload["text"]))
    return email


def one_line(text: str) -> str:
    """Return a header's value: what breaks a line would begin another header."""
    printable = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(printable.split())[:MAX_SUBJECT_CHARACTERS]


def _log_in(opened: smtplib.SMTP, smtp: Smtp) -> None:
    """Log in, within TLS only.

    Raises:
        smtplib.SMTPException: if the connection is open to readers.
    """
    if not isinstance(opened.sock, ssl.SSLSocket):
        raise smtplib.SMTPNotSupportedError("no TLS for the password")
    opened.login(smtp.user or "", smtp.password or "")
