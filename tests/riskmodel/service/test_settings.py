"""Settings come from the environment, once; a bad value is named, never repeated."""

import pytest
from pydantic import ValidationError

from riskmodel.errors import SettingsError
from riskmodel.service.settings import Settings, read_settings


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"RISKMODEL_{name.upper()}", raising=False)


def test_defaults_are_safe() -> None:
    settings = read_settings()

    assert (settings.model, settings.host, settings.port) == ("models", "127.0.0.1", 8000)
    assert (settings.log_level, settings.threads) == ("info", 0)


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISKMODEL_MODEL", "some folder/v1")
    monkeypatch.setenv("RISKMODEL_PORT", "9000")
    monkeypatch.setenv("RISKMODEL_LOG_LEVEL", "WARNING")

    settings = read_settings()

    assert (settings.model, settings.port, settings.log_level) == ("some folder/v1", 9000, "warning")


def test_an_option_comes_before_its_variable_and_none_is_no_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISKMODEL_PORT", "9000")
    monkeypatch.setenv("RISKMODEL_HOST", "::1")

    settings = read_settings(port=9001, host=None)

    assert (settings.port, settings.host) == (9001, "::1")


def test_an_empty_variable_counts_as_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISKMODEL_PORT", "")

    assert read_settings().port == 8000


@pytest.mark.parametrize(
    ("name", "value", "found", "expected"),
    [
        ("PORT", "eighty", "text", "a whole number from 0 to 65535"),
        ("PORT", "70000", "a number out of range", "a whole number from 0 to 65535"),
        ("THREADS", "-1", "a number out of range", "a whole number of cores"),
        ("THREADS", "1.5", "text", "a whole number of cores"),
        ("LOG_LEVEL", "loud", "text", "one of debug, info, warning, error"),
    ],
)
def test_a_bad_value_is_named(
    name: str, value: str, found: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"RISKMODEL_{name}", value)

    with pytest.raises(SettingsError) as caught:
        read_settings()

    assert str(caught.value).startswith(f"RISKMODEL_{name}: found {found}, expected {expected}")
    assert value not in str(caught.value)


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(SettingsError, match="RISKMODEL_COLOUR: found an unknown setting, expected one of model"):
        read_settings(colour="red")


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        read_settings().port = 1  # type: ignore[misc]
