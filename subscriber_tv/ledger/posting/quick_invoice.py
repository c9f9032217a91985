"""A Sales Invoice of ERPNext that is validated once and written once.

The ordinary way saves a draft, reads it back, validates it a second time, writes every row again, and posts each
ledger entry as a document of its own. Here ERPNext's own methods build and check the document once; the second pass,
which changes only docstatus, status and remarks, is done by hand; rows go out in one statement per table.

Which invoices may go this way is decided in `admission.py`; that both ways post the same is shown by
tests/test_posting_same.py.
"""

import json

import frappe
from erpnext.accounts.doctype.sales_invoice.sales_invoice import SalesInvoice
from frappe.core.doctype.file.utils import relink_mismatched_files
from frappe.core.doctype.version.version import Version
from frappe.desk.form.document_follow import follow_document
from frappe.utils import flt
from frappe.utils.global_search import update_global_search

from subscriber_tv.ledger.posting.admission import document_allows
from subscriber_tv.ledger.posting.bulk import insert_rows
from subscriber_tv.ledger.posting.clean_text import is_clean
from subscriber_tv.ledger.posting.draft import draft_of
from subscriber_tv.ledger.posting.ledger_rows import post_ledger
from subscriber_tv.ledger.posting.totals import note_sale

LONG_TEXTS = ("address_display", "shipping_address", "company_address_display", "other_charges_calculation")
"""HTML that ERPNext makes from templates."""


class QuickInvoice(SalesInvoice):
	"""Wears the class of a Sales Invoice for as long as it is posted; see the module."""

	def post(self) -> None:
		"""Insert and submit at once. Errors are those of ERPNext's own validation."""
		self._validate_as_draft()
		if not self._is_plain():
			self._go_on_ordinarily()
			return
		draft = draft_of(self)
		self._become_submitted()
		insert_rows([self, *self.get_all_children()])
		self.flags.in_insert = True
		self.run_method("after_insert")
		self.flags.in_insert = False
		self.run_method("on_update")
		self.run_method("on_submit")
		self._finish(draft)

	def _validate_as_draft(self) -> None:
		"""What `Document.insert` does up to the first write."""
		self.flags.notifications_executed = []
		self.set("__islocal", True)
		self._set_defaults()
		self.set_user_and_timestamp()
		self.set_docstatus()
		self.check_if_latest()
		self._validate_links()
		self.run_method("before_insert")
		self.set_new_name()
		self.set_parent_in_children()
		self.flags.in_insert = True
		self.run_before_save_methods()
		self._validate()
		self.set_docstatus()
		# Rows that the validation added, such as the payment schedule.
		self.set_parent_in_children()
		self.set_name_in_children()
		self.flags.in_insert = False

	def _is_plain(self) -> bool:
		"""Whether the validation has found nothing that ERPNext would do more for, such as an advance."""
		return document_allows(self) and flt(self.grand_total) > 0

	def _go_on_ordinarily(self) -> None:
		"""Write the validated draft as `Document.insert` does, then submit it the ordinary way."""
		self.__class__ = SalesInvoice
		self.db_insert()
		for row in self.get_all_children():
			row.db_insert()
		self.flags.in_insert = True
		self.run_method("after_insert")
		relink_mismatched_files(self)
		self.run_post_save_methods()
		self.flags.in_insert = False
		_no_longer_new(self)
		self.submit()

	def _become_submitted(self) -> None:
		"""What the second save changes in a document that is otherwise as it was."""
		for doc in (self, *self.get_all_children()):
			_no_longer_new(doc)
		self.docstatus = 1
		self.set_user_and_timestamp()
		self.set_docstatus()
		self._action = "submit"
		# Only with the schedule of the first pass does ERPNext know the last due date.
		self.validate_all_documents_schedule()
		self.set_status()
		self.run_method("before_submit")
		self._seen = json.dumps([frappe.session.user])

	def clear_unallocated_advances(self, childtype: str, parentfield: str) -> None:
		"""ERPNext's own, without the DELETE: nothing is written yet."""
		self.set(parentfield, self.get(parentfield, {"allocated_amount": ["not in", [0, None, ""]]}))

	def _set_defaults(self) -> None:
		"""Frappe's own, without making defaults for tables that have no row."""
		self.update_if_missing(frappe.new_doc(self.doctype, as_dict=True))
		for field in self.meta.get_table_fields():
			if rows := self.get(field.fieldname):
				defaults = frappe.new_doc(
					field.options, parent_doc=self, parentfield=field.fieldname, as_dict=True
				)
				for row in rows:
					row.update_if_missing(defaults)

	def _sanitize_content(self) -> None:
		"""Frappe's own, sparing the cleaner the long texts that it would give back as they are."""
		fields = {name: self.meta.get_field(name) for name in LONG_TEXTS}
		clean = {
			name: self.get(name)
			for name, field in fields.items()
			if field and is_clean(self.get(name), linkify=field.fieldtype == "Text Editor")
		}
		self.update(dict.fromkeys(clean))
		super()._sanitize_content()
		self.update(clean)

	def on_submit(self) -> None:
		"""The steps of ERPNext's `on_submit` that can do anything for an invoice admitted here, in its order."""
		if not self.auto_repeat:
			frappe.get_doc("Authorization Control").validate_approving_authority(
				self.doctype, self.company, self.base_grand_total, self
			)
		post_ledger(self)
		self.make_exchange_gain_loss_journal()
		self.check_credit_limit()
		note_sale(self.company)

	def _finish(self, draft: dict) -> None:
		"""What `Document.save` does after the events."""
		self.clear_cache()
		self.notify_update()
		update_global_search(self)
		self._write_version(draft)
		self.run_method("on_change")
		frappe.flags.currently_saving.remove((self.doctype, self.name))

	def _write_version(self, draft: dict) -> None:
		if not self.meta.track_changes:
			return
		version: Version = frappe.new_doc("Version")
		if version.update_version_info(draft, self):
			version.set_new_name()
			version.set_user_and_timestamp()
			frappe.flags.currently_saving.remove((version.doctype, version.name))
			version.db_insert()
			if frappe.get_cached_value("User", frappe.session.user, "follow_created_documents"):
				follow_document(self.doctype, self.name, frappe.session.user)


def _no_longer_new(doc) -> None:
	doc.__dict__.pop("__islocal", None)
	doc.__dict__.pop("__unsaved", None)
