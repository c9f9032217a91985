"""What user permissions keep from the session's user, where many records are asked about at once."""

from collections.abc import Iterable

import frappe
from frappe.core.doctype.user_permission.user_permission import get_user_permissions
from frappe.permissions import has_user_permission


def permitted(doctype: str, names: Iterable[str]) -> set[str]:
	"""Those of these documents that user permissions leave to the session's user; roles are not asked.

	For flows that a role may use without reading the records themselves: a machine that sends usage sees no contract,
	yet counts for none of another company. One query, and none for whoever is not restricted.
	"""
	wanted = set(names)
	if not wanted or not get_user_permissions():
		return wanted
	fields = [field.fieldname for field in frappe.get_meta(doctype).get_link_fields()]
	rows = frappe.get_all(doctype, {"name": ("in", sorted(wanted))}, ["name", *fields], limit=0)
	return {row.name for row in rows if has_user_permission(frappe.get_doc({"doctype": doctype, **row}))}
