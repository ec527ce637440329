"""A model in; the service on this machine out, with thirty cases to review and six of its answers on the screen."""

from riskmodel.demo.sample import CASES
from riskmodel.demo.show import HOST, show

__all__ = ["CASES", "HOST", "show"]
