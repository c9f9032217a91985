"""Counts the TVs that are bound to a line of a subscription now, whoever else is at work on it."""

import frappe


def tvs_on_line(subscription: str, line_id: str) -> int:
	"""TVs bound to the line, past this transaction's snapshot: somebody else may have bound one just now.

	The caller holds the lock of the subscription, as whoever binds or unbinds does.
	"""
	device = frappe.qb.DocType("TV Device")
	query = frappe.qb.from_(device).select(device.name)
	query = query.where((device.subscription == subscription) & (device.line_id == line_id))
	return len(query.for_update().run())
