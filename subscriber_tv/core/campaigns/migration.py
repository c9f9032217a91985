"""A base of contracts moves to other offer versions; negotiated prices stay with their charges, or end."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from subscriber_tv.core.billing.price import Offers
from subscriber_tv.core.billing.terms import Terms
from subscriber_tv.core.campaigns.plan import Plan, Timing, effective_day
from subscriber_tv.core.contracts.lines import Line, LineStep
from subscriber_tv.core.contracts.timeline import Contract
from subscriber_tv.core.pricing.models import PriceModel
from subscriber_tv.core.pricing.write import write_model


@dataclass(frozen=True)
class Move:
	"""Lines of one version go to `versions` of it. A price of its own follows its charge, under the name it has there.

	`charges` maps the charges of the old version to those of the new one; a charge left out keeps its code.
	"""

	timing: Timing
	versions: Mapping[str, str]
	charges: Mapping[tuple[str, str], str] = field(default_factory=dict)
	keep_prices: bool = True


def plan_move(contract: Contract, offers: Offers, terms: Terms, move: Move) -> Plan:
	"""What the migration does to one contract."""
	day = effective_day(contract, offers, terms, move.timing)
	if day is None:
		return Plan(left_out="no_anniversary")
	if not contract.served_on(day):
		return Plan(day, left_out="over")
	lines = [line for line in contract.lines_on(day) if line.offer_version in move.versions]
	if not lines:
		return Plan(day, left_out="no_line")
	steps = [
		LineStep(
			line.line_id, offer_version=move.versions[line.offer_version], prices=_kept(line, offers, move)
		)
		for line in lines
	]
	details = [_detail(line, step) for line, step in zip(lines, steps, strict=True)]
	return Plan(day, tuple(steps), tuple(details))


def _kept(line: Line, offers: Offers, move: Move) -> tuple[tuple[str, PriceModel], ...]:
	if not move.keep_prices:
		return ()
	new = {charge.code for charge in offers.get(move.versions[line.offer_version], ())}
	renamed = ((move.charges.get((line.offer_version, code), code), price) for code, price in line.prices)
	return tuple(sorted(((code, price) for code, price in renamed if code in new), key=lambda one: one[0]))


def _detail(line: Line, step: LineStep) -> dict:
	kept = dict(step.prices)
	return {
		"line": line.line_id,
		"offer_version": line.offer_version,
		"to_offer_version": step.offer_version,
		"quantity": line.quantity,
		"kept": {code: write_model(price) for code, price in kept.items()},
		"prices_lost": len(line.prices) - len(kept),
	}
