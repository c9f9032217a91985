"""Approval of a TV Bill Run: whether it may bill, who let it go or stopped it, and when.

	submitted -> preview -> nothing to look at and TV Settings ask for no approval -> runs
	                     -> outliers, or TV Settings ask -> waits -> approved -> runs
	                                                              -> refused  -> cancelled

Two persons: whoever submitted a run never approves it, whatever roles he has.
"""

import frappe
from frappe import _
from frappe.desk.doctype.notification_log.notification_log import enqueue_create_notification
from frappe.utils import add_to_date, now_datetime

from subscriber_tv.flows.billing import first_bills
from subscriber_tv.flows.billing.preview_run import READY, make_preview

APPROVERS = ("TV Management", "System Manager")

NOT_NEEDED, NEEDED, GIVEN, REFUSED = "Not Needed", "Needed", "Given", "Refused"
ALWAYS, NEVER, OUTLIERS = "Always", "Never", "When Outliers Exist"


def policy() -> str:
	"""When runs wait for approval, as TV Settings say."""
	return frappe.get_cached_doc("TV Settings").get("run_approval") or OUTLIERS


def may_go(bill_run: str) -> bool:
	"""Whether a submitted run may bill. Previews it first when that is what decides. Commits.

	Errors: those of the preview.
	"""
	fields = ["approval", "started_at", "preview_status", "previewed_at"]
	run = frappe.db.get_value("TV Bill Run", bill_run, fields, as_dict=True)
	if run.approval or run.started_at:
		return run.approval not in (NEEDED, REFUSED)
	if policy() != NEVER and not _is_fresh(run):
		frappe.db.set_value("TV Bill Run", bill_run, "status", "Previewing")
		# Seen while the preview works.
		frappe.db.commit()  # nosemgrep
		make_preview(bill_run=bill_run)
	return _judge(bill_run)


def _judge(bill_run: str) -> bool:
	frappe.db.rollback()  # the lock is the first statement, see lock.py
	fields = ["docstatus", "approval", "preview_status", "preview_outliers"]
	run = frappe.db.get_value("TV Bill Run", bill_run, fields, as_dict=True, for_update=True)
	if run.approval or run.docstatus != 1:
		going = run.docstatus == 1 and run.approval not in (NEEDED, REFUSED)
	else:
		reason = _why(run)
		going = not reason and (policy() == NEVER or run.preview_status == READY)
		if going:
			frappe.db.set_value("TV Bill Run", bill_run, {"approval": NOT_NEEDED, "status": "Queued"})
		elif reason:
			values = {"approval": NEEDED, "approval_reason": reason, "status": "Awaiting Approval"}
			frappe.db.set_value("TV Bill Run", bill_run, values)
			_ask(bill_run, reason)
	# The judgement stands before the first payer is billed.
	frappe.db.commit()  # nosemgrep
	return going


def _is_fresh(run) -> bool:
	"""A preview made on the draft counts for a day: contracts go on changing."""
	return run.preview_status == READY and run.previewed_at > add_to_date(now_datetime(), days=-1)


def _why(run) -> str | None:
	asked = policy()
	if asked == NEVER:
		return None
	if run.preview_outliers:
		return _("{0} outliers in the preview").format(run.preview_outliers)
	return _("TV Settings ask for it") if asked == ALWAYS else None


def approve(*, bill_run: str, user: str) -> None:
	"""Let a waiting run go, and confirm the first bills its preview shows. The caller starts it.

	Errors: PermissionError for a user who may not; ValidationError when it does not wait (any longer).
	"""
	_decide(bill_run, user, GIVEN, "Queued")
	if frappe.db.get_value("TV Bill Run", bill_run, "preview_status") == READY:
		first_bills.confirm(bill_run, user)


def refuse(*, bill_run: str, user: str, reason: str) -> None:
	"""Stop a waiting run for good: it is cancelled, with the reason. Errors as for `approve`."""
	_decide(bill_run, user, REFUSED, "Awaiting Approval")
	doc = frappe.get_doc("TV Bill Run", bill_run)
	doc.add_comment("Comment", _("Refused: {0}").format(frappe.utils.escape_html(reason)))
	# An approver reads bill runs and cancels none but those put before him; that has just been checked.
	doc.flags.ignore_permissions = True
	doc.cancel()


def _decide(bill_run: str, user: str, approval: str, status: str) -> None:
	if not set(APPROVERS) & set(frappe.get_roles(user)):
		raise frappe.PermissionError(
			_("{0} may not approve bill runs: the role TV Management is needed.").format(user)
		)
	fields = ["docstatus", "approval", "submitted_by", "approved_by", "owner"]
	run = frappe.db.get_value("TV Bill Run", bill_run, fields, as_dict=True, for_update=True)
	if not run or run.docstatus != 1 or run.approval != NEEDED:
		by = run.approved_by if run else None
		frappe.throw(
			_("Bill run {0} does not wait for approval. {1}").format(
				bill_run, _("{0} has decided it.").format(by) if by else ""
			)
		)
	if user == (run.submitted_by or run.owner):
		raise frappe.PermissionError(
			_("{0} submitted this run: another person has to approve it.").format(user)
		)
	frappe.db.set_value(
		"TV Bill Run",
		bill_run,
		{"approval": approval, "approved_by": user, "approved_at": now_datetime(), "status": status},
	)


def _ask(bill_run: str, reason: str) -> None:
	"""Tell those who may approve, except whoever submitted the run."""
	asker = frappe.db.get_value("TV Bill Run", bill_run, "submitted_by")
	role, user = frappe.qb.DocType("Has Role"), frappe.qb.DocType("User")
	rows = (
		frappe.qb.from_(role)
		.join(user)
		.on(role.parent == user.name)
		.select(user.email)
		.distinct()
		.where((role.role == APPROVERS[0]) & (user.enabled == 1) & (user.name != (asker or "")))
		.run()
	)
	if not rows:
		return
	enqueue_create_notification(
		[row[0] for row in rows],
		{
			"type": "Alert",
			"document_type": "TV Bill Run",
			"document_name": bill_run,
			"subject": _("Bill run {0} waits for your approval: {1}").format(bill_run, reason),
			"from_user": asker or frappe.session.user,
		},
	)
