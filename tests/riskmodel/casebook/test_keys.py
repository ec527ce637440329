"""Keys: shown once, kept as hashes, valid until they are revoked or expire."""

import re
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import pytest

from riskmodel.casebook import ROLES, Casebook, KeyRing, open_casebook
from riskmodel.errors import CasebookError
from tests.riskmodel.casebook.made import NOON

LATER = NOON + timedelta(days=1)


@pytest.fixture
def ring(casebook: Casebook) -> KeyRing:
    return casebook.keys


@pytest.mark.parametrize("role", ROLES)
def test_a_new_key_lets_its_owner_in_with_its_role(ring: KeyRing, role: str) -> None:
    made = ring.create("triage-tool", role, NOON)

    assert re.fullmatch(r"rk_[a-z0-9]{8}_[A-Za-z0-9_-]{43}", made.secret)
    assert ring.verify(made.secret, NOON) == made.key
    assert (made.key.name, made.key.role, made.key.created_at) == ("triage-tool", role, NOON)


def test_another_secret_lets_nobody_in(ring: KeyRing) -> None:
    secret = ring.create("a", "client", NOON).secret
    flipped = secret[:-1] + ("A" if secret[-1] != "A" else "B")

    for wrong in ("", "x", flipped, secret.upper(), secret + "A", "rk_" + "0" * 8 + secret[11:], "é" * 55, "\ud800"):
        assert ring.verify(wrong, NOON) is None


def test_a_key_that_was_revoked_or_has_expired_lets_nobody_in(ring: KeyRing) -> None:
    short = ring.create("short", "client", NOON, LATER)
    revoked = ring.create("revoked", "admin", NOON)

    assert ring.revoke(revoked.key.id, LATER).revoked_at == LATER
    assert ring.revoke(revoked.key.id, LATER + timedelta(days=1)).revoked_at == LATER

    assert ring.verify(revoked.secret, NOON) is None
    assert ring.verify(short.secret, LATER - timedelta(microseconds=1)) is not None
    assert ring.verify(short.secret, LATER) is None


def test_whether_any_key_is_valid_is_told(ring: KeyRing) -> None:
    assert not ring.any_active(NOON)
    key = ring.create("a", "client", NOON, LATER).key
    assert ring.any_active(NOON)
    assert not ring.any_active(LATER)
    ring.revoke(key.id, NOON)
    assert not ring.any_active(NOON)


def test_the_list_shows_every_key_and_no_secret(ring: KeyRing) -> None:
    first, second = ring.create("a", "client", NOON), ring.create("b", "lead", LATER)

    assert ring.keys() == [first.key, second.key]
    assert first.secret not in repr((ring.keys(), first))
    assert "hash" not in {field.name for field in fields(first.key)}


def test_the_last_use_only_moves_forward(ring: KeyRing) -> None:
    key, other = ring.create("a", "client", NOON).key, ring.create("b", "client", NOON).key

    ring.record_use({})
    ring.record_use({key.id: LATER, "gone": LATER})
    ring.record_use({key.id: NOON, other.id: NOON})

    assert {key.name: key.last_used_at for key in ring.keys()} == {"a": LATER, "b": NOON}


@pytest.mark.parametrize("name", ["", "a b", "é", "a/b", "x" * 65, "a\n"])
def test_a_name_of_another_form_is_refused(ring: KeyRing, name: str) -> None:
    with pytest.raises(CasebookError, match="A key's name"):
        ring.create(name, "client", NOON)


def test_an_unknown_role_a_past_end_and_an_unknown_id_are_refused_with_advice(ring: KeyRing) -> None:
    with pytest.raises(CasebookError, match="expected one of team, client, analyst, lead, admin"):
        ring.create("a", "root", NOON)
    with pytest.raises(CasebookError, match="expected a later one"):
        ring.create("a", "client", NOON, NOON)
    with pytest.raises(CasebookError, match="riskmodel keys list"):
        ring.revoke("nothere1", NOON)


def test_no_byte_of_a_secret_is_kept(sqlite_url: str, tmp_path: Path) -> None:
    casebook = open_casebook(sqlite_url)
    secret = casebook.keys.create("a", "client", NOON).secret
    casebook.close()

    assert all(secret[12:].encode() not in path.read_bytes() for path in tmp_path.glob("casebook.db*"))
