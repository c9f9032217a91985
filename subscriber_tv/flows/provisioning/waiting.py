"""How many orders of a platform wait, are tried again, or are refused."""

import frappe
from frappe.query_builder.functions import Count

from subscriber_tv.core.provisioning import orders
from subscriber_tv.flows.provisioning.write_orders import ORDER


def figures(platform: str) -> dict[str, int]:
	"""Orders by state, of the states that wait for something."""
	table = frappe.qb.DocType(ORDER)
	query = frappe.qb.from_(table).select(table.state, Count("*")).where(table.platform == platform)
	return dict(query.where(table.state.isin((*orders.OPEN, orders.FAILED))).groupby(table.state).run())
