"""Buttons of disputes: who may raise and decide them, and one call each."""

from decimal import Decimal, InvalidOperation

import frappe
from frappe import _

from subscriber_tv.api.guards import has_role, only_for
from subscriber_tv.api.values import parsed
from subscriber_tv.core.collections.disputes import allowed_events
from subscriber_tv.flows.collections import decide_dispute as decide_flow
from subscriber_tv.flows.collections import raise_dispute as raise_flow
from subscriber_tv.flows.collections import show_invoice as show_flow
from subscriber_tv.flows.collections.words import event_label

#: Whoever speaks with payers may raise and withdraw a dispute; deciding gives money back.
RAISING = ("TV Support", "TV Billing", "System Manager")
DECIDING = ("TV Billing", "TV Management", "System Manager")

ROLES = {
	"review": DECIDING,
	"accept": DECIDING,
	"reject": DECIDING,
	"withdraw": (*RAISING, *DECIDING),
}
MOST_ROWS = 500


@frappe.whitelist(methods=["GET", "POST"])
def show(invoice: str) -> dict:
	"""What waits on an invoice the user may read, and whether he may raise a dispute on it."""
	_require_invoice(invoice)
	return show_flow.show_invoice(invoice) | {"can_raise": has_role(RAISING)}


@frappe.whitelist(methods=["GET", "POST"])
def disputable_rows(invoice: str) -> list:
	"""Rows of an invoice with what is left to dispute; net decimal strings. For the roles that raise disputes."""
	only_for(*RAISING)
	_require_invoice(invoice)
	return show_flow.disputable_rows(invoice)


@frappe.whitelist(methods=["POST"])
def raise_dispute(invoice: str, ground: str, reason: str, rows: list | str | None = None) -> str:
	"""Raise a dispute; returns its name. `rows` are `{row, amount}` (net), without an amount for all that is left.

	Without `rows` the whole invoice is disputed. PermissionError without TV Support or TV Billing.
	"""
	only_for(*RAISING)
	_require_invoice(invoice)
	asked = None if rows is None else [_asked(row) for row in _listed(rows)]
	return raise_flow.raise_dispute(invoice=invoice, ground=ground, reason=reason, rows=asked)


@frappe.whitelist(methods=["GET", "POST"])
def steps(dispute: str) -> list:
	"""Steps the user may take on a dispute he may read: event and label."""
	doc = _dispute(dispute)
	return [
		{"event": event, "label": event_label(event)}
		for event in allowed_events(doc.state)
		if has_role(ROLES[event])
	]


@frappe.whitelist(methods=["POST"])
def decide(dispute: str, event: str, note: str | None = None, granted: dict | str | None = None) -> str:
	"""Take one step; returns the new state. `granted` are net amounts by invoice row, for `accept` alone.

	PermissionError without a role for the step; ValidationError when somebody else was faster.
	"""
	if event not in ROLES:
		frappe.throw(_("There is no step {0}. Known steps: {1}.").format(event, ", ".join(ROLES)))
	only_for(*ROLES[event])
	_dispute(dispute)
	amounts = None if granted is None else {row: _amount(value) for row, value in _mapped(granted).items()}
	return decide_flow.decide_dispute(dispute=dispute, event=event, note=note or None, granted=amounts)


def _require_invoice(name: str) -> None:
	"""Support reads no invoices, yet has to see those of the subscriptions it answers for."""
	if frappe.db.exists("Sales Invoice", name):
		if frappe.has_permission("Sales Invoice", doc=name) or _bills_readable(name):
			return
	elif has_role(RAISING) or frappe.has_permission("Sales Invoice"):
		frappe.throw(_("There is no invoice {0}.").format(name), frappe.DoesNotExistError)
	raise frappe.PermissionError


def _bills_readable(invoice: str) -> bool:
	"""Whether the user may read one of the subscriptions that the invoice bills."""
	filters = {"parent": invoice, "parenttype": "Sales Invoice", "tv_subscription": ("is", "set")}
	names = frappe.get_all("Sales Invoice Item", filters, pluck="tv_subscription", distinct=True)
	return any(frappe.has_permission("TV Subscription", doc=name) for name in names)


def _dispute(name: str):
	frappe.has_permission("TV Dispute", throw=True)
	if not frappe.db.exists("TV Dispute", name):
		frappe.throw(_("There is no dispute {0}.").format(name), frappe.DoesNotExistError)
	doc = frappe.get_doc("TV Dispute", name)
	doc.check_permission("read")
	return doc


def _listed(rows: list | str) -> list:
	rows = parsed(rows)
	if not isinstance(rows, list) or len(rows) > MOST_ROWS:
		frappe.throw(_("Rows are a list of at most {0} objects with row and amount.").format(MOST_ROWS))
	return rows


def _mapped(granted: dict | str) -> dict:
	granted = parsed(granted)
	if not isinstance(granted, dict) or len(granted) > MOST_ROWS:
		frappe.throw(_("Granted amounts are an object with an amount by invoice row."))
	return granted


def _asked(row: object) -> tuple[str, Decimal | None]:
	if not isinstance(row, dict) or not isinstance(row.get("row"), str):
		frappe.throw(_("Rows are a list of at most {0} objects with row and amount.").format(MOST_ROWS))
	amount = row.get("amount")
	return row["row"], None if amount in (None, "") else _amount(amount)


def _amount(value: object) -> Decimal:
	try:
		amount = Decimal(str(value))
	except InvalidOperation:
		amount = Decimal("NaN")
	if not amount.is_finite():
		frappe.throw(_("{0} is not an amount.").format(frappe.utils.escape_html(str(value))))
	return amount
