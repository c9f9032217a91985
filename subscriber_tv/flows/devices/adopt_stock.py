"""Makes TV Devices of serial numbers that were in stock before their model was known here."""

import frappe

from subscriber_tv.flows.devices import follow_stock
from subscriber_tv.flows.settings import phase_on

VOUCHERS_AT_ONCE = 50


def adopt_stock(model: str) -> int:
	"""Follow the past vouchers of the model's serials that have no TV Device yet, oldest first; return how many they are.

	Serials that have one keep it: theirs followed the stock already. Commits as it goes; run again it finds the rest.
	"""
	if not phase_on("equipment"):
		return 0
	item = frappe.db.get_value("TV Device Model", model, "item")
	serials = _unknown_serials(item)
	for number, voucher in enumerate(_vouchers(item) if serials else (), start=1):
		follow_stock.follow(*voucher, only=serials)
		if number % VOUCHERS_AT_ONCE == 0:
			# A long list of vouchers: what is done stays done.
			frappe.db.commit()  # nosemgrep
	return len(serials)


def _unknown_serials(item: str) -> set[str]:
	serial, device = frappe.qb.DocType("Serial No"), frappe.qb.DocType("TV Device")
	return set(
		frappe.qb.from_(serial)
		.left_join(device)
		.on(device.name == serial.name)
		.select(serial.name)
		.where((serial.item_code == item) & device.name.isnull())
		.run(pluck=True)
	)


def _vouchers(item: str) -> list[tuple[str, str]]:
	entry = frappe.qb.DocType("Stock Ledger Entry")
	rows = (
		frappe.qb.from_(entry)
		.select(entry.voucher_type, entry.voucher_no)
		.where((entry.item_code == item) & (entry.is_cancelled == 0))
		.orderby(entry.posting_datetime, entry.creation)
		.run()
	)
	return list(dict.fromkeys(rows))
