"""Where the price of a charge comes from: the offer, the opening of the contract, or one of its later changes."""

from datetime import date

from subscriber_tv.core.contracts.lines import LineStep
from subscriber_tv.core.contracts.timeline import Contract, in_force


def price_set_by(contract: Contract, line_id: str, code: str, day: date) -> int | None:
	"""Number of the change that set the price the charge has on `day`; None while it is that of the offer.

	Changes taken back set nothing, and a new offer version brings its own price.
	"""
	setter: int | None = None
	version = ""
	for line in contract.changes[0].lines:
		if line.line_id == line_id:
			version = line.offer_version
			setter = contract.changes[0].no if code in dict(line.prices) else None
	for change in in_force(contract.changes):
		if change.effective > day:
			break
		for step in change.steps:
			if step.line_id == line_id and not step.ends:
				version, setter = _after(step, change.no, code, version, setter)
	return setter


def _after(step: LineStep, no: int, code: str, version: str, setter: int | None) -> tuple[str, int | None]:
	"""Version and setter after one more step of the line, which is number `no`."""
	if step.offer_version and step.offer_version != version:
		version, setter = step.offer_version, None
	prices = dict(step.prices)
	if code in prices:
		setter = no if prices[code] is not None else None
	return version, setter
