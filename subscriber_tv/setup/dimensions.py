"""Accounting dimensions on TV Offer, Customer Group (segment) and Territory (sector).

ERPNext makes a dimension's fields one ALTER TABLE at a time in a background job. Here all fields of a DocType are
made at once first, so that the job finds nothing left to do and no worker is needed.
"""

import frappe
from erpnext.accounts.doctype.accounting_dimension.accounting_dimension import (
	delete_accounting_dimension,
	make_dimension_in_accounting_doctypes,
)
from frappe.custom.doctype.custom_field.custom_field import create_custom_fields

from subscriber_tv.setup.custom_fields import DIMENSIONS

MADE_HERE = "subscriber_tv_dimensions"
"""Default value that remembers which dimensions this app made: an operator's own stay at uninstall."""


def make_dimensions() -> None:
	"""Create the missing dimensions with their fields on ERPNext's dimension doctypes."""
	missing = [
		doctype
		for doctype in DIMENSIONS
		if not frappe.db.exists("Accounting Dimension", {"document_type": doctype})
	]
	if not missing:
		return
	_make_fields(missing)
	for doctype in missing:
		doc = frappe.get_doc({"doctype": "Accounting Dimension", "document_type": doctype})
		doc.insert(ignore_permissions=True)  # nosemgrep: set-up, guarded by its callers
		make_dimension_in_accounting_doctypes(doc, ["Budget"])
	made = [*(frappe.db.get_default(MADE_HERE) or "").split(","), *missing]
	frappe.db.set_default(MADE_HERE, ",".join(name for name in made if name))
	frappe.clear_cache()


def remove_dimensions() -> None:
	"""Remove the dimensions this app made, their fields and property setters, at once."""
	made = [name for name in (frappe.db.get_default(MADE_HERE) or "").split(",") if name]
	for doctype in made:
		name = frappe.db.get_value("Accounting Dimension", {"document_type": doctype}, "name")
		if not name:
			continue
		doc = frappe.get_doc("Accounting Dimension", name)
		delete_accounting_dimension(doc)
		# delete_doc would queue the same work again, for a time when the app is gone
		frappe.db.delete("Accounting Dimension Detail", {"parent": name})
		frappe.db.delete("Accounting Dimension", {"name": name})
	if made:
		_drop_standard_budget_options()
	frappe.db.delete("DefaultValue", {"defkey": MADE_HERE})
	frappe.clear_cache()


def _drop_standard_budget_options() -> None:
	"""ERPNext leaves a Property Setter that says what Budget says anyway once its last dimension is gone."""
	filters = {"doc_type": "Budget", "field_name": "budget_against", "property": "options"}
	for name, value in frappe.get_all("Property Setter", filters, ["name", "value"], as_list=True):
		if (value or "").split() == ["Cost", "Center", "Project"]:
			frappe.db.delete("Property Setter", {"name": name})


def _make_fields(doctypes: list[str]) -> None:
	fields: dict[str, list[dict]] = {}
	for target in frappe.get_hooks("accounting_dimension_doctypes"):
		if target == "Budget" or not frappe.db.exists("DocType", target):
			continue
		known = {field.fieldname for field in frappe.get_meta(target).fields}
		for doctype in doctypes:
			if frappe.scrub(doctype) not in known:
				fields.setdefault(target, []).append(_field(doctype))
	create_custom_fields(fields, ignore_validate=True)


def _field(doctype: str) -> dict:
	return {
		"fieldname": frappe.scrub(doctype),
		"label": doctype,
		"fieldtype": "Link",
		"options": doctype,
		"insert_after": "accounting_dimensions_section",
	}
