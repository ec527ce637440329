"""Webhooks to a real receiver: signed, cut off in time, never redirected, never into a private network by chance."""

import json
import socket
import time

import pytest

from riskmodel.casework import Webhooks, verify
from riskmodel.casework.addresses import is_public
from riskmodel.casework.delivery import Ended
from tests.riskmodel.casework.made import OTHER_SECRET, SECRET, contacts, leased
from tests.riskmodel.casework.receiver import Behaviour, drip, endless, hang_up, receiving, silent, status

LIMIT = 0.3
SHORT = {"timeout_seconds": LIMIT}


def test_a_team_receives_the_payload_signed_by_both_secrets() -> None:
    with receiving(status(204)) as receiver:
        team = {"webhook": receiver.url + "?from=desk", "secrets": [OTHER_SECRET, SECRET]}
        ended = Webhooks(contacts(teams={"crisis_response": team}))(leased(payload={"text": "olá"}))

    (request,) = receiver.received
    assert ended == Ended("delivered", 204)
    assert request.path == "/hook?from=desk" and request.headers["Content-Type"] == "application/json"
    for secret in (SECRET, OTHER_SECRET):
        assert verify([secret], request.headers, request.body, time.time()) == leased().id
    assert json.loads(request.body) == {"text": "olá"}


@pytest.mark.parametrize(
    ("behaviour", "ended"),
    [
        (status(500), Ended("refused", 500)),
        (status(404), Ended("refused", 404)),
        (status(410), Ended("refused for good", 410)),
        (status(503, Retry_After="120"), Ended("refused", 503, 120.0)),
        (status(429, Retry_After="Wed, 21 Oct 2026 07:28:00 GMT"), Ended("refused", 429)),
        (hang_up, Ended("unreachable")),
        (drip, Ended("timeout")),
        (silent(3 * LIMIT), Ended("timeout")),
        (endless, Ended("delivered", 200)),
    ],
)
def test_what_a_receiver_does_is_named_and_takes_no_longer_than_allowed(behaviour: Behaviour, ended: Ended) -> None:
    with receiving(behaviour) as receiver:
        began = time.monotonic()
        found = Webhooks(contacts(receiver.url, delivery=SHORT))(leased())
        assert time.monotonic() - began < LIMIT + 0.5

    assert found == ended


def test_a_redirect_is_not_followed() -> None:
    with receiving(status(200)) as elsewhere, receiving(status(302, Location=elsewhere.url)) as receiver:
        assert Webhooks(contacts(receiver.url))(leased()) == Ended("refused", 302)

    assert elsewhere.received == []


def test_a_private_address_is_not_called_unless_allowed() -> None:
    with receiving(status(200)) as receiver:
        named = receiver.url.replace("127.0.0.1", "localhost")
        for url in (receiver.url, named):
            assert Webhooks(contacts(url, private_addresses=False))(leased()) == Ended("forbidden address")

    assert receiver.received == []


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


def test_nobody_there_and_no_such_name_are_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}/", "http://nowhere.invalid/"):
        assert Webhooks(contacts(url))(leased()) == Ended("unreachable")


def test_a_receiver_without_tls_is_unreachable_by_https() -> None:
    with receiving(status(200)) as receiver:
        assert Webhooks(contacts(receiver.url.replace("http:", "https:"), delivery=SHORT))(leased()).outcome in (
            "unreachable",
            "timeout",
        )
    assert receiver.received == []


def test_a_team_without_a_webhook_has_no_address() -> None:
    assert Webhooks(contacts())(leased()) == Ended("no address")
    assert Webhooks(contacts())(leased(destination="unknown")) == Ended("no address")
