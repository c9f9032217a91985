"""TV Migration as a campaign: its mapping for the core."""

from collections.abc import Iterable

from subscriber_tv.core.campaigns.migration import Move, plan_move
from subscriber_tv.core.campaigns.plan import Plan
from subscriber_tv.flows.campaigns.load import Candidate, Decision, load
from subscriber_tv.flows.campaigns.price_revision import timing_of

DOCTYPE = "TV Migration"


def prepare(doc, subscriptions: Iterable[str]) -> tuple[list[Candidate], Decision]:
	"""These contracts, and what decides for each of them."""
	move = Move(
		timing=timing_of(doc),
		versions={row.from_version: row.to_version for row in doc.versions},
		charges={(row.from_version, row.from_charge): row.to_charge for row in doc.charges},
		keep_prices=bool(doc.keep_prices),
	)

	def decide(candidate: Candidate) -> Plan:
		facts = candidate.facts
		return plan_move(facts.contract, facts.offers, facts.terms, move)

	return load(subscriptions, move.versions.values()), decide
