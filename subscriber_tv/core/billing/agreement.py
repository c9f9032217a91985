"""The terms of a contract as billing sees them, read off its folded changes."""

from datetime import timedelta

from subscriber_tv.core.billing.periods import Span
from subscriber_tv.core.billing.price import FAR
from subscriber_tv.core.billing.terms import Terms
from subscriber_tv.core.contracts.states import billable
from subscriber_tv.core.contracts.timeline import Contract


def terms_of(contract: Contract) -> Terms:
	"""Trial and pauses as days without charge, billing days as they move, discounts and the minimum."""
	return Terms(
		anchors=contract.anchors,
		unbilled=(*_trial(contract), *_pauses(contract)),
		calendar=contract.agreed.calendar_aligned,
		discounts=contract.discounts,
		minimum=contract.agreed.minimum,
	)


def _trial(contract: Contract) -> list[Span]:
	"""It counts from the first activation, whatever is changed during it."""
	if not (contract.activated_on and contract.agreed.trial_days):
		return []
	return [Span(contract.activated_on, contract.activated_on + timedelta(contract.agreed.trial_days))]


def _pauses(contract: Contract) -> list[Span]:
	return [
		Span(span.start, span.end or FAR)
		for span in contract.spans
		if billable(span.state) and not span.billed
	]
