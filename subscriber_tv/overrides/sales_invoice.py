"""Sales Invoice: an invoice of ours holds its claims exactly as long as it stands."""

import frappe
from frappe import _

from subscriber_tv.flows.billing.claims import claim_rows, free_claims
from subscriber_tv.flows.settings import phase_on

#: Documents that point at an invoice without resting on it: they do not keep it from being cancelled.
FOLLOWERS = ("TV Bill Run", "TV Billed Period")


def on_submit(doc, method: str | None = None) -> None:
	"""Claim the periods our rows bill; an amended invoice claims them again."""
	if phase_on("billing"):
		claim_rows(doc)


def on_cancel(doc, method: str | None = None) -> None:
	"""Free the periods: they are billed again by the next run, and the user is told so."""
	# The bill run goes on naming the invoice; ERPNext's own on_cancel has set this list just before.
	doc.ignore_linked_doctypes = (*(doc.get("ignore_linked_doctypes") or ()), *FOLLOWERS)
	if not phase_on("billing"):
		return
	if freed := free_claims(doc.name):
		if doc.is_return:
			text = _("{0} credits of {1} are undone: the next bill run credits anew what was not served.")
		else:
			text = _("{0} billed periods of {1} are free again: the next bill run bills them anew.")
		frappe.msgprint(
			text.format(freed, doc.customer),
			title=_("To Be Credited Again") if doc.is_return else _("To Be Billed Again"),
			indicator="orange",
		)


def on_trash(doc, method: str | None = None) -> None:
	"""A deleted invoice leaves no claim behind."""
	if phase_on("billing"):
		free_claims(doc.name)
