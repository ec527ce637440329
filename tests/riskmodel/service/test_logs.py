"""Nothing that an exception quotes reaches the log, through whichever door."""

import io
import json
import logging

import structlog


def test_an_exception_of_another_library_is_named_without_its_message(logs: io.StringIO, _stream: io.StringIO) -> None:
    try:
        raise KeyError("Marisol")
    except KeyError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application\n")

    line = json.loads(logs.getvalue())
    assert (line["error"], line["level"]) == ("KeyError", "error")
    assert "Marisol" not in logs.getvalue()


def test_asyncio_cannot_quote_a_forgotten_task(logs: io.StringIO) -> None:
    logging.getLogger("asyncio").error("Task exception was never retrieved: %r", ValueError("Marisol"))

    assert json.loads(logs.getvalue())["event"] == "asyncio reports a fault"


def test_an_event_is_one_line_of_json_with_its_time(logs: io.StringIO) -> None:
    structlog.get_logger().warning("two\nlines", rating="crítica")

    assert logs.getvalue().count("\n") == 1
    line = json.loads(logs.getvalue())
    assert (line["event"], line["rating"], line["level"]) == ("two\nlines", "crítica", "warning")
    assert line["timestamp"].endswith("Z")


def test_what_a_library_says_is_masked_but_for_the_addresses_it_talks_to(logs: io.StringIO) -> None:
    logging.getLogger("another.library").warning("cannot read %r from http://127.0.0.1:5000", "ring +55 11 98765-4321")

    assert json.loads(logs.getvalue())["event"] == "cannot read 'ring [phone]' from http://127.0.0.1:5000"
