"""Dunning: what is disputed is not reminded of."""

from subscriber_tv.flows.collections.limit_dunning import limit_dunning
from subscriber_tv.flows.settings import phase_on


def validate(doc, method: str | None = None) -> None:
	"""Leave the disputed part of each invoice out of the letter."""
	if phase_on("billing"):
		limit_dunning(doc)
