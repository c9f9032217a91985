"""Which invoices may be posted the quick way: only those of which everything that could act on them is known.

Anything else (another app's hook, a server script, a workflow, a notification, an ERPNext whose posting code has been
changed) sends the invoice the ordinary way. Nothing is lost by that but time.
"""

import hashlib
import inspect
from collections.abc import Iterator
from functools import lru_cache

import frappe
from erpnext.accounts import general_ledger
from erpnext.accounts import utils as accounts_utils
from erpnext.accounts.doctype.budget.budget import validate_expense_against_budget
from erpnext.accounts.doctype.gl_entry.gl_entry import GLEntry
from erpnext.accounts.doctype.payment_ledger_entry.payment_ledger_entry import PaymentLedgerEntry
from erpnext.accounts.doctype.sales_invoice.sales_invoice import SalesInvoice
from erpnext.controllers.accounts_controller import AccountsController
from erpnext.controllers.selling_controller import SellingController
from erpnext.controllers.stock_controller import StockController
from frappe.core.doctype.version.version import Version
from frappe.model.base_document import BaseDocument, get_controller
from frappe.model.document import Document
from frappe.utils import cint

from subscriber_tv.ledger.posting.memory import Memory

WRITTEN = ("Sales Invoice", "GL Entry", "Payment Ledger Entry")
CHILDREN = ("Sales Invoice Item", "Sales Taxes and Charges", "Payment Schedule")

KNOWN_SOURCES = {"e3388fe0d349f53c": "ERPNext 15.71.1 on Frappe 15.72.4"}
"""Digests of the posting code that the quick way stands in for, of releases where both post the same."""

STOOD_IN_FOR = (
	Document.insert,
	Document._save,
	Document._set_defaults,
	Document.run_before_save_methods,
	Document.run_post_save_methods,
	Document.set_user_and_timestamp,
	Document._validate,
	BaseDocument.db_insert,
	BaseDocument._sanitize_content,
	Version.set_diff,
	AccountsController.validate,
	AccountsController.clear_unallocated_advances,
	SellingController.validate,
	StockController.validate,
	SalesInvoice.validate,
	SalesInvoice.before_submit,
	SalesInvoice.on_submit,
	SalesInvoice.set_status,
	SalesInvoice.make_gl_entries,
	general_ledger.make_gl_entries,
	general_ledger.process_gl_map,
	general_ledger.distribute_gl_based_on_cost_center_allocation,
	general_ledger.get_cost_center_allocation_data,
	validate_expense_against_budget,
	general_ledger.save_entries,
	general_ledger.make_entry,
	accounts_utils.create_payment_ledger_entry,
	accounts_utils.update_voucher_outstanding,
	GLEntry.on_update,
	PaymentLedgerEntry.on_update,
)

HARMLESS = {
	"frappe.desk.notifications.clear_doctype_notifications",
	"frappe.workflow.doctype.workflow_action.workflow_action.process_workflow_actions",
	"frappe.core.doctype.file.utils.attach_files_to_document",
	"frappe.automation.doctype.assignment_rule.assignment_rule.apply",
	"frappe.automation.doctype.assignment_rule.assignment_rule.update_due_date",
	"frappe.core.doctype.user_type.user_type.apply_permissions_for_non_standard_user_type",
	"frappe.social.doctype.energy_point_rule.energy_point_rule.process_energy_points",
	"frappe.automation.doctype.milestone_tracker.milestone_tracker.evaluate_milestone",
	"erpnext.support.doctype.service_level_agreement.service_level_agreement.apply",
	"erpnext.setup.doctype.transaction_deletion_record.transaction_deletion_record"
	".check_for_running_deletion_job",
	"erpnext.accounts.doctype.accounting_period.accounting_period.validate_accounting_period_on_doc_save",
	"erpnext.regional.create_transaction_log",
	"erpnext.regional.italy.utils.sales_invoice_on_submit",
}
"""Hooks of the two apps below us that do nothing for these documents unless a rule of `AUTOMATIONS` exists, or that
are run as they are."""

