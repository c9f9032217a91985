"""Entries of the two ledgers as submitted documents, without the events nobody listens to.

`admission.py` has made sure that no hook, notification, webhook, script or rule is about them. What is left of
`Document.insert` is what follows: defaults, links, the controller's own validation, mandatory fields, clean text.
"""

from collections.abc import Iterable

import frappe
from frappe.model.document import Document

from subscriber_tv.ledger.posting.bulk import insert_rows

Links = set[tuple[str, str]]
"""Records that are known to exist: DocType and name."""


def post_entries(doctype: str, entries: Iterable[dict], flags: dict, known: Links) -> None:
	"""Validate, write and follow up entries of one ledger.

	`flags` are set on each, as their controller reads them. `known` are the links that need not be looked up; those
	found here are added.
	"""
	defaults = frappe.new_doc(doctype, as_dict=True)
	docs = [_prepared(doctype, entry, defaults, flags, known) for entry in entries]
	insert_rows(docs)
	for doc in docs:
		doc.on_update()


def links_of(doc: Document) -> Links:
	"""The records a document names."""
	found = {(field.options, doc.get(field.fieldname)) for field in doc.meta.get_link_fields()}
	for field in doc.meta.get_dynamic_link_fields():
		found.add((doc.get(field.options), doc.get(field.fieldname)))
	return {(target, name) for target, name in found if target and name}


def _prepared(doctype: str, entry: dict, defaults: dict, flags: dict, known: Links) -> Document:
	doc = frappe.get_doc({**defaults, **entry, "doctype": doctype})
	doc.flags.update(flags)
	doc.docstatus = 1
	doc.set("__islocal", True)
	doc.update_if_missing(defaults)
	doc.modified = doc.creation = frappe.utils.now()
	doc.modified_by = doc.owner = frappe.session.user
	doc._action = "submit"
	_check_links(doc, known)
	doc.set_new_name()
	doc.validate()
	doc._validate_mandatory()
	if any("<" in value or ">" in value for value in doc.__dict__.values() if isinstance(value, str)):
		doc._sanitize_content()
	return doc


def _check_links(doc: Document, known: Links) -> None:
	"""Frappe's own check where a link fetches values; else whether each link leads to a record."""
	if doc.meta.get("fields", {"fetch_from": ("is", "set")}):
		doc._validate_links()
		return
	for target, name in links_of(doc) - known:
		if not frappe.db.get_value(target, name, "name"):
			doc._validate_links()
		known.add((target, name))
