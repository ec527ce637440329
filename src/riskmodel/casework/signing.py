"""A message and a secret in, the headers that prove it out, and back: the Standard Webhooks scheme, HMAC-SHA256.

https://github.com/standard-webhooks/standard-webhooks, version 1.0.0: what is signed is ``id.timestamp.body``.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence

from riskmodel.errors import RiskmodelError

PREFIX = "whsec_"
LEAST_BYTES, MOST_BYTES = 24, 64  # of a secret, as the scheme has them
TOLERANCE_SECONDS = 300
_SECONDS = re.compile(r"[0-9]{1,12}")


class SignatureError(RiskmodelError):
    """A webhook is not what it says it is: unsigned, signed with another secret, changed, or too old."""


def key_of(secret: str) -> bytes:
    """Return the key that a secret such as ``whsec_...`` writes in base64.

    Raises:
        SignatureError: if it cannot be one; the message does not repeat it.
    """
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not LEAST_BYTES <= len(key) <= MOST_BYTES:
        expected = f"{PREFIX} and {LEAST_BYTES} to {MOST_BYTES} bytes in base64"
        raise SignatureError(f"A webhook's secret: found something else, expected {expected}.")
    return key


def sign(secrets: Sequence[str], id_: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the headers of a webhook; two secrets sign both, so that one can be changed without a gap."""
    signatures = " ".join(_signature(key_of(secret), id_, str(timestamp), body) for secret in secrets)
    return {"webhook-id": id_, "webhook-timestamp": str(timestamp), "webhook-signature": signatures}


def verify(
    secrets: Sequence[str],
    headers: Mapping[str, str],
    body: bytes,
    now: float,
    tolerance_seconds: float = TOLERANCE_SECONDS,
) -> str:
    """Check a webhook that was received, and return its id: the same one again is the same message again.

    Args:
        secrets: one of which must have signed.
        headers: of the request; their names in any case.
        body: exactly as received, not read and written again.
        now: seconds since 1970.
        tolerance_seconds: how far the sender's clock may be from this one.

    Raises:
        SignatureError: if it is not to be trusted; says why.
    """
    given = {name.lower(): value for name, value in headers.items()}
    id_, timestamp = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    if not id_ or _SECONDS.fullmatch(timestamp) is None:
        raise SignatureError("A webhook: found no id or no timestamp, expected the headers of a signed one.")
    if abs(now - int(timestamp)) > tolerance_seconds:
        raise SignatureError(
            f"A webhook: found one of another time, expected one sent within {tolerance_seconds:g} seconds."
        )
    expected = [_signature(key_of(secret), id_, timestamp, body).encode() for secret in secrets]
    found = given.get("webhook-signature", "").split(" ")
    # All pairs are compared, each in constant time, so that the time taken tells nothing.
    if not sum(hmac.compare_digest(one.encode("utf-8", "replace"), other) for one in found for other in expected):
        raise SignatureError("A webhook: found no signature by a known secret, expected one.")
    return id_


def _signature(key: bytes, id_: str, timestamp: str, body: bytes) -> str:
    content = f"{id_}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
