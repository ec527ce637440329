"""A model and labelled escalations in; the service on this machine out, with six of its answers on the screen."""

from riskmodel.demo.show import HOST, show

__all__ = ["HOST", "show"]
