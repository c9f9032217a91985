"""Stock Ledger Entry: the one place where every movement of a serial number passes, cancellations included."""

import frappe

from subscriber_tv.flows.devices import follow_stock
from subscriber_tv.flows.settings import phase_on


def on_submit(doc, method: str | None = None) -> None:
	"""Have the TVs of this voucher follow it before the transaction commits."""
	if phase_on("equipment") and frappe.get_cached_value("Item", doc.item_code, "has_serial_no"):
		follow_stock.register(doc.voucher_type, doc.voucher_no)
