"""Buttons of the bill run: preview, approve, run, retry; one call each."""

import frappe
from frappe import _

from subscriber_tv.api.guards import only_for
from subscriber_tv.api.values import day_of
from subscriber_tv.flows.billing import (
	approve_run,
	chunks,
	facts,
	first_bills,
	open_items,
	preview_run,
	start_run,
)
from subscriber_tv.flows.billing import preview as preview_flow
from subscriber_tv.flows.permitted import permitted

STAFF_BILLING = ("TV Billing", "System Manager")
STAFF_LOOKING = (*STAFF_BILLING, "TV Management")
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

MOST_AT_ONCE = 200
"""Payers that a request previews by itself, or retries; more go through a run's background preview, or the run's own
button."""


@frappe.whitelist(methods=["GET", "POST"])
def preview(company: str, bill_until: str, payer: str | None = None) -> dict:
	"""What a bill run of `company` would bill for periods starting until `bill_until` (ISO), row by row; writes nothing.

	For one payer, or a company of at most 200 of them: ValidationError beyond. PermissionError without the role TV
	Billing or TV Management, or when user permissions keep the company or the payer from the user.
	"""
	only_for(*STAFF_LOOKING)
	asked = frappe.get_doc({"doctype": "TV Bill Run", "company": company, "payer": payer or None})
	frappe.has_permission("TV Bill Run", doc=asked, throw=True)
	until = day_of(bill_until)
	if not payer and len(facts.payers(company)) > MOST_AT_ONCE:
		frappe.throw(
			_("{0} has more than {1} payers. Save a bill run and preview it in the background.").format(
				company, MOST_AT_ONCE
			)
		)
	return preview_flow.preview(company=company, bill_until=until, payer=payer or None)


@frappe.whitelist(methods=["POST"])
def ask_preview(bill_run: str) -> None:
	"""Preview a saved bill run in the background. PermissionError without TV Billing or TV Management."""
	only_for(*STAFF_LOOKING)
	frappe.has_permission("TV Bill Run", doc=bill_run, throw=True)
	if frappe.db.get_value("TV Bill Run", bill_run, "docstatus") == 2:
		frappe.throw(_("Bill run {0} is cancelled.").format(bill_run))
	preview_run.ask_preview(bill_run)


@frappe.whitelist(methods=["GET", "POST"])
def state_of(bill_run: str) -> dict:
	"""How far a run and its preview are: status, outcomes of the payers, the preview's progress and its summary."""
	only_for(*READERS)
	frappe.has_permission("TV Bill Run", doc=bill_run, throw=True)
	fields = ["status", "preview_status"]
	return {
		**frappe.db.get_value("TV Bill Run", bill_run, fields, as_dict=True),
		**chunks.outcomes(bill_run),
		"first_bills": first_bills.unconfirmed(bill_run),
		"progress": preview_run.progress(bill_run),
		"preview": preview_run.read_preview(bill_run),
	}


@frappe.whitelist(methods=["POST"])
def approve(bill_run: str) -> None:
	"""Let a waiting run go and start it. PermissionError without TV Management, or for whoever submitted the run."""
	only_for(*approve_run.APPROVERS)
	frappe.has_permission("TV Bill Run", doc=bill_run, throw=True)
	approve_run.approve(bill_run=bill_run, user=frappe.session.user)
	start_run.start(bill_run)


@frappe.whitelist(methods=["POST"])
def refuse(bill_run: str, reason: str) -> None:
	"""Cancel a waiting run with the reason. PermissionError as for `approve`."""
	only_for(*approve_run.APPROVERS)
	frappe.has_permission("TV Bill Run", doc=bill_run, throw=True)
	approve_run.refuse(bill_run=bill_run, user=frappe.session.user, reason=reason)


@frappe.whitelist(methods=["POST"])
def confirm_first_bills(bill_run: str) -> int:
	"""Confirm the first bills that the run's preview shows; returns their number. PermissionError as for `ask_preview`."""
	only_for(*STAFF_LOOKING)
	frappe.has_permission("TV Bill Run", doc=bill_run, throw=True)
	return first_bills.confirm(bill_run, frappe.session.user)


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


@frappe.whitelist(methods=["POST"])
def retry_lines(lines: list) -> int:
	"""Bill these parked payers (rows of bill runs) once more, at most 200; returns their number.

	PermissionError as for `start`.
	"""
	only_for(*STAFF_BILLING)
	if len(lines) > MOST_AT_ONCE:
		frappe.throw(_("Choose at most {0} payers, or retry a whole run on its form.").format(MOST_AT_ONCE))
	for name in set(frappe.get_all(chunks.LINE, {"name": ("in", lines)}, pluck="parent")):
		_require_run(name)
	return start_run.retry_lines([str(line) for line in lines])


@frappe.whitelist(methods=["GET", "POST"])
def to_be_billed_again(customer: str) -> list:
	"""Periods of a payer whose invoice was cancelled and that the next run bills anew: line, from, to.

	Of a payer of several companies, those of the contracts that user permissions leave to the user.
	"""
	only_for(*READERS)
	frappe.has_permission("Customer", doc=customer, throw=True)
	found = open_items.to_be_billed_again(customer)
	contracts = {row["line"]: row["line"].partition("/")[0] for row in found}
	own = permitted("TV Subscription", contracts.values())
	return [row for row in found if contracts[row["line"]] in own]


def _require_run(bill_run: str) -> None:
	only_for(*STAFF_BILLING)
	frappe.has_permission("TV Bill Run", ptype="submit", doc=bill_run, throw=True)
	if frappe.db.get_value("TV Bill Run", bill_run, "docstatus") != 1:
		frappe.throw(_("Submit the bill run {0} first.").format(bill_run))
