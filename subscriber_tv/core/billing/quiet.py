"""Until when a payer has nothing to bill, so that a run need not look at him before."""

from collections.abc import Sequence
from datetime import date, timedelta

from subscriber_tv.core.billing.base import reach_of, with_base_of_payer
from subscriber_tv.core.billing.bill import ContractFacts
from subscriber_tv.core.billing.price import Refused
from subscriber_tv.core.billing.upcoming import days_of
from subscriber_tv.core.pricing.offered import GROUP

LOOK_AHEAD = timedelta(62)
"""A month or two: nobody is left unlooked at for longer, whatever his interval."""


def quiet_until(contracts: Sequence[ContractFacts], until: date) -> date | None:
	"""The first day after `until` on which a bill may come to something, for contracts billed up to `until`.

	What is expected of a contract changes only with its facts and with the days on which its rows fall due, so every
	bill for a day before the one returned is empty for as long as the facts stand. None when that cannot be said: the
	contracts of others count for a price, or a contract is refused.
	"""
	if any(GROUP in reach_of(facts.contract, facts.offers) for facts in contracts):
		return None
	ahead = until + LOOK_AHEAD
	try:
		days = [day for facts in with_base_of_payer(contracts) for day in days_of(facts, ahead)]
	except Refused:
		return None
	return min((day for day in days if until < day <= ahead), default=ahead + timedelta(1))
