"""Load subscriptions, their dated history and the TVs paired with their lines."""

import time

import frappe
from frappe import _

from subscriber_tv.core.activation.enrolment import Enrolment
from subscriber_tv.core.imports.facts import line_id
from subscriber_tv.core.imports.rows import BindingRow, ChangeRow, SubscriptionRow
from subscriber_tv.flows.contracts.change_state import change_state
from subscriber_tv.flows.contracts.open_subscription import open_subscription
from subscriber_tv.flows.imports import find

IMPORT_NETWORK = "import"
"""Network that enrolments of an import are recorded under."""


def load_subscription(rows: list[SubscriptionRow]) -> bool:
	"""Open the subscription with its lines; one with this reference is left to its own history."""
	first = rows[0]
	if frappe.db.exists("TV Subscription", {"external_reference": first.reference}):
		return False
	for column in ("customer", "site", "payer", "start_on", "anchor_day", "billed_through"):
		if len({getattr(row, column) for row in rows}) > 1:
			frappe.throw(_("The rows of a subscription disagree in column {0}.").format(column))
	name = open_subscription(
		customer=find.customer(first.customer),
		site=find.site(first.customer, first.site),
		payer=find.customer(first.payer) if first.payer else None,
		company=find.company(),
		anchor_day=first.anchor_day or None,
		billed_through=first.billed_through,
		start_on=first.start_on,
		lines=[
			{"offer_version": find.offer_version(row.offer_code, row.version), "quantity": row.quantity}
			for row in rows
		],
	)
	frappe.db.set_value("TV Subscription", name, "external_reference", first.reference, update_modified=False)
	return True


def load_change(rows: list[ChangeRow]) -> bool:
	"""Record the change unless the subscription has this event on this day already."""
	row = rows[0]
	subscription = find.subscription(row.subscription)
	same = {
		"subscription": subscription,
		"event": row.event,
		"effective_date": row.effective_date,
		"docstatus": 1,
	}
	if frappe.db.exists("TV Subscription Change", same):
		return False
	change_state(
		subscription=subscription,
		event=row.event,
		effective_date=row.effective_date,
		end_date=row.end_date,
		reason=row.reason or None,
	)
	return True


def load_binding(rows: list[BindingRow]) -> bool:
	"""Pair the TV with the line, by the same two steps as in front of it: it enrols, staff enter its code."""
	row = rows[0]
	subscription = find.subscription(row.subscription)
	there = frappe.db.get_value(
		"TV Device", row.serial, ["subscription", "line_id", "key_hash", "credential_state"], as_dict=True
	)
	if not there:
		frappe.throw(_("TV {0} is in no goods receipt.").format(row.serial))
	line = line_id(row.subscription_line)
	if there.credential_state == "Active" and (there.subscription, there.line_id, there.key_hash) == (
		subscription,
		line,
		row.key,
	):
		return False
	_pair(row, subscription, line)
	return True


def _pair(row: BindingRow, subscription: str, line: str) -> None:
	from subscriber_tv.flows.activation.bind import bind_by_code
	from subscriber_tv.flows.activation.enrol import begin_pairing

	# A file says nothing of the TV's parts: it is not held to them.
	known = Enrolment(row.serial, row.key, key="", parts="", model="", firmware="")
	answer = begin_pairing(known, IMPORT_NETWORK, int(time.time()))
	if answer.status != 200:
		frappe.throw(_("TV {0} cannot be paired: it is bound already or no longer ours.").format(row.serial))
	code = frappe.db.get_value("TV Device", row.serial, "pairing_code")
	bind_by_code(subscription=subscription, line_id=line, code=code)
