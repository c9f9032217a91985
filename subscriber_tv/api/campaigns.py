"""Buttons of the campaigns, TV Price Revision and TV Migration: preview, start, retry, take back; one call each."""

import frappe
from frappe import _

from subscriber_tv.api.guards import only_for
from subscriber_tv.flows.campaigns import preview as preview_flow
from subscriber_tv.flows.campaigns import start as start_flow
from subscriber_tv.flows.campaigns.kinds import kind_of
from subscriber_tv.flows.campaigns.targets import counters

PREPARING = ("TV Marketing", "TV Billing", "TV Management", "System Manager")
DECIDING = ("TV Billing", "TV Management", "System Manager")


@frappe.whitelist(methods=["GET", "POST"])
def preview(doctype: str, campaign: str) -> dict:
	"""What a campaign, draft or not, would change now: revenue, segments, outliers. Writes nothing.

	{"waiting": True} while a worker makes it. PermissionError without a role that prepares campaigns.
	"""
	only_for(*PREPARING)
	return preview_flow.ask(_campaign(doctype, campaign, "read"))


@frappe.whitelist(methods=["GET", "POST"])
def state_of(doctype: str, campaign: str) -> dict:
	"""How far a campaign the user may read is: its status, and its contracts by outcome as they are now."""
	doc = _campaign(doctype, campaign, "read")
	return {"status": doc.status, **counters(doc)}


@frappe.whitelist(methods=["POST"])
def start(doctype: str, campaign: str) -> None:
	"""Start a submitted campaign or go on with it. PermissionError without the right to submit it."""
	start_flow.start(_submitted(doctype, campaign))


@frappe.whitelist(methods=["POST"])
def retry_parked(doctype: str, campaign: str) -> int:
	"""Try the parked contracts once more; returns their number. PermissionError as for `start`."""
	return start_flow.retry_parked(_submitted(doctype, campaign))


@frappe.whitelist(methods=["POST"])
def take_back(doctype: str, campaign: str) -> int:
	"""Take back every change of the campaign; returns their number. PermissionError as for `start`."""
	return start_flow.take_back(_submitted(doctype, campaign))


def _submitted(doctype: str, campaign: str):
	only_for(*DECIDING)
	doc = _campaign(doctype, campaign, "submit")
	if doc.docstatus != 1:
		frappe.throw(_("Submit {0} first.").format(frappe.bold(campaign)))
	return doc


def _campaign(doctype: str, campaign: str, ptype: str):
	kind_of(doctype)
	doc = frappe.get_doc(doctype, campaign)
	frappe.has_permission(doctype, ptype, doc=doc, throw=True)
	return doc
