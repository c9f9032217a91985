"""The usage that bills are decided from."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

import frappe
from frappe.query_builder.functions import Cast_, Sum

from subscriber_tv.core.billing.usage import Usage
from subscriber_tv.core.usage.inbox import COUNTED
from subscriber_tv.flows.usage.rows import DOCTYPE

CHUNK = 500


def usage_of(subscriptions: Iterable[str]) -> dict[str, tuple[Usage, ...]]:
	"""What counts of these subscriptions, summed by line, charge and day, in that order; one query for each 500.

	The index of the table holds all that is asked, so the rows themselves are not read.
	"""
	names = list(dict.fromkeys(subscriptions))
	found: dict[str, list[Usage]] = defaultdict(list)
	for start in range(0, len(names), CHUNK):
		for subscription, line_id, charge, day, quantity in _sums(names[start : start + CHUNK]):
			found[subscription].append(Usage(line_id, charge, day, Decimal(quantity)))
	return {name: tuple(usage) for name, usage in found.items()}


def _sums(names: list[str]) -> tuple:
	table = frappe.qb.DocType(DOCTYPE)
	keys = (table.subscription, table.line_id, table.charge_code, table.day)
	# As text: the driver would make a float of the sum.
	total = Cast_(Sum(table.quantity), "char")
	return (
		frappe.qb.from_(table)
		.select(*keys, total)
		.where(table.subscription.isin(names) & table.state.isin(COUNTED))
		.groupby(*keys)
		.orderby(*keys)
		.run()
	)
