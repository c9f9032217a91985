"""Keeps hands off a TV Dispute: its amounts were checked against the invoice, its steps are signed."""

import frappe
from frappe import _


def keep_hands_off(doc) -> None:
	"""Refuse a dispute typed in or edited by hand, and say how it is done instead."""
	if doc.flags.written_by_flow:
		return
	if doc.is_new():
		frappe.throw(
			_("A dispute is raised from its invoice: open the invoice and use {0}.").format(
				frappe.bold(_("Dispute…"))
			),
			title=_("Raised from the Invoice"),
		)
	frappe.throw(
		_("A dispute is not edited by hand. Use the buttons above the form."),
		title=_("Written by Its Buttons Only"),
	)


def refuse_deletion(doc) -> None:
	"""What was said about an invoice stays on record."""
	frappe.throw(
		_("Dispute {0} stays on record. Withdraw it instead.").format(frappe.bold(doc.name)),
		title=_("Stays on Record"),
	)
