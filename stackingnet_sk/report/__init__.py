"""One page about a combination: what it is worth, of whom it is, what is not known."""

from stackingnet_sk.report.page import Report, report

__all__ = ["Report", "report"]
