"""Every error that riskmodel raises on purpose. No message ever contains an escalation's text."""

from dataclasses import dataclass


class RiskmodelError(Exception):
    """Base of all expected errors: says what was wrong, where, and what to do."""


class PolicyError(RiskmodelError):
    """A policy file is incomplete or contradicts itself."""


class ArtifactError(RiskmodelError):
    """A model folder is missing, damaged, of an unknown format, or made for another policy."""


class EncoderError(RiskmodelError):
    """A base encoder cannot be found, fetched, read or rebuilt."""


class DataError(RiskmodelError):
    """A data file breaks its contract; the message names file, line and field."""


class CasebookError(RiskmodelError):
    """The casebook cannot be opened, or what was asked of it cannot be done."""


class CasebookUnavailableError(CasebookError):
    """The casebook's database does not answer now: locked, full, stopped; try again."""


class SettingsError(RiskmodelError):
    """A setting or parameter has a value that cannot be used."""


@dataclass(frozen=True)
class FieldProblem:
    """One field that was refused: its name, the kind of value found, and what is expected."""

    field: str
    found: str
    expected: str

    def __str__(self) -> str:
        """Return the problem as one sentence."""
        return f"{self.field}: found {self.found}, expected {self.expected}"


class EscalationError(RiskmodelError):
    """An escalation was refused at the door; ``problems`` names each field."""

    def __init__(self, problems: list[FieldProblem]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems) + ".")
        self.problems = problems
