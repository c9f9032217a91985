"""Quotation: with TV lines, its items are the first bill, computed anew at each save."""

from subscriber_tv.flows.quotes.approve_terms import approve_terms
from subscriber_tv.flows.quotes.fill_quote import check_totals, fill
from subscriber_tv.flows.settings import phase_on


def before_validate(doc, method: str | None = None) -> None:
	"""Fill items and bills from the TV lines of a draft."""
	if doc.get("tv_lines") and phase_on("orders"):
		fill(doc)


def validate(doc, method: str | None = None) -> None:
	"""Nothing that ERPNext has added may make the quote another than the first bill."""
	if doc.get("tv_lines") and phase_on("orders"):
		check_totals(doc)


def before_submit(doc, method: str | None = None) -> None:
	"""Only who may grant its terms binds the operator to them."""
	if doc.get("tv_lines") and phase_on("orders"):
		approve_terms(doc)
