"""Changes the lines of a contract: plan, quantity, option, negotiated price; on any day."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import frappe
from frappe import _

from subscriber_tv.core.contracts.lines import Line, LineStep, line_on
from subscriber_tv.core.contracts.timeline import Change, Contract, extend
from subscriber_tv.flows.catalogue.facts import segment_path
from subscriber_tv.flows.contracts.change_terms import Completion, record_other
from subscriber_tv.flows.contracts.check_line import check_line, check_option, check_prices
from subscriber_tv.flows.contracts.record_change import Source
from subscriber_tv.flows.contracts.today import site_today
from subscriber_tv.flows.devices.tvs_on_line import tvs_on_line

STEP = ("line_id", "offer_version", "quantity", "prices", "option_of", "ends")


def change_lines(
	*,
	subscription: str,
	steps: Sequence[Mapping[str, Any]],
	effective_date: date | str | None = None,
	reason: str | None = None,
	source: Source | None = None,
) -> str:
	"""Change lines from a day on (default today at the site); return the name of the TV Subscription Change.

	A step is {line_id, offer_version, quantity, prices, option_of, ends}: what it leaves out stays as it is, without
	`line_id` it begins a new line. `prices` are price models by charge code, None for that of the offer. `source` is
	the document that caused the change. Errors: IllegalChange; ValidationError naming the line.
	"""
	return record_other(
		subscription,
		"change_lines",
		completion_of(steps),
		effective_date=effective_date,
		reason=reason,
		source=source,
	)


def completion_of(steps: Sequence[Mapping[str, Any]]) -> Completion:
	"""What makes a bare change one of these steps, checked against the contract."""

	def complete(contract: Contract, facts: frappe._dict, change: Change) -> Change:
		if not steps:
			frappe.throw(_("There is nothing to change on {0}.").format(frappe.bold(contract.subscription)))
		numbered = _numbered(contract, steps)
		_check(contract, facts, change.effective, numbered)
		change = replace(change, steps=numbered)
		_check_change(contract, facts, change)
		return change

	return complete


def _numbered(contract: Contract, steps: Sequence[Mapping[str, Any]]) -> tuple[LineStep, ...]:
	"""The steps, new lines with ids that no line of the contract ever had."""
	used = [step.line_id for change in contract.changes for step in (*change.lines, *change.steps)]
	last = max((int(line_id[1:]) for line_id in used if line_id[1:].isdigit()), default=0)
	numbered = []
	for step in steps:
		line_id = step.get("line_id")
		if not line_id:
			last += 1
			line_id = f"L{last}"
		elif line_id not in used:
			frappe.throw(
				_("Subscription {0} has no line {1}.").format(
					frappe.bold(contract.subscription), frappe.bold(line_id)
				)
			)
		numbered.append(
			LineStep(
				line_id,
				offer_version=step.get("offer_version") or None,
				quantity=int(step["quantity"]) if step.get("quantity") not in (None, "") else None,
				prices=tuple(sorted((step.get("prices") or {}).items(), key=lambda item: item[0])),
				option_of=step.get("option_of"),
				ends=bool(step.get("ends")),
			)
		)
	return tuple(numbered)


def _check(contract: Contract, facts: frappe._dict, day: date, steps: Sequence[LineStep]) -> None:
	segments = segment_path(facts.site, facts.customer)
	lines = {line.line_id for line in contract.lines if not line.option_of}
	lines |= {step.line_id for step in steps if not step.option_of and step.offer_version}
	for step in steps:
		if step.ends:
			continue
		before = line_on(contract.lines, step.line_id, day) or _last(contract, step.line_id)
		version = step.offer_version or (before.offer_version if before else None)
		if not version:
			frappe.throw(_("Line {0}: choose the offer.").format(frappe.bold(step.line_id)))
		# Whoever has bought a version keeps it: only another one must be on sale.
		sold = step.offer_version and (before is None or before.offer_version != version)
		quantity = step.quantity if step.quantity is not None else (before.quantity if before else 1)
		if sold or step.quantity is not None:
			check_line(
				step.line_id,
				version,
				quantity,
				company=facts.company,
				currency=facts.currency,
				segments=segments,
				day=day if sold else None,
			)
		check_option(step.line_id, step.option_of, sorted(lines))
		check_prices(step.line_id, version, dict(step.prices))


def _last(contract: Contract, line_id: str) -> Line | None:
	return next((piece for piece in reversed(contract.lines) if piece.line_id == line_id), None)


def _check_change(contract: Contract, facts: frappe._dict, change: Change) -> None:
	after = extend(contract, change)
	if after.lines == contract.lines:
		frappe.throw(
			_("Nothing would change on {0}: from that day on its lines are like that already.").format(
				frappe.bold(contract.subscription)
			),
			title=_("No Change"),
		)
	_check_bound(contract, after, site_today(facts.site))


def _check_bound(contract: Contract, after: Contract, today: date) -> None:
	"""Fewer outlets than TVs bound would leave open which of them go dark."""
	for line_id in dict.fromkeys(piece.line_id for piece in contract.lines):
		before, line = line_on(contract.lines, line_id, today), line_on(after.lines, line_id, today)
		if not (before and line and line.quantity < before.quantity):
			continue
		bound = tvs_on_line(contract.subscription, line_id)
		if line.quantity < bound:
			frappe.throw(
				_(
					"{0} TVs are bound to line {1}, more than {2}. Unbind those that leave, then lower the quantity."
				).format(bound, frappe.bold(line_id), line.quantity),
				title=_("TVs Still Bound"),
			)
