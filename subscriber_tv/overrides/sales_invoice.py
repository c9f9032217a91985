"""Sales Invoice: an invoice of ours holds its claims exactly as long as it stands."""

import frappe
from frappe import _

from subscriber_tv.flows.billing.claims import claim_rows, free_claims
from subscriber_tv.flows.billing.watch import stir
from subscriber_tv.flows.collections.follow_invoice import close_disputes, reopen_dispute
from subscriber_tv.flows.settings import phase_on
from subscriber_tv.flows.usage.mark_billed import free_marks, mark_billed

#: Documents that point at an invoice without resting on it: they do not keep it from being cancelled.
FOLLOWERS = ("TV Bill Run", "TV Billed Period", "TV Usage Record")


def on_submit(doc, method: str | None = None) -> None:
	"""Claim the periods our rows bill; an amended invoice claims them again."""
	if phase_on("billing"):
		claim_rows(doc)
		mark_billed(doc)
	# Also while billing is off: it may be on again before the next run.
	if doc.is_return or not doc.flags.decided:
		stir(doc)


def on_cancel(doc, method: str | None = None) -> None:
	"""Free the periods: they are billed again by the next run, and the user is told so."""
	# The bill run goes on naming the invoice; ERPNext's own on_cancel has set this list just before.
	doc.ignore_linked_doctypes = (*(doc.get("ignore_linked_doctypes") or ()), *FOLLOWERS)
	stir(doc)
	if not phase_on("billing"):
		return
	free_marks(doc.name)
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
	_follow_disputes(doc)


def _follow_disputes(doc) -> None:
	if doc.get("tv_dispute"):
		reopen_dispute(doc.name, doc.tv_dispute)
	elif not doc.is_return:
		close_disputes(doc.name)


def on_trash(doc, method: str | None = None) -> None:
	"""A deleted invoice leaves no claim behind."""
	stir(doc)
	if phase_on("billing"):
		free_claims(doc.name)
		free_marks(doc.name)
