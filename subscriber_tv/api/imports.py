"""CSV import from the desk: upload a file, load it in a worker, show progress, keep the report."""

import frappe
from frappe import _

from subscriber_tv.api.guards import only_for, require_company
from subscriber_tv.core.imports.rows import KINDS
from subscriber_tv.flows.imports import find

ROLES: dict[str, tuple[str, ...]] = {
	"channels": ("TV Marketing",),
	"bouquets": ("TV Marketing",),
	"offers": ("TV Marketing",),
	"models": ("TV Logistics",),
	"receipts": ("TV Logistics",),
	"deliveries": ("TV Logistics",),
	"customers": ("TV Back Office",),
	"sites": ("TV Back Office",),
	"subscriptions": ("TV Back Office",),
	"changes": ("TV Back Office",),
	"bindings": ("TV Back Office",),
}
"""Who may load which kind, besides System Manager."""

OF_THE_OPERATOR = ("offers", "receipts", "subscriptions", "changes", "deliveries", "bindings")
"""Kinds whose rows are written for the company of TV Settings."""

JOB_SECONDS = 3600


@frappe.whitelist(methods=["POST"])
def import_csv(kind: str, file_url: str) -> str:
	"""Load an uploaded CSV file of this kind in a worker; return the job's id.

	The user is told by the realtime event `subscriber_tv_import` when it is done. Errors: PermissionError for other
	roles, another person's file or a company that user permissions keep from the user, ValidationError for an unknown
	kind.
	"""
	if kind not in KINDS:
		frappe.throw(_("There is no kind of file called {0}.").format(kind))
	only_for("System Manager", *ROLES[kind])
	if kind in OF_THE_OPERATOR:
		require_company(find.company())
	name = frappe.db.get_value("File", {"file_url": file_url, "owner": frappe.session.user})
	if not name:
		raise frappe.PermissionError
	job_id = f"subscriber-tv-import-{name}-{kind}"
	frappe.enqueue(
		"subscriber_tv.flows.imports.load_upload.load_upload",
		queue="long",
		timeout=JOB_SECONDS,
		job_id=job_id,
		deduplicate=True,
		enqueue_after_commit=True,
		kind=kind,
		file=name,
	)
	return job_id
