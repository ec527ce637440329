"""Rates escalations of harm in English, Spanish and Portuguese, and says why."""

from riskmodel.artifact import load_model
from riskmodel.model import RiskModel
from riskmodel.policy import Policy, load_policy
from riskmodel.records import Assessment, Escalation, read_escalation

__all__ = ["Assessment", "Escalation", "Policy", "RiskModel", "load_model", "load_policy", "read_escalation"]
