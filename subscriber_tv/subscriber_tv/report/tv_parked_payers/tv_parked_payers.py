"""Payers that bill runs have parked and nobody has billed since, with the reason; the form retries them from here."""

from frappe import _

from subscriber_tv.flows.billing.parked import parked_payers


def execute(filters: dict | None = None) -> tuple[list[dict], list[dict]]:
	"""Columns and rows; the filter `company` narrows them down."""
	return _columns(), parked_payers((filters or {}).get("company"))


def _columns() -> list[dict]:
	return [
		_link("payer", _("Payer"), "Customer", 220),
		{"fieldname": "reason", "label": _("Reason"), "fieldtype": "Small Text", "width": 520},
		_link("bill_run", _("TV Bill Run"), "TV Bill Run", 140),
		{"fieldname": "posting_date", "label": _("Posting Date"), "fieldtype": "Date", "width": 110},
		_link("invoice", _("Billed All the Same"), "Sales Invoice", 160),
		_link("company", _("Company"), "Company", 140),
	]


def _link(fieldname: str, label: str, doctype: str, width: int) -> dict:
	return {"fieldname": fieldname, "label": label, "fieldtype": "Link", "options": doctype, "width": width}
