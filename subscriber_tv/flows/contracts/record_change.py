"""The one writer of TV Subscription Change rows and of the cache in TV Subscription."""

import frappe

from subscriber_tv.core.contracts.timeline import Change, Contract


def record_change(subscription: str, change: Change, reason: str | None = None) -> str:
	"""Insert one change, submitted at once; return its name. The caller holds the lock of the subscription."""
	doc = frappe.get_doc(
		{
			"doctype": "TV Subscription Change",
			"docstatus": 1,
			"subscription": subscription,
			"change_no": change.no,
			"event": change.event,
			"from_state": change.from_state,
			"to_state": change.to_state,
			"effective_date": change.effective,
			"end_date": change.end,
			"reason": reason,
			"known_on": frappe.utils.now_datetime(),
			"author": frappe.session.user,
			"lines": [
				{"line_id": line.line_id, "offer_version": line.offer_version, "quantity": line.quantity}
				for line in change.lines
			],
		}
	)
	# Nobody has write access to changes: whoever may cause this event was checked by the endpoint or by
	# the permission on the subscription itself.
	doc.flags.ignore_permissions = True
	doc.flags.recorded_by_flow = True
	return doc.insert().name


def refresh_cache(doc, contract: Contract, change_count: int, last_change: str) -> None:
	"""Write what the changes make of a TV Subscription into its own fields and tell open forms."""
	doc.db_set(
		{
			"state": contract.state,
			"state_since": contract.state_since(),
			"activated_on": contract.activated_on,
			"end_date": contract.end_date,
			"change_count": change_count,
			"last_change": last_change,
		},
		notify=True,
	)


def discard_only_change(subscription: str) -> None:
	"""Remove the change that opened a draft, before the draft itself is deleted."""
	changes = frappe.get_all("TV Subscription Change", {"subscription": subscription}, pluck="name")
	for name in changes:
		frappe.db.delete("TV Subscription Change Line", {"parent": name})
		frappe.db.delete("TV Subscription Change", {"name": name})
