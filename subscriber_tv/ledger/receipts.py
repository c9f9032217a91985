"""The only maker of Purchase Receipts: serialised TVs received from a supplier."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import frappe


def receive_serials(
	*,
	company: str,
	supplier: str,
	warehouse: str,
	posting_date: date,
	item: str,
	costs: Mapping[str, Decimal],
) -> str:
	"""Receive serial numbers of one item on one submitted Purchase Receipt; return its name.

	:param costs: serial number -> purchase price in company currency, net of VAT; serials of one price share a row
	"""
	rows: dict[Decimal, list[str]] = {}
	for serial, cost in costs.items():
		rows.setdefault(cost, []).append(serial)
	doc = frappe.get_doc(
		{
			"doctype": "Purchase Receipt",
			"company": company,
			"supplier": supplier,
			"set_posting_time": 1,
			"posting_date": posting_date,
			"posting_time": "08:00:00",
			"items": [
				{
					"item_code": item,
					"qty": len(serials),
					"rate": float(cost),
					"warehouse": warehouse,
					"use_serial_batch_fields": 1,
					"serial_no": "\n".join(serials),
				}
				for cost, serials in rows.items()
			],
		}
	)
	# Imports call this after their own check of roles; ERPNext's rules on the document still apply.
	doc.flags.ignore_permissions = True
	doc.insert()
	doc.submit()
	return doc.name
