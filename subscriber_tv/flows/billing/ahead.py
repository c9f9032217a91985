"""Reads a handful of payers in one go before the first of them is locked.

A payer's facts are a dozen queries; those of twenty-five are the same dozen. What was read ahead is used under the lock
of the payer only while all it came from looks exactly as it did (seen.py, one query); otherwise he is loaded anew, as
he is when what others have can change his bill: contracts that change payers, prices that count over a group.
"""

from collections.abc import Iterator, Sequence

import frappe
from rq.timeouts import JobTimeoutException

from subscriber_tv.core.billing.base import reach_of
from subscriber_tv.core.billing.price import Refused
from subscriber_tv.core.pricing.offered import GROUP
from subscriber_tv.flows.billing import facts
from subscriber_tv.flows.billing.facts import Loaded
from subscriber_tv.flows.billing.seen import seen_with_invoices
from subscriber_tv.flows.billing.shared_contracts import shared_with
from subscriber_tv.flows.billing.warnings import warnings_of
from subscriber_tv.ledger.posting.memory import remembering

HANDFUL = 25
"""Payers read together: two seconds of work, so that little of it has changed by then."""


class Ahead:
	"""What is known of some payers of a company before they are billed. Begins a new transaction."""

	def __init__(self, company: str, payers: Sequence[str]) -> None:
		self._company = company
		self._looked: dict[str, str] = {}
		self._loaded: dict[str, Loaded] = {}
		self._warnings: dict[str, tuple[str, ...]] = {}
		# A new snapshot, and one for all: what is read looks like what is noted.
		frappe.db.rollback()
		try:
			with remembering() as memory:
				memory.look()
				self._read(payers)
		except JobTimeoutException:
			# The time of the job is up, not the patience with a record: whoever bills stops here.
			raise
		except Exception:
			# Whoever's record cannot be read is met again, alone and by name; the others are billed.
			frappe.db.rollback()
			frappe.clear_messages()

	def _read(self, payers: Sequence[str]) -> None:
		self._warnings = warnings_of(payers)
		self._looked = seen_with_invoices(self._company, payers)
		shared = shared_with(self._company, payers)
		self._loaded = {
			payer: found
			for payer, found in facts.load_all(payers, self._company, shared).items()
			if payer not in shared and not isinstance(found, Refused) and not _looks_at_others(found)
		}

	def facts_of(self, payer: str) -> Loaded | None:
		"""His facts, if they are still what a new look would find; call it under his lock. Given once."""
		loaded = self._loaded.pop(payer, None)
		if loaded is None:
			return None
		if seen_with_invoices(self._company, [payer]).get(payer) == self._looked.get(payer):
			return loaded
		with remembering() as memory:
			# It may be an offer that has changed: no load may find it in memory as it was.
			memory.look()
		return None

	def warnings_of(self, payer: str) -> tuple[str, ...]:
		"""What an invoice of his lacks without being wrong, as it was when he was read."""
		return self._warnings.get(payer, ())


def _looks_at_others(loaded: Loaded) -> bool:
	return any(GROUP in reach_of(found.contract, found.offers) for found in loaded)


def read_ahead(company: str, payers: Sequence[str]) -> Iterator[tuple[str, Ahead]]:
	"""The payers in their order, each with what is known of his handful."""
	for start in range(0, len(payers), HANDFUL):
		handful = payers[start : start + HANDFUL]
		ahead = Ahead(company, handful)
		yield from ((payer, ahead) for payer in handful)
