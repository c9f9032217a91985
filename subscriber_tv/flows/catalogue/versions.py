"""Numbers the versions of an offer and keeps its current one."""

import frappe
from frappe import _


def next_version_no(offer: str) -> int:
	"""Next free number, taken under the lock of the offer: of two users at once the second gets the one after."""
	frappe.db.get_value("TV Offer", offer, "name", for_update=True)
	version = frappe.qb.DocType("TV Offer Version")
	rows = (
		frappe.qb.from_(version).select(version.version_no).where(version.offer == offer).for_update().run()
	)
	return max((number for (number,) in rows), default=0) + 1


def set_current_version(offer: str) -> None:
	"""Let the offer point to its newest submitted version, or to none."""
	newest = frappe.get_all(
		"TV Offer Version",
		{"offer": offer, "docstatus": 1},
		pluck="name",
		order_by="version_no desc",
		limit=1,
	)
	frappe.get_doc("TV Offer", offer).db_set("current_version", newest[0] if newest else None, notify=True)


def refuse_while_used(version: str) -> None:
	"""Raise ValidationError, naming subscriptions, when any was sold on this version."""
	used_by = frappe.get_all(
		"TV Subscription Change Line",
		{"offer_version": version, "parenttype": "TV Subscription Change"},
		pluck="parent",
		distinct=True,
		limit=100,
	)
	if not used_by:
		return
	subscriptions = sorted({name.rsplit("-C", 1)[0] for name in used_by})
	frappe.throw(
		_(
			"Version {0} cannot be cancelled: subscriptions such as {1} were sold on it. Disable its offer or submit a new version instead."
		).format(frappe.bold(version), frappe.bold(", ".join(subscriptions[:3]))),
		title=_("Version in Use"),
	)
