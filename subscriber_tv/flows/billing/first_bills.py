"""First bills of subscriptions taken over: held back until a preview that shows them was made and confirmed.

A contract that another system billed until its opening position would be billed twice, or not at all, if that
position is wrong. So its first bill is looked at by somebody. `TV First Bill`, named after the subscription, keeps
who saw which amount in which preview; once a bill stands, or the first one is confirmed, nothing is asked again.
"""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

import frappe
from frappe import _
from frappe.utils import now_datetime

from subscriber_tv.core.billing.bill import Bill, ContractFacts, PayerBill
from subscriber_tv.core.billing.price import Refused
from subscriber_tv.core.money import ZERO

PREVIEWED, CONFIRMED = "Previewed", "Confirmed"


def first_bills(bill: PayerBill, loaded: Iterable[ContractFacts]) -> dict[str, Decimal]:
	"""Subscriptions taken over that `bill` would bill for the first time, with their net; confirmed ones left out."""
	taken_over = {
		facts.contract.subscription
		for facts in loaded
		if facts.contract.billed_through and not facts.invoiced
	}
	if not taken_over:
		return {}
	found: dict[str, Decimal] = {}
	for part in bill.bills:
		for charge in part.charges:
			if charge.subscription in taken_over:
				found[charge.subscription] = found.get(charge.subscription, ZERO) + charge.amount
	confirmed = frappe.get_all(
		"TV First Bill", {"name": ("in", list(found) or [""]), "status": CONFIRMED}, pluck="name", limit=0
	)
	return {name: net for name, net in found.items() if name not in confirmed}


def hold_back(bill: PayerBill, loaded: Iterable[ContractFacts]) -> PayerBill:
	"""The bill without unconfirmed first bills; each of them is refused instead, and waits."""
	held = first_bills(bill, loaded)
	if not held:
		return bill
	refused = tuple(Refused("first_bill", subscription=name) for name in sorted(held))
	left = tuple(filter(None, (_without(part, held) for part in bill.bills)))
	return replace(bill, bills=left, refused=(*bill.refused, *refused))


def _without(part: Bill, held: Iterable[str]) -> Bill:
	return replace(
		part,
		charges=tuple(charge for charge in part.charges if charge.subscription not in held),
		credits=tuple(credit for credit in part.credits if credit.row.subscription not in held),
	)


def note_previewed(bill_run: str, rows: Iterable[dict]) -> None:
	"""Record that the preview of `bill_run` shows these first bills: subscription, payer, currency, net_amount."""
	frappe.db.delete("TV First Bill", {"bill_run": bill_run, "status": PREVIEWED})
	for row in rows:
		if frappe.db.exists("TV First Bill", row["subscription"]):
			frappe.db.delete("TV First Bill", {"name": row["subscription"], "status": PREVIEWED})
		values = {"status": PREVIEWED, "bill_run": bill_run, "previewed_at": now_datetime(), **row}
		doc = frappe.get_doc({"doctype": "TV First Bill", **values})
		# Written for whoever may preview a bill run; the endpoint has checked that.
		doc.flags.ignore_permissions = True
		doc.insert()


def unconfirmed(bill_run: str) -> int:
	"""How many first bills the preview of `bill_run` shows that nobody has confirmed."""
	return frappe.db.count("TV First Bill", {"bill_run": bill_run, "status": PREVIEWED})


def confirm(bill_run: str, user: str) -> int:
	"""Confirm the first bills that the preview of `bill_run` shows; returns their number.

	ValidationError when the preview is not ready: one is made of nothing but what somebody could see.
	"""
	if frappe.db.get_value("TV Bill Run", bill_run, "preview_status") != "Ready":
		frappe.throw(_("Bill run {0} has no preview. Make one, look at it, then confirm.").format(bill_run))
	shown = {"bill_run": bill_run, "status": PREVIEWED}
	number = frappe.db.count("TV First Bill", shown)
	if number:
		values = {"status": CONFIRMED, "confirmed_by": user, "confirmed_at": now_datetime()}
		frappe.db.set_value("TV First Bill", shown, values)
	return number
