"""Connections from ERPNext's forms to the app's records; each function extends what ERPNext shows there."""

from frappe import _


def customer(data: dict) -> dict:
	"""Customer: sites, subscriptions, TVs, disputes."""
	return _extend(data, ["TV Subscription", "TV Site", "TV Device", "TV Dispute"], "customer")


def serial_no(data: dict) -> dict:
	"""Serial No: its TV Device."""
	return _extend(data, ["TV Device"], "serial_no")


def item(data: dict) -> dict:
	"""Item: the models it is sold as and the TVs of them."""
	return _extend(data, ["TV Device Model", "TV Device"], "item")


def purchase_receipt(data: dict) -> dict:
	"""Purchase Receipt: the TVs it brought."""
	data = _extend(data, ["TV Device"], "receipt_no")
	data.setdefault("dynamic_links", {})["receipt_no"] = ["Purchase Receipt", "receipt_type"]
	return data


def sales_invoice(data: dict) -> dict:
	"""Sales Invoice: the run that made it, what it bills, the periods it claims, what is disputed of it."""
	data = _extend(
		data,
		["TV Billed Period", "TV Usage Record", "TV Bill Run", "TV Subscription", "TV Dispute"],
		"invoice",
	)
	data.setdefault("internal_links", {}).update(
		{"TV Bill Run": "tv_bill_run", "TV Subscription": ["items", "tv_subscription"]}
	)
	return data


def _extend(data: dict, doctypes: list[str], fieldname: str) -> dict:
	data.setdefault("fieldname", fieldname)
	if data["fieldname"] != fieldname:
		names = data.setdefault("non_standard_fieldnames", {})
		names.update(dict.fromkeys(doctypes, fieldname))
	data.setdefault("transactions", []).append({"label": _("Subscriber TV"), "items": doctypes})
	return data
