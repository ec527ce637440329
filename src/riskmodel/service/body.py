"""A request in, the JSON value of its body out: of the right type and size, in UTF-8, not nested too deeply."""

import json
import re
from typing import Any, NoReturn

from fastapi import Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from riskmodel.errors import FieldProblem
from riskmodel.service.errors import BodyTooLargeError, MediaTypeError, UnreadableBodyError

# The largest legal batch, 256 texts of 20,000 characters, has 20 MB in UTF-8 and 31 MB with every letter escaped
# as \uXXXX; its other fields add 0.1 MB. (Only a batch full of escaped emoji, 12 bytes each, must be split.)
MAX_BODY_BYTES = 32 * 1024 * 1024
JSON_TYPE = "application/json"
MAX_TYPE_CHARACTERS = 64
_TYPE = re.compile(r"[a-z0-9.+-]+/[a-z0-9.+-]+")


class BodyLimit:
    """ASGI middleware: whoever reads a body that is too large gets an error before it is in memory."""

    def __init__(self, app: ASGIApp, limit: int = MAX_BODY_BYTES) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its body counted, whether or not its length was declared."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "")
        size = 0

        async def receive_within_limit() -> Message:
            nonlocal size
            if declared.isdecimal() and int(declared) > self.limit:
                raise _too_large(self.limit)
            message = await receive()
            size += len(message.get("body", b""))
            if size > self.limit:
                raise _too_large(self.limit)
            return message

        await self.app(scope, receive_within_limit, send)


async def read_json(request: Request) -> Any:
    """Return the value of a request's JSON body; a lone surrogate in it survives, for its field to be named later.

    Raises:
        MediaTypeError: if the Content-Type is missing or another than JSON.
        BodyTooLargeError: if it is larger than ``MAX_BODY_BYTES``.
        UnreadableBodyError: if it is not UTF-8 or not JSON.
    """
    check_type(request.headers.get("content-type"))
    return parse(await request.body())


def check_type(header: str | None) -> None:
    """Check that a Content-Type is JSON, whatever its parameters.

    Raises:
        MediaTypeError: naming the type found where it has the form of one.
    """
    if header is None:
        raise _wrong_type("no such header")
    found = header.partition(";")[0].strip().lower()
    if found == JSON_TYPE:
        return
    named = len(found) <= MAX_TYPE_CHARACTERS and _TYPE.fullmatch(found) is not None
    raise _wrong_type(found if named else "something that is not a media type")


def parse(body: bytes) -> Any:
    """Parse JSON in UTF-8.

    Raises:
        UnreadableBodyError: saying where the body stops being UTF-8 or JSON.
    """
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise _unreadable(f"a byte at {error.start:,} that is not UTF-8", "JSON in UTF-8") from None
    except json.JSONDecodeError as error:
        found = f"no JSON at line {error.lineno:,}, column {error.colno:,}" if body else "an empty body"
        raise _unreadable(found, "a JSON document") from None
    except RecursionError:
        raise _unreadable("JSON that is nested too deeply", "an object with fields of text") from None
    except ValueError:  # an integer of thousands of digits, which Python refuses to read
        raise _unreadable("a number that is too long", "a JSON document") from None


def _refuse_constant(name: str) -> NoReturn:
    raise _unreadable(f"the constant {name}, which JSON does not have", "a JSON document")


def _unreadable(found: str, expected: str) -> UnreadableBodyError:
    return UnreadableBodyError(FieldProblem("body", found, expected))


def _too_large(limit: int) -> BodyTooLargeError:
    return BodyTooLargeError(FieldProblem("body", f"more than {limit:,} bytes", f"at most {limit:,} bytes"))


def _wrong_type(found: str) -> MediaTypeError:
    return MediaTypeError(FieldProblem("Content-Type", found, JSON_TYPE))
