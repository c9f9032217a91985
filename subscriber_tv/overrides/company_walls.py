"""Whose answers and rights a user sees: those of the TVs of the companies that user permissions leave to him.

TV Activation and TV Entitlement are written by the thousand and name no company; their TV does.
"""

import frappe
from frappe.core.doctype.user_permission.user_permission import get_user_permissions
from frappe.permissions import get_allowed_docs_for_doctype

from subscriber_tv.flows.permitted import permitted


def conditions(user: str | None = None, doctype: str | None = None) -> str:
	"""Hook `permission_query_conditions`: rows without a TV, and those of a TV of an allowed company or of none."""
	rules = get_user_permissions(user or frappe.session.user).get("Company")
	allowed = get_allowed_docs_for_doctype(rules, doctype) if rules else []
	if not allowed:
		return ""
	companies = ", ".join(frappe.db.escape(company) for company in sorted(allowed))
	return (
		f"ifnull(`tab{doctype}`.device, '') = '' or exists (select 1 from `tabTV Device` where `tabTV Device`.name ="
		f" `tab{doctype}`.device and (ifnull(`tabTV Device`.company, '') = '' or `tabTV Device`.company in ({companies})))"
	)


def has_permission(doc, ptype: str | None = None, user: str | None = None) -> bool:
	"""Hook `has_permission`: the same for one row, for the user of the session."""
	device = doc.get("device")
	return not device or not frappe.db.exists("TV Device", device) or bool(permitted("TV Device", [device]))
