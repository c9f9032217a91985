"""Load customers and the sites they are served at."""

import frappe

from subscriber_tv.core.imports.rows import CustomerRow, SiteRow
from subscriber_tv.flows.imports import find


def load_customer(rows: list[CustomerRow]) -> bool:
	"""Create the customer or bring type, segment and sector up to the row."""
	row = rows[0]
	name = frappe.db.get_value("Customer", {"customer_name": row.customer_name})
	doc = (
		frappe.get_doc("Customer", name)
		if name
		else frappe.get_doc({"doctype": "Customer", "customer_name": row.customer_name})
	)
	return find.save_if_changed(
		doc,
		{
			"customer_type": row.customer_type,
			"customer_group": find.by_name("Customer Group", row.segment),
			"territory": find.by_name("Territory", row.sector),
		},
	)


def load_site(rows: list[SiteRow]) -> bool:
	"""Create the site with its address, or bring it up to the row."""
	row = rows[0]
	customer = find.customer(row.customer)
	name = frappe.db.get_value("TV Site", {"customer": customer, "site_name": row.site_name})
	doc = (
		frappe.get_doc("TV Site", name)
		if name
		else frappe.get_doc({"doctype": "TV Site", "customer": customer, "site_name": row.site_name})
	)
	address, moved = _load_address(doc.address, customer, row)
	saved = find.save_if_changed(
		doc,
		{
			"address": address,
			"outlet_type": row.outlet_type,
			"outlets_installed": row.outlets_installed,
			"outlets_potential": row.outlets_potential or row.outlets_installed,
			"time_zone": row.time_zone,
		},
	)
	return saved or moved


def _load_address(name: str | None, customer: str, row: SiteRow) -> tuple[str, bool]:
	doc = (
		frappe.get_doc("Address", name)
		if name
		else frappe.get_doc(
			{
				"doctype": "Address",
				"address_title": row.site_name,
				"address_type": "Shipping",
				"links": [{"link_doctype": "Customer", "link_name": customer}],
			}
		)
	)
	values = {
		"address_line1": row.address,
		"pincode": row.postcode,
		"city": row.city,
		"country": find.by_name("Country", row.country),
	}
	saved = find.save_if_changed(doc, values)
	return doc.name, saved
