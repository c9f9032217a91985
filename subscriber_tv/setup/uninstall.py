"""Leaving a site: refuse while money is open, save every row, take back everything the app added to ERPNext.

ERPNext's own documents, invoices and ledgers included, stay as they are. As with every Frappe app the columns of removed
custom fields stay in the tables, unseen, until `bench trim-tables`.
"""

import os

import frappe
from frappe import _

from subscriber_tv.setup.backup import tv_doctypes, write_backup
from subscriber_tv.setup.custom_fields import doctypes_with_fields
from subscriber_tv.setup.dimensions import remove_dimensions
from subscriber_tv.setup.keys import remove_key_files
from subscriber_tv.setup.print_formats import remove_default
from subscriber_tv.setup.roles import remove_roles

ANYWAY = "subscriber_tv_uninstall_anyway"
"""Entry of site_config (1), or environment variable in capitals, that lets the app go while money is open."""


def before_uninstall() -> None:
	"""Refuse, or save all rows into private files and take back what install and set-up added."""
	refuse_while_open()
	path = write_backup()
	_register(path)
	take_back()
	# Frappe drops tables next, which commits anyway; the backup's record must stand before.
	frappe.db.commit()  # nosemgrep
	print(_("All rows of Subscriber TV are saved in {0}").format(path))


def refuse_while_open() -> None:
	"""Raise ValidationError when subscriptions are unpaid or unbilled, unless told otherwise."""
	if frappe.conf.get(ANYWAY) or os.environ.get(ANYWAY.upper()):
		return
	from subscriber_tv.flows.billing.open_items import unbilled_subscriptions, unpaid_invoices

	unbilled, unpaid = unbilled_subscriptions(), unpaid_invoices()
	if unbilled or unpaid:
		frappe.throw(
			_(
				"{0} subscriptions are not billed yet and {1} invoices are unpaid, such as {2}. Bill and settle them"
				" first, or set {3} to 1 in site_config.json to uninstall anyway."
			).format(len(unbilled), len(unpaid), ", ".join([*unbilled[:3], *unpaid[:3]]), ANYWAY),
			title=_("Money Is Open"),
		)


def take_back() -> None:
	"""Remove custom fields, property setters, dimensions, roles, key files; ERPNext is as before the install."""
	remove_dimensions()
	remove_custom_fields()
	remove_default()
	doctypes = [*tv_doctypes(), *tv_doctypes(single=True)]
	frappe.db.delete("Logs To Clear", {"ref_doctype": ("in", doctypes)})
	for doctype, column in (("Custom DocPerm", "parent"), ("Property Setter", "doc_type")):
		frappe.db.delete(doctype, {column: ("in", doctypes)})
	frappe.db.delete("Custom Field", {"dt": ("in", doctypes)})
	remove_roles()
	remove_key_files()
	frappe.clear_cache()


def remove_custom_fields() -> None:
	"""Remove the fields of the one dict and whatever somebody customised about them."""
	for doctype, fields in doctypes_with_fields().items():
		names = [field["fieldname"] for field in fields]
		frappe.db.delete("Custom Field", {"dt": doctype, "fieldname": ("in", names)})
		frappe.db.delete("Property Setter", {"doc_type": doctype, "field_name": ("in", names)})
		frappe.clear_cache(doctype=doctype)


def _register(path) -> None:
	"""Show the zip in the file manager, to administrators only."""
	doc = frappe.get_doc(
		{
			"doctype": "File",
			"file_name": path.name,
			"is_private": 1,
			"file_url": f"/private/files/{path.name}",
			"file_size": path.stat().st_size,
		}
	)
	doc.flags.ignore_permissions = True  # whoever uninstalls an app administers the server
	doc.insert()
