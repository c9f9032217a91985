"""What a contract should have been charged from its first day up to a horizon.

Rules (design, "Conventions of money, time and stock"): a one-off charge once, on the first served day of its line; a
recurring charge one row per anchor-aligned period and at most for the days served, due when the row begins or, in
arrears, when its period closes; usage when its period closes; a deposit for each unit when it comes. A part of a period
costs its actual days over the actual days of the whole period; quantity times unit price comes first and each row is
rounded once. Nothing before `billed_through`, the opening position of a contract taken over (see opening.py).

The order of the passes: rows at their prices, discounts, percentages of what is left, minimums of all that.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from subscriber_tv.core.billing.base import Base, counted_in, reach_of
from subscriber_tv.core.billing.chain import PERCENT, Chain, Chains, chains_of
from subscriber_tv.core.billing.chain import at_prices_of as at_prices_of
from subscriber_tv.core.billing.deposits import Held, deposit_rows, held_for
from subscriber_tv.core.billing.discounts import discounted
from subscriber_tv.core.billing.exit_fee import exit_rows
from subscriber_tv.core.billing.minimum import frames_of, true_ups
from subscriber_tv.core.billing.opening import from_opening
from subscriber_tv.core.billing.percents import percent_rows
from subscriber_tv.core.billing.price import (
	DEPOSIT,
	ONE_OFF,
	RECURRING,
	USAGE,
	Expected,
	Offers,
	Refused,
)
from subscriber_tv.core.billing.recurring import one_off_rows, recurring_rows
from subscriber_tv.core.billing.terms import NO_TERMS, Terms
from subscriber_tv.core.billing.usage import Usage, by_charge, usage_rows
from subscriber_tv.core.contracts.timeline import Contract
from subscriber_tv.core.pricing.offered import LINE


def expected_charges(
	contract: Contract,
	offers: Offers,
	until: date,
	terms: Terms = NO_TERMS,
	places: int = 2,
	usage: Iterable[Usage] = (),
	base: Base = (),
	held: Sequence[Held] = (),
) -> tuple[Expected, ...]:
	"""Every row of the contract that begins on or before `until`, in the order of line and time.

	`offers` holds the charges of each offer version the contract names, `places` the decimals of its currency, in
	which a minimum is compared with the rows. `base` is what other contracts count for tiers over a payer or a group,
	`held` are the operator's TVs with the subscriber, which keep their deposits.
	Refused when a version is missing, a price is zero and not declared free, or two rows of one charge would hold the
	same day; see `Refused` for the rest.
	"""
	chains = chains_of(contract, offers)
	counted = (*counted_in(contract, offers), *base) if reach_of(contract, offers) - {LINE} else ()
	rows: list[Expected] = []
	used = by_charge(usage)
	for (_, kind), chain in chains.items():
		if kind == ONE_OFF:
			rows += one_off_rows(contract, chain)
		elif kind == RECURRING:
			rows += recurring_rows(contract, chain, until, terms, counted)
		elif kind == USAGE:
			rows += usage_rows(contract, chain, until, terms, used, places)
		elif kind == DEPOSIT:
			rows += deposit_rows(contract, chain, _held(chain, chains, held))
	rows = discounted(rows, terms.discounts)
	rows += percent_rows(contract, chains, rows, places)
	frames = frames_of(contract, chains, until, terms)
	rows += true_ups(rows, _minimums(chains), terms.minimum, frames, places)
	rows += exit_rows(
		contract, places, lambda one, day: expected_charges(one, offers, day, terms, places, base=base)
	)
	rows = [kept for row in rows if (kept := from_opening(row, contract.billed_through))]
	rows = [row for row in rows if row.span.start <= until]
	rows.sort(key=lambda row: (row.line, row.kind, row.span))
	_check_overlap(rows)
	return tuple(rows)


def _held(chain: Chain, chains: Chains, held: Sequence[Held]) -> list[Held]:
	lines = {other[0][0].line_id for (_, kind), other in chains.items() if kind == DEPOSIT}
	return held_for(chain[0][0].line_id, held, len(lines))


def _minimums(chains: Chains) -> dict[str, dict[str, Decimal]]:
	"""The minimum of each charge that has one, by the offer version that says so."""
	found: dict[str, dict[str, Decimal]] = defaultdict(dict)
	for (key, kind), chain in chains.items():
		if kind in (RECURRING, PERCENT):
			found[key] |= {line.offer_version: charge.minimum for line, charge in chain if charge.minimum}
	return {key: leasts for key, leasts in found.items() if leasts}


def _check_overlap(rows: Sequence[Expected]) -> None:
	"""Safety limit: no two charges for one line and day. `rows` are sorted by line, kind and time.

	A percentage of usage has a row for the months and one for the quarters it is taken of.
	"""
	for before, after in itertools.pairwise(row for row in rows if row.kind != DEPOSIT):
		same_line = (before.line, before.kind) == (after.line, after.kind)
		apart = before.kind == USAGE and before.price.period != after.price.period
		if same_line and not apart and after.span.start < before.span.end:
			raise Refused(
				"overlap",
				subscription=after.subscription,
				line=after.line,
				day=after.span.start.isoformat(),
			)
