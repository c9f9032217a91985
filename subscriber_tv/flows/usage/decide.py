"""What a person decides about a record: dismiss it, let a contradicting one count, take one back."""

from collections.abc import Iterable

import frappe
from frappe import _

from subscriber_tv.core.usage import inbox
from subscriber_tv.core.usage.judge import Facts, Place, judge
from subscriber_tv.core.usage.problem import Problem
from subscriber_tv.core.usage.read import Read
from subscriber_tv.flows.usage import rows
from subscriber_tv.flows.usage.attempts import repeated
from subscriber_tv.flows.usage.load_facts import load_facts
from subscriber_tv.flows.usage.mark_billed import FREED
from subscriber_tv.flows.usage.replay import read_kept
from subscriber_tv.flows.usage.words import sentence


class NotPossible(frappe.ValidationError):
	"""The record is not in a state for this."""


def dismiss(names: Iterable[str], reason: str) -> int:
	"""Close records that wait: they stay, count nothing and are asked about no more. Their number."""
	wanted = list(names)
	return repeated(lambda: _dismiss(wanted, reason))


def accept_conflict(name: str) -> str:
	"""Let a contradicting record count instead of the one that stands; the name of the record that counts now.

	NotPossible when it is none, or when it cannot count as things are: it says why.
	"""
	# Always the record that counts before those beside it, as when a batch is taken.
	head_name = frappe.db.get_value(rows.DOCTYPE, name, "current_record")
	head = _locked(head_name) if head_name else None
	side = _locked(name)
	if head is None or side.state != inbox.CONFLICT:
		frappe.throw(_("{0} contradicts nothing.").format(frappe.bold(side.source_key)), NotPossible)
	read, place, facts = _judged(side)
	rows.keep_aside(head)
	content = rows.content(read, place, facts) | {
		field: side[field] for field in ("profile", "tv_import", "batch")
	}
	rows.update(head.name, content | {"state": inbox.HELD if place.held else inbox.ACCEPTED})
	rows.update(side.name, {"state": inbox.REPLACED})
	return head.name


def cancel(name: str, reason: str) -> None:
	"""Take a record back that counts; what was billed of it is credited by the next run. NotPossible otherwise."""
	row = _locked(name)
	if row.state not in inbox.COUNTED:
		frappe.throw(
			_("Record {0} does not count, so there is nothing to take back.").format(
				frappe.bold(row.source_key)
			),
			NotPossible,
		)
	rows.keep_aside(row)
	rows.update(name, {"state": inbox.CANCELLED, "reason": reason, **FREED})


def _dismiss(names: list[str], reason: str) -> int:
	waiting = [row for row in rows.lock(names).values() if row.state in inbox.OPEN]
	for row in waiting:
		rows.update(row.name, {"state": inbox.DISMISSED, "reason": reason})
	return len(waiting)


def _judged(side: frappe._dict) -> tuple[Read, Place, Facts]:
	"""Where a record counts as things are now."""
	read = read_kept(side)
	facts = load_facts([read.record])
	found = read.problem or judge(read.record, facts)
	if isinstance(found, Problem):
		frappe.throw(sentence(found), NotPossible)
	return read, found, facts


def _locked(name: str) -> frappe._dict:
	found = rows.lock([name])
	if name not in found:
		frappe.throw(
			_("There is no usage record {0}.").format(frappe.utils.escape_html(name)),
			frappe.DoesNotExistError,
		)
	return found[name]
