"""The desk file: what is wrong with it is named, and never a secret."""

from pathlib import Path

import pytest

from riskmodel.casework import Contacts, load_contacts
from riskmodel.errors import SettingsError
from tests.riskmodel.casework.made import SECRET

TEAMS = frozenset({"crisis_response", "abuse_response"})
EXAMPLE = Path(__file__).parents[3] / "docs" / "desk.example.toml"


def load(tmp_path: Path, text: str, **variables: str) -> Contacts:
    path = tmp_path / "desk.toml"
    path.write_text(text, encoding="utf-8")
    return load_contacts(path, variables.get, TEAMS)


def test_the_example_in_the_docs_can_be_used() -> None:
    variables = {"CRISIS_SECRET": SECRET, "SMTP_PASSWORD": "a password"}
    contacts = load_contacts(EXAMPLE, variables.get, TEAMS)

    assert contacts.channels_of("crisis_response") == ("webhook", "email")
    assert contacts.channels_of("user_support") == ()
    assert contacts.teams["crisis_response"].secrets == [SECRET]
    assert contacts.smtp is not None and contacts.smtp.password == "a password"
    assert contacts.language_of("crisis_response") == "es" and contacts.base_url == "https://desk.example.org"


def test_no_secret_stands_in_a_repr() -> None:
    contacts = load_contacts(EXAMPLE, {"CRISIS_SECRET": SECRET, "SMTP_PASSWORD": "a password"}.get, TEAMS)
    assert SECRET not in repr(contacts) and "a password" not in repr(contacts)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("teams = 3", "teams: found a number"),
        ("[team.crisis_response]", "team: found an unknown setting"),
        ("[teams.crisis]\nlanguage = 'es'", "found crisis, expected some of abuse_response, crisis_response"),
        ("[teams.crisis_response]\nwebhook = 'https://a.example/'", "expected secrets beside a webhook"),
        ("[teams.crisis_response]\nwebhook = 'ftp://a.example/'\nsecrets = []", "expected an address such as https://"),
        ("[teams.crisis_response]\nwebhook = 'https://u:p@a.example/'", "without user"),
        ("[teams.crisis_response]\nwebhook = 'https://a.example:x/'", "expected an address such as https://"),
        ("[teams.crisis_response]\nsecrets = ['topsecret']", "secrets.0: found something else, expected whsec_"),
        ("[teams.crisis_response]\nlanguage = 'fr'", "language: found text, expected another value"),
        ("[teams.crisis_response]\nemail = 'a@b, c@d'", "expected an e-mail address"),
        ("[teams.crisis_response]\nemail = 'a@example.org'", "expected smtp, as a team has an e-mail address"),
        ("[smtp]\nhost = 'a'", "smtp.sender: found nothing, expected a value"),
        ("[smtp]\nhost = 'a'\nsender = \"a\\nb <a@b.c>\"", "expected an e-mail address such as desk@example.org"),
        ("base_url = 'desk.example.org'", "expected an address such as https://"),
        ("[delivery]\nattempts = 0", "delivery.attempts: found a number"),
        ("base_url =", "is not valid TOML"),
        ("[teams.crisis_response]\nsecrets = ['env:NOT_SET']", "names variables that are not set: NOT_SET"),
    ],
)
def test_what_is_wrong_is_named_and_no_value_is_repeated(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=r"Desk file .*desk\.toml") as caught:
        load(tmp_path, text)

    assert said in str(caught.value)
    assert "topsecret" not in str(caught.value) and "u:p" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"missing\.toml cannot be read: No such file"):
        load_contacts(tmp_path / "missing.toml", {}.get, TEAMS)
