"""Records that name no company or no customer themselves: they ask their TV and their contract, where users are kept to some.

TV Activation, TV Entitlement, TV Device Hour and TV Device Evidence are written by the thousand and name none or one of the two. A usage
record and a billed period name their company, and of their contract's customer, who may change, the contract knows.
"""

import frappe
from frappe.core.doctype.user_permission.user_permission import get_user_permissions
from frappe.permissions import get_allowed_docs_for_doctype

from subscriber_tv.flows.permitted import permitted


def conditions(user: str | None = None, doctype: str | None = None) -> str:
	"""Hook `permission_query_conditions`: rows whose TV and contract are of what the user is kept to, or that have none."""
	rules = get_user_permissions(user or frappe.session.user)
	asked = []
	if not frappe.get_meta(doctype).has_field("company") and (own := _allowed(rules, "Company", doctype)):
		asked.append(_of("device", "TV Device", ("company",), own, doctype))
	if own := _allowed(rules, "Customer", doctype):
		# Both, where there are both: most answers to TVs name no contract, and what staff did names a former one.
		for link, target, fields in (
			("subscription", "TV Subscription", ("customer", "payer")),
			("device", "TV Device", ("customer",)),
		):
			if frappe.get_meta(doctype).has_field(link):
				asked.append(_of(link, target, fields, own, doctype))
	return " and ".join(asked)


def has_permission(doc, ptype: str | None = None, user: str | None = None) -> bool:
	"""Hook `has_permission`: the same for one row, for the user of the session."""
	return _may_see("TV Device", doc.get("device")) and _may_see("TV Subscription", doc.get("subscription"))


def _may_see(doctype: str, name: str | None) -> bool:
	return not name or not frappe.db.exists(doctype, name) or bool(permitted(doctype, [name]))


def _allowed(rules: dict, doctype: str, applied_to: str) -> list[str]:
	return get_allowed_docs_for_doctype(rules[doctype], applied_to) if doctype in rules else []


def _of(link: str, target: str, fields: tuple[str, ...], allowed: list[str], doctype: str) -> str:
	"""Rows of `doctype` whose `link` is empty, or leads to a `target` that names nothing but what is allowed."""
	names = ", ".join(frappe.db.escape(name) for name in sorted(allowed))
	own = " and ".join(f"(ifnull(`tab{target}`.{field}, '') in ('', {names}))" for field in fields)
	there = f"exists (select 1 from `tab{target}` where `tab{target}`.name = `tab{doctype}`.{link} and {own})"
	return f"(ifnull(`tab{doctype}`.{link}, '') = '' or {there})"
