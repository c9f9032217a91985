"""Buttons of the bill run: preview, run, retry; one call each."""

import frappe

from subscriber_tv.api.guards import only_for
from subscriber_tv.flows.billing import open_items, start_run
from subscriber_tv.flows.billing import preview as preview_flow

STAFF_BILLING = ("TV Billing", "System Manager")
READERS = (
	*STAFF_BILLING,
	"TV Sales",
	"TV Back Office",
	"TV Logistics",
	"TV Support",
	"TV Marketing",
	"TV Management",
)
"""Everybody who may read a bill run: the form of a customer asks on their behalf."""


@frappe.whitelist(methods=["GET", "POST"])
def preview(company: str, bill_until: str, payer: str | None = None) -> dict:
	"""What a bill run of `company` would bill for periods starting until `bill_until` (ISO); writes nothing.

	PermissionError without the role TV Billing.
	"""
	only_for(*STAFF_BILLING)
	return preview_flow.preview(company=company, bill_until=bill_until, payer=payer or None)


@frappe.whitelist(methods=["POST"])
def start(bill_run: str) -> None:
	"""Start or resume a submitted TV Bill Run. PermissionError without TV Billing and the right to submit it."""
	_require_run(bill_run)
	start_run.start(bill_run)


@frappe.whitelist(methods=["POST"])
def retry_parked(bill_run: str) -> int:
	"""Bill the parked payers of a run once more; returns their number. PermissionError as for `start`."""
	_require_run(bill_run)
	return start_run.retry_parked(bill_run)


@frappe.whitelist(methods=["GET", "POST"])
def to_be_billed_again(customer: str) -> list:
	"""Periods of a payer whose invoice was cancelled and that the next run bills anew: line, from, to."""
	only_for(*READERS)
	frappe.has_permission("Customer", doc=customer, throw=True)
	return open_items.to_be_billed_again(customer)


def _require_run(bill_run: str) -> None:
	only_for(*STAFF_BILLING)
	frappe.has_permission("TV Bill Run", ptype="submit", doc=bill_run, throw=True)
	if frappe.db.get_value("TV Bill Run", bill_run, "docstatus") != 1:
		frappe.throw(frappe._("Submit the bill run {0} first.").format(bill_run))
