"""Find what a row of a file refers to, with a sentence that names it when it is not there."""

import frappe
from frappe import _

from subscriber_tv.flows.permitted import permitted


def company() -> str:
	"""The operator's company, from TV Settings."""
	found = frappe.get_cached_doc("TV Settings").company
	if not found:
		frappe.throw(_("TV Settings names no company. Choose it there first."))
	return found


def by_name(doctype: str, name: str) -> str:
	"""The document of this name."""
	return _need(frappe.db.exists(doctype, name), doctype, name)


def customer(customer_name: str) -> str:
	"""The customer of this name."""
	return _permitted("Customer", {"customer_name": customer_name}, customer_name)


def site(customer_name: str, site_name: str) -> str:
	"""The site of this name of a customer."""
	filters = {"customer": customer(customer_name), "site_name": site_name}
	return _permitted("TV Site", filters, site_name)


def warehouse(name: str) -> str:
	"""The warehouse of the operator by its short or full name."""
	filters = {"company": company(), "is_group": 0}
	found = frappe.db.get_value("Warehouse", {**filters, "warehouse_name": name}) or frappe.db.get_value(
		"Warehouse", {**filters, "name": name}
	)
	return _need(found, "Warehouse", name)


def subscription(reference: str) -> str:
	"""The subscription with this external reference, else of this name."""
	known = frappe.db.exists("TV Subscription", {"external_reference": reference})
	filters = {"external_reference": reference} if known else {"name": reference}
	return _permitted("TV Subscription", filters, reference)


def offer_version(offer_code: str, version: int) -> str:
	"""The submitted version of an offer."""
	filters = {"offer": offer_code, "version_no": version, "docstatus": 1}
	found = frappe.db.get_value("TV Offer Version", filters)
	return _need(found, "TV Offer Version", f"{offer_code} {version}")


def save_if_changed(doc, values: dict) -> bool:
	"""Give a document these plain values and save it when one differs or it is new; whether it was saved.

	An empty value leaves what is there: a file need not know everything.
	"""
	values = {field: value for field, value in values.items() if value not in (None, "")}
	same = all((doc.get(field) or None) == (value or None) for field, value in values.items())
	if same and not doc.is_new():
		return False
	doc.update(values)
	# Who may import was checked at the endpoint or by access to the server.
	doc.flags.ignore_permissions = True
	doc.save()
	return True


def _permitted(doctype: str, filters: dict, name: str) -> str:
	"""The oldest that fits; what user permissions keep from whoever loads the file is to him as if it were not."""
	found = frappe.get_all(doctype, filters, pluck="name", order_by="creation, name", limit=0)
	seen = permitted(doctype, found)
	return _need(next((one for one in found if one in seen), None), doctype, name)


def _need(found: str | None, doctype: str, name: str) -> str:
	if not found:
		frappe.throw(_("{0} {1} does not exist.").format(_(doctype), frappe.bold(name)))
	return found
