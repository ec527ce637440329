"""A text in, what may identify a person out: found with its kind, or masked.

It finds what has a shape, a check digit or a word before it that says what it is (docs/personal-data.md), and nothing
else: no names, no street addresses. Times, prices, dates, statutes and counts stay.
"""

from riskmodel.redaction.finding import Finding, find
from riskmodel.redaction.masking import Masked, redact, redact_stretch

__all__ = ["Finding", "Masked", "find", "redact", "redact_stretch"]
