"""Usage that became too old to be charged before a run came to it: the contract is billed, the records show why they wait."""

from collections.abc import Iterable
from datetime import date

import frappe
from frappe import _
from frappe.utils import formatdate

from subscriber_tv.core.billing.bill import Charge
from subscriber_tv.core.billing.limits import months_between
from subscriber_tv.core.usage.inbox import HELD
from subscriber_tv.core.usage.judge import too_old
from subscriber_tv.flows.usage.mark_billed import CHUNK, still_unbilled, unbilled
from subscriber_tv.flows.usage.rows import DOCTYPE, update
from subscriber_tv.flows.usage.words import stored


def mark_held(late: Iterable[Charge], until: date, limit: int) -> list[str]:
	"""Mark the records behind charges that a bill until that day left out; a sentence about each, in the user's language.

	The mark is for people: such a record goes on counting in the sum of its period, which is charged once the limit
	allows it.
	"""
	said = []
	for charge in late:
		subscription, line_id, code = _place(charge)
		seen = unbilled(subscription, line_id, code, charge.span.start, charge.span.end)
		for start in range(0, len(seen), CHUNK):
			_mark(dict(seen[start : start + CHUNK]), charge, until, limit)
		said.append(why_held(charge, limit))
	return said


def _mark(seen: dict[str, str], charge: Charge, until: date, limit: int) -> None:
	ended = charge.price.period.end
	months = months_between(ended, until)
	open_ones = {"name": ("in", still_unbilled(seen) or [""]), "state": ("!=", HELD)}
	for row in frappe.get_all(DOCTYPE, open_ones, ["name", "day"], limit=0, order_by="name"):
		found = too_old(charge.subscription, row.day, ended, months, limit)
		update(row.name, {"state": HELD, **stored(found)})


def why_held(charge: Charge, limit: int) -> str:
	"""What a bill says about a charge it left out, in the user's language."""
	subscription, _line, code = _place(charge)
	return _(
		"{0}: usage {1} of {2} to {3} is more than {4} months old and not charged. Its TV Usage Records are held: raise Most Months Billed at Once in TV Settings, then try them again."
	).format(subscription, code, formatdate(charge.span.start), formatdate(charge.span.end), limit)


def _place(charge: Charge) -> tuple[str, str, str]:
	"""Subscription, line and charge code."""
	subscription, line_id, code = charge.claim.line.split("/", 2)
	return subscription, line_id, code
