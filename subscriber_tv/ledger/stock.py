"""The only maker of stock vouchers: transfers of rented TVs and delivery notes of sold ones."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import frappe
from frappe import _
from frappe.utils import getdate, today

END_OF_DAY = "23:59:59"
"""Time of a voucher that is entered after its day, so that it follows whatever happened on that day."""


class NoPrice(frappe.ValidationError):
	"""A TV to be sold has no selling price."""


@dataclass(frozen=True, slots=True)
class SerialLot:
	"""Serial numbers of one item that leave one warehouse together."""

	item: str
	warehouse: str
	serials: tuple[str, ...]


def transfer(
	*,
	company: str,
	lots: Iterable[SerialLot],
	to_warehouse: str,
	subscription: str | None,
	posting_date: date | None,
) -> str:
	"""Submit a Stock Entry (Material Transfer) of these serials; return its name.

	:param subscription: the TV Subscription whose site receives them; None when they come back
	"""
	entry = frappe.new_doc("Stock Entry")
	entry.update(
		{
			"stock_entry_type": "Material Transfer",
			"purpose": "Material Transfer",
			"company": company,
			"tv_subscription": subscription,
		}
	)
	_set_posting(entry, posting_date)
	for lot in lots:
		entry.append("items", {**_row(lot), "s_warehouse": lot.warehouse, "t_warehouse": to_warehouse})
	return _submit(entry)


def deliver_sold(
	*, company: str, customer: str, lots: Iterable[SerialLot], subscription: str, posting_date: date | None
) -> str:
	"""Submit a Delivery Note of these serials at their selling price; return its name. Errors: NoPrice.

	Rates and taxes are those that ERPNext proposes (Item Price, tax template); cost of goods is booked by it.
	"""
	note = frappe.new_doc("Delivery Note")
	note.update({"company": company, "customer": customer, "tv_subscription": subscription})
	_set_posting(note, posting_date)
	for lot in lots:
		note.append("items", {**_row(lot), "warehouse": lot.warehouse})
	note.set_missing_values()
	note.calculate_taxes_and_totals()
	for row in note.items:
		if not row.rate:
			frappe.throw(
				_(
					"Item {0} has no selling price. Add an Item Price in price list {1}, then deliver again."
				).format(frappe.bold(row.item_code), frappe.bold(note.selling_price_list)),
				NoPrice,
				title=_("No Price"),
			)
	return _submit(note)


def _row(lot: SerialLot) -> dict:
	return {
		"item_code": lot.item,
		"qty": len(lot.serials),
		"use_serial_batch_fields": 1,
		"serial_no": "\n".join(lot.serials),
	}


def _set_posting(doc, posting_date: date | None) -> None:
	if posting_date and getdate(posting_date) < getdate(today()):
		doc.set_posting_time = 1
		doc.posting_date = getdate(posting_date)
		doc.posting_time = END_OF_DAY


def _submit(doc) -> str:
	# Who may deliver TVs need not hold every right on stock vouchers; the endpoint has checked the role.
	doc.flags.ignore_permissions = True
	doc.insert()
	doc.submit()
	return doc.name