EVENTS = (
	"before_naming",
	"autoname",
	"before_insert",
	"before_validate",
	"validate",
	"before_save",
	"before_submit",
	"after_insert",
	"on_update",
	"on_submit",
	"before_change",
	"on_change",
)

AUTOMATIONS = (
	("Notification", "document_type", {"enabled": 1}),
	("Webhook", "webhook_doctype", {"enabled": 1}),
	("Server Script", "reference_doctype", {"disabled": 0}),
	("Assignment Rule", "document_type", {"disabled": 0}),
	("Workflow", "document_type", {"is_active": 1}),
	("Milestone Tracker", "document_type", {"disabled": 0}),
	("Energy Point Rule", "reference_doctype", {"enabled": 1}),
	("Service Level Agreement", "document_type", {"enabled": 1}),
)
"""Rules a site can make about a DocType: where they stand, the field that names it, when they are on."""

ELSEWHERE = (
	"is_return",
	"is_debit_note",
	"is_pos",
	"update_stock",
	"amended_from",
	"auto_repeat",
	"inter_company_invoice_reference",
	"is_internal_customer",
	"redeem_loyalty_points",
	"loyalty_program",
	"is_consolidated",
	"is_discounted",
	"write_off_account",
	"write_off_amount",
	"project",
	"subscription",
	"advances",
	"payments",
	"packed_items",
	"timesheets",
	"sales_team",
	"scan_barcode",
)
"""Fields of an invoice that make ERPNext do more than is done here."""

ROW_ELSEWHERE = ("sales_order", "so_detail", "delivery_note", "dn_detail", "asset", "project", "serial_no")


def site_allows(memory: Memory) -> bool:
	"""Whether this site's hooks, rules and code leave the quick way open. Looked at again when a rule changes."""
	if frappe.flags.in_import or frappe.flags.in_migrate or frappe.flags.in_install or frappe.flags.in_patch:
		return False
	if cint(frappe.get_cached_doc("TV Settings").get("post_invoices_ordinarily")):
		return False
	tables = frozenset(("Singles", "Transaction Deletion Record", *(rule[0] for rule in AUTOMATIONS)))
	return not memory.recall(("admission",), tables, lambda: tuple(obstacles()))


def obstacles() -> Iterator[str]:
	"""What keeps this site from the quick way, in words for its administrator's log; nothing when it is open."""
	if sources_digest() not in KNOWN_SOURCES:
		yield f"posting code of ERPNext or Frappe not known: {sources_digest()}"
	for doctype in (*WRITTEN, *CHILDREN):
		controller = get_controller(doctype)
		if not controller.__module__.startswith("erpnext."):
			yield f"{doctype} has a class of its own: {controller.__module__}"
	yield from _foreign_hooks()
	for rule, field, on in AUTOMATIONS:
		for name in frappe.get_all(rule, {field: ("in", WRITTEN), **on}, pluck="name"):
			yield f"{rule} {name}"
	if frappe.db.exists("Transaction Deletion Record", {"docstatus": 1, "status": ("!=", "Completed")}):
		yield "a Transaction Deletion Record is at work"
	if frappe.db.get_single_value("Accounts Settings", "enable_common_party_accounting"):
		yield "common party accounting"


def document_allows(doc) -> bool:
	"""Whether an invoice asks for nothing beyond what the quick way does; asked before and after its validation."""
	if any(doc.get(field) for field in ELSEWHERE) or doc.is_opening == "Yes":
		return False
	return not any(row.get(field) for row in doc.items for field in ROW_ELSEWHERE)


@lru_cache(maxsize=1)
def sources_digest() -> str:
	"""Of the source text of everything the quick way stands in for; one per release."""
	text = "".join(inspect.getsource(function) for function in STOOD_IN_FOR)
	return hashlib.sha256(text.encode()).hexdigest()[:16]


def _foreign_hooks() -> Iterator[str]:
	hooks = frappe.get_doc_hooks()
	for doctype in ("*", *WRITTEN):
		for event, handlers in hooks.get(doctype, {}).items():
			for handler in handlers if event in EVENTS else ():
				if handler not in HARMLESS and not handler.startswith("subscriber_tv."):
					yield f"hook {handler} on {event} of {doctype}"
