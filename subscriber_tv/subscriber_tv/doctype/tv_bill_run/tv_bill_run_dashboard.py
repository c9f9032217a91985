from frappe import _


def get_data():
	"""Connections of a bill run: the invoices and credit notes it made, and what its preview showed."""
	return {
		"fieldname": "tv_bill_run",
		"non_standard_fieldnames": {"TV Bill Preview Line": "bill_run", "TV First Bill": "bill_run"},
		"transactions": [
			{"label": _("Invoices"), "items": ["Sales Invoice"]},
			{"label": _("Preview"), "items": ["TV Bill Preview Line", "TV First Bill"]},
		],
	}
