"""TV Settings of a site that was there before one of its fields."""

import frappe
from frappe.utils import cstr


def fill_new_settings() -> list[str]:
	"""Store the default of each field of TV Settings that this site has never stored; returns the fields.

	Frappe gives a single document its defaults only as long as nothing of it is stored. A value that somebody has
	emptied is stored as empty, and stays.
	"""
	singles = frappe.qb.DocType("Singles")
	stored = set(
		frappe.qb.from_(singles).select(singles.field).where(singles.doctype == "TV Settings").run(pluck=True)
	)
	if not stored:
		return []
	new = [
		field
		for field in frappe.get_meta("TV Settings").fields
		if cstr(field.default) and field.fieldname not in stored
	]
	for field in new:
		frappe.db.set_single_value("TV Settings", field.fieldname, field.default)
	return [field.fieldname for field in new]
