"""Stock Entry: a rented TV goes to a subscriber, so the transfer has to say to whom."""

from subscriber_tv.flows.devices import follow_stock
from subscriber_tv.flows.settings import phase_on


def before_submit(doc, method: str | None = None) -> None:
	"""Refuse a transfer of TVs into service that names no subscription."""
	if phase_on("equipment"):
		follow_stock.require_subscription(doc)
