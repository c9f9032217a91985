"""Keeps hands off a TV Subscription: what it holds was written by its changes."""

import frappe
from frappe import _
from frappe.model import no_value_fields

#: Fields of a line that a user could type into; the number of bound TVs is counted, never typed.
LINE_FIELDS = ("line_id", "offer_version", "quantity", "from_date", "to_date", "option_of")

#: How the customer wants his invoices is no part of the contract: whoever may write the form may change it.
EDITABLE = frozenset({"mode_of_payment", "po_no", "separate_invoice"})


def keep_hands_off(doc) -> None:
	"""Refuse any edit of a subscription that exists, and say which button does it instead."""
	before = doc.get_doc_before_save()
	if _lines(doc) != _lines(before):
		frappe.throw(_why_not_lines(), title=_("Lines Are Fixed"))
	for field in doc.meta.fields:
		if field.fieldtype in no_value_fields or field.fieldname in ("lines", *EDITABLE):
			continue
		if doc.has_value_changed(field.fieldname):
			frappe.throw(
				_("{0} is not edited by hand. Use the buttons above the form: {1} and the list {2}.").format(
					frappe.bold(_(field.label)), _("the main button"), _("Actions")
				),
				title=_("Written by Changes Only"),
			)
	for row, old in zip(doc.lines, before.lines, strict=True):
		row.bound = old.bound


def refuse_deletion(doc) -> None:
	"""Only a draft that nothing has happened to may be deleted."""
	if frappe.db.count("TV Subscription Change", {"subscription": doc.name}) > 1:
		frappe.throw(
			_("Subscription {0} has a history and cannot be deleted. Use {1} instead.").format(
				frappe.bold(doc.name), frappe.bold(_("End Now"))
			),
			title=_("Has a History"),
		)


def _lines(doc) -> list[tuple]:
	return [tuple(str(row.get(field) or "") for field in LINE_FIELDS) for row in doc.lines]


def _why_not_lines() -> str:
	return _("The lines of a contract are not edited here. Use {0}.").format(_("Change Lines"))
