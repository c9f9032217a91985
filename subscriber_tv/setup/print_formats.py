"""The print format that Sales Invoices are shown with when nobody has chosen another."""

import frappe

DOCTYPE, FORMAT = "Sales Invoice", "TV Invoice"
SETTER = {"doc_type": DOCTYPE, "property": "default_print_format", "doctype_or_field": "DocType"}


def make_default() -> None:
	"""Make ours the default, unless the site has chosen one; a credit note prints with it as what it is."""
	chosen = frappe.get_meta(DOCTYPE).default_print_format
	if chosen and chosen != "Standard":
		return
	frappe.db.delete("Property Setter", SETTER)
	frappe.make_property_setter(
		{"doctype_or_field": "DocType", "doctype": DOCTYPE, "property": SETTER["property"], "value": FORMAT}
	)
	frappe.clear_cache(doctype=DOCTYPE)


def remove_default() -> None:
	"""Leave the choice to ERPNext again; one that somebody made stays."""
	frappe.db.delete("Property Setter", {**SETTER, "value": FORMAT})
	frappe.clear_cache(doctype=DOCTYPE)
