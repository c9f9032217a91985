from frappe import _


def get_data():
	"""Connections of a bill run: the invoices and credit notes it made."""
	return {
		"fieldname": "tv_bill_run",
		"transactions": [{"label": _("Invoices"), "items": ["Sales Invoice"]}],
	}
