"""A message in, one signed POST to its team out: no redirect is followed, of the answer only its head is read."""

import http.client
import json
import socket
import ssl
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from riskmodel.casework.addresses import ForbiddenAddressError, resolve
from riskmodel.casework.contacts import Contacts
from riskmodel.casework.delivery import Ended, Leased
from riskmodel.casework.signing import sign
from riskmodel.casework.watchdog import within

CONNECT_SECONDS = 5.0
MOST_ADDRESSES = 3  # of a host that are tried
GONE = 410  # the receiver says that it wants no more
USER_AGENT = "riskmodel"


class Webhooks:
    """Posts to teams.

    Args:
        contacts: where they are, and how long an attempt may take.
        clock: seconds since 1970.
    """

    def __init__(self, contacts: Contacts, clock: Callable[[], float] = time.time) -> None:
        self._contacts = contacts
        self._seconds = contacts.delivery.timeout_seconds
        self._clock = clock

    def __call__(self, message: Leased) -> Ended:
        """Make one attempt."""
        team = self._contacts.teams.get(message.destination)
        if team is None or team.webhook is None:
            return Ended("no address")
        body = json.dumps(message.payload, ensure_ascii=False, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json", "User-Agent": USER_AGENT, "Connection": "close"}
        headers |= sign(team.secrets, message.id, int(self._clock()), body)
        try:
            return self._post(team.webhook, headers, body)
        except ForbiddenAddressError:
            return Ended("forbidden address")
        except TimeoutError:
            return Ended("timeout")
        except (OSError, http.client.HTTPException):
            return Ended("unreachable")

    def _post(self, url: str, headers: dict[str, str], body: bytes) -> Ended:
        parts = urlsplit(url)
        host, secure = parts.hostname or "", parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        addresses = resolve(host, port, private=self._contacts.private_addresses)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection = http.client.HTTPConnection(host, port)
        line = _Line()
        with within(self._seconds, lambda: line.socket):
            try:
                line.connect(addresses[:MOST_ADDRESSES], port, host if secure else None)
                connection.sock = line.socket
                connection.request("POST", path, body, headers)
                answer = connection.getresponse()
                return _ended(answer.status, answer.getheader("Retry-After"))
            finally:
                line.close()


class _Line:
    """A connection, known from its first moment to whoever must cut it."""

    def __init__(self) -> None:
        self.socket: socket.socket | None = None

    def connect(self, addresses: list[str], port: int, secure_host: str | None) -> None:
        """Connect to the first address that answers, within TLS for the host's name if there is one."""
        failure: OSError = OSError("no address")
        for address in addresses:
            try:
                self.socket = socket.create_connection((address, port), CONNECT_SECONDS)
            except OSError as error:
                failure = error
                continue
            self.socket.settimeout(None)  # from here on the watchdog counts
            if secure_host is not None:
                self.socket = ssl.create_default_context().wrap_socket(self.socket, server_hostname=secure_host)
            return
        raise failure

    def close(self) -> None:
        """End the connection, with whatever the other side may still say."""
        if self.socket is not None:
            self.socket.close()


def _ended(status: int, retry_after: str | None) -> Ended:
    if 200 <= status < 300:
        return Ended("delivered", status)
    if status == GONE:
        return Ended("refused for good", status)
    return Ended("refused", status, float(retry_after) if retry_after is not None and retry_after.isdecimal() else 0.0)
