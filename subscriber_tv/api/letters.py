"""Buttons for letters, of a price revision or of the renewals: send, print, note as posted; one call each."""

import frappe
from frappe import _

from subscriber_tv.api.guards import only_for
from subscriber_tv.flows.letters import post
from subscriber_tv.flows.letters import send as send_flow
from subscriber_tv.flows.letters.kinds import LETTERS, PRICES

STAFF_WRITING = ("TV Marketing", "TV Billing", "TV Management", "System Manager")


@frappe.whitelist(methods=["POST"])
def send(doctype: str, campaign: str | None = None) -> int:
	"""Let a worker e-mail the letters that wait; returns their number. PermissionError without a role."""
	_require(doctype, campaign)
	return send_flow.ask(doctype, campaign or None)


@frappe.whitelist(methods=["GET", "POST"])
def print_waiting(doctype: str, campaign: str | None = None, everybody: int = 0) -> None:
	"""Answer with one PDF of the letters without an e-mail address, or of all that wait. PermissionError as above."""
	_require(doctype, campaign)
	frappe.local.response.filename = post.file_name(doctype, campaign)
	frappe.local.response.filecontent = post.print_waiting(
		doctype=doctype, campaign=campaign or None, without_address=not everybody
	)
	frappe.local.response.type = "pdf"


@frappe.whitelist(methods=["POST"])
def mark_posted(doctype: str, campaign: str | None = None, everybody: int = 0) -> int:
	"""Note that the printed letters were posted; returns their number. PermissionError as above."""
	_require(doctype, campaign)
	return post.mark_posted(doctype=doctype, campaign=campaign or None, without_address=not everybody)


def _require(doctype: str, campaign: str | None) -> None:
	only_for(*STAFF_WRITING)
	if doctype not in LETTERS:
		frappe.throw(_("{0} has no letters.").format(_(doctype)))
	if doctype != PRICES:
		return
	doc = frappe.get_doc("TV Price Revision", campaign)
	frappe.has_permission("TV Price Revision", "read", doc=doc, throw=True)
	if doc.docstatus != 1:
		frappe.throw(_("Submit {0} first.").format(frappe.bold(campaign)))
