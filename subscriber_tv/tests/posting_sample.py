"""A varied sample of Sales Invoices, reproducible from a seed, and what posting one leaves in the database."""

import json
import random
import re
from collections.abc import Callable
from contextlib import contextmanager

import frappe
from frappe.utils import add_days, getdate

from subscriber_tv.setup.taxes import tax_master
from subscriber_tv.tests import factories

COMPANY = factories.COMPANY
WRITE = re.compile(
	r"^\s*(?:insert\s+into|update|delete\s+from|replace\s+into)\s+`?tab([^`\s]+(?: [^`]+)?)`?", re.I
)
STAMPS = {"creation", "modified"}
STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}")
HASH = re.compile(r"\b[0-9a-z]{10}\b")
CHILDREN = ("Sales Invoice Item", "Sales Taxes and Charges", "Payment Schedule", "Sales Invoice Advance")


class Sample:
	"""Makes the customers and items the invoices need, then invoice after invoice."""

	def __init__(self, seed: int) -> None:
		self.random = random.Random(seed)
		self._records()

	def _records(self) -> None:
		factories.make_operator()
		self.items = ["TV-SUBSCRIPTION", "TV-OPTION", "TV-RENTAL", "TV-ACTIVATION", _deposit_item()]
		self.items.append(factories.make_item("SAME-HOURS", stock_uom="Hour"))
		self.customers = [
			factories.make_customer("Same Plain"),
			_with_address(factories.make_customer("Same Address", language="fr", tax_id="FR40303265045")),
			factories.make_customer("Same Terms", payment_terms=_split_terms()),
			_with_contact(_with_address(factories.make_customer("Same Contact & Co"))),
			_with_credit_limit(factories.make_customer("Same Limit")),
		]
		self.foreign = factories.make_customer(
			"Same Dollars", default_currency="USD", accounts=_dollar_account()
		)
		self.subscription = (
			frappe.db.get_value("TV Subscription", {}, "name") or factories.make_subscription()
		)

	def invoice(self):
		"""The next invoice, not yet saved."""
		pick = self.random
		day = getdate(pick.choice(["2024-02-29", "2025-12-31", "2026-01-01", "2026-11-22", "2026-12-05"]))
		foreign = pick.random() < 0.12
		doc = frappe.new_doc("Sales Invoice")
		doc.update(
			{
				"customer": self.foreign if foreign else pick.choice(self.customers),
				"company": COMPANY,
				"currency": "USD" if foreign else "EUR",
				"posting_date": day,
				"set_posting_time": 1,
				"posting_time": "14:30:00",
				"naming_series": "FTV-.YYYY.-.#####",
				"ignore_pricing_rule": 1,
				"cost_center": frappe.get_cached_value("Company", COMPANY, "cost_center"),
				"taxes_and_charges": tax_master(COMPANY),
				**self._header(foreign),
			}
		)
		doc.set("taxes", _taxes())
		for _row in range(pick.choice([1, 1, 2, 3, 6])):
			doc.append("items", self._row(day))
		doc.flags.ignore_permissions = True
		doc.flags.decided = True
		return doc

	def _header(self, foreign: bool) -> dict:
		pick, header = self.random, {}
		if foreign:
			header["conversion_rate"] = pick.choice([0.9137, 0.87, 1.0345])
		if pick.random() < 0.2:
			header |= {
				"apply_discount_on": pick.choice(["Net Total", "Grand Total"]),
				pick.choice(["additional_discount_percentage", "discount_amount"]): pick.choice([2.5, 0.37]),
			}
		if pick.random() < 0.5:
			header["payment_terms_template"] = pick.choice(["30 jours", _split_terms()])
		if pick.random() < 0.3:
			header |= {"po_no": "BC-<7>", "po_date": "2026-01-31", "remarks": "Bon de commande"}
		if pick.random() < 0.3:
			header["disable_rounded_total"] = pick.choice([0, 1])
		if pick.random() < 0.2:
			header["language"] = pick.choice(["fr", "en"])
		return header

	def _row(self, day) -> dict:
		pick = self.random
		item = pick.choice(self.items)
		row = {
			"item_code": item,
			"qty": pick.choice([0.333, 12.5, 1] if item == "SAME-HOURS" else [1, 1, 3]),
			"rate": pick.choice([29.9, 7.45, 1234.56, 0.01, 100 / 3, 18.185]),
			"description": pick.choice(
				["Abonnement du 01-01 au 31-01", "Télévision <b>HD</b>", "Été & hiver"]
			),
			"tv_facts": json.dumps({"days": 31}),
			"enable_deferred_revenue": 0,
		}
		if frappe.get_cached_value("Item", item, "enable_deferred_revenue") and pick.random() < 0.7:
			row |= {
				"enable_deferred_revenue": 1,
				"service_start_date": day,
				"service_end_date": add_days(day, pick.choice([0, 30, 364])),
			}
		if pick.random() < 0.6:
			row |= {"customer_group": "Hotel", "territory": factories.make_territory()}
		if pick.random() < 0.2:
			row |= {"price_list_rate": row["rate"], "discount_percentage": 12.5, "rate": row["rate"] * 0.875}
		if pick.random() < 0.5:
			row |= {"tv_kind": "recurring", "tv_subscription": self.subscription, "tv_revision": 0}
		return row


@contextmanager
def undone():
	"""Take back everything the block wrote, names and numbers included."""
	frappe.db.savepoint("posting_sample")
	try:
		yield
	finally:
		frappe.db.rollback(save_point="posting_sample")


def trace(post: Callable, doc) -> dict[str, list]:
	"""Post a document and return all that it left, by table: rows without stamps, hashed names replaced.

	Of one that is refused the error is left.
	"""
	tables, began = set(), frappe.utils.now()
	try:
		with _watching(tables):
			post(doc)
	except frappe.ValidationError as refusal:
		return {"refused": [json.dumps({"error": f"{type(refusal).__name__}: {refusal}"})]}
	left = {table: _rows(table, began) for table in sorted(tables)}
	aliases = {
		row["name"]: f"{table}#{row['idx']}"
		for table in CHILDREN
		for row in left.get(table, ())
		if row["name"]
	}
	return {
		table: sorted(_plain(table, row, aliases) for row in rows) for table, rows in left.items() if rows
	}


@contextmanager
def _watching(tables: set[str]):
	"""Collect the names of the tables this connection writes to."""
	ask = frappe.local.db._cursor.execute

	def execute(query, *args):
		if found := WRITE.match(str(query)):
			tables.add(found[1])
		return ask(query, *args)

	frappe.local.db._cursor.execute = execute
	try:
		yield
	finally:
		frappe.local.db._cursor.execute = ask


def _rows(table: str, began: str) -> list[dict]:
	if table == "Series":
		return frappe.db.sql("select name, current from tabSeries", as_dict=True)
	source = frappe.qb.DocType(table)
	return frappe.qb.from_(source).select("*").where(source.modified >= began).run(as_dict=True)


def _plain(table: str, row: dict, aliases: dict[str, str]) -> str:
	values = {}
	for column, value in row.items():
		if column in STAMPS:
			continue
		if isinstance(value, str):
			for name, alias in aliases.items():
				value = value.replace(name, alias)
			value = STAMP.sub("stamp", value)
			if table == "Version" or column == "name":
				value = HASH.sub("hash", value)
		values[column] = value
	return json.dumps(values, sort_keys=True, default=str)


def _taxes() -> list[dict]:
	from erpnext.controllers.accounts_controller import get_taxes_and_charges

	return get_taxes_and_charges("Sales Taxes and Charges Template", tax_master(COMPANY))


def _deposit_item() -> str:
	"""An item at 0 %, as a deposit is."""
	title = "TVA 0 %"
	name = f"{title} - {frappe.get_cached_value('Company', COMPANY, 'abbr')}"
	if not frappe.db.exists("Item Tax Template", name):
		rows = [{"tax_type": tax["account_head"], "tax_rate": 0} for tax in _taxes()]
		frappe.get_doc(
			{"doctype": "Item Tax Template", "title": title, "company": COMPANY, "taxes": rows}
		).insert()
	return factories.make_item("SAME-DEPOSIT", taxes=[{"item_tax_template": name}])


def _split_terms() -> str:
	name = "Same 40-60"
	if not frappe.db.exists("Payment Terms Template", name):
		for days, portion in ((15, 40), (45, 60)):
			frappe.get_doc(
				{
					"doctype": "Payment Term",
					"payment_term_name": f"Same {days}",
					"invoice_portion": portion,
					"due_date_based_on": "Day(s) after the end of the invoice month",
					"credit_days": days,
				}
			).insert()
		terms = [
			{
				"payment_term": f"Same {days}",
				"invoice_portion": portion,
				"due_date_based_on": "Day(s) after the end of the invoice month",
				"credit_days": days,
				"discount_type": "Percentage",
				"discount": 2 if days == 15 else 0,
				"discount_validity_based_on": "Day(s) after invoice date",
				"discount_validity": 8,
			}
			for days, portion in ((15, 40), (45, 60))
		]
		frappe.get_doc(
			{
				"doctype": "Payment Terms Template",
				"template_name": name,
				"allocate_payment_based_on_payment_terms": 1,
				"terms": terms,
			}
		).insert()
	return name


def _with_address(customer: str) -> str:
	linked = {"link_doctype": "Customer", "link_name": customer}
	if not frappe.db.exists("Dynamic Link", {**linked, "parenttype": "Address"}):
		frappe.get_doc(
			{
				"doctype": "Address",
				"address_title": customer,
				"address_type": "Billing",
				"address_line1": "1 rue de la Paix",
				"pincode": "75002",
				"city": "Paris",
				"country": "France",
				"links": [linked],
			}
		).insert()
	return customer


def _with_contact(customer: str) -> str:
	linked = {"link_doctype": "Customer", "link_name": customer}
	if not frappe.db.exists("Dynamic Link", {**linked, "parenttype": "Contact"}):
		frappe.get_doc(
			{
				"doctype": "Contact",
				"first_name": "Ada",
				"email_ids": [{"email_id": "ada@hotel.example", "is_primary": 1}],
				"links": [linked],
			}
		).insert()
	return customer


def _with_credit_limit(customer: str) -> str:
	doc = frappe.get_doc("Customer", customer)
	if not doc.credit_limits:
		doc.append("credit_limits", {"company": COMPANY, "credit_limit": 100_000_000})
		doc.save()
	return customer


def _dollar_account() -> list[dict]:
	number = "41119"
	name = frappe.db.get_value("Account", {"company": COMPANY, "account_number": number})
	if not name:
		parent = frappe.db.get_value(
			"Account",
			frappe.get_cached_value("Company", COMPANY, "default_receivable_account"),
			"parent_account",
		)
		name = (
			frappe.get_doc(
				{
					"doctype": "Account",
					"company": COMPANY,
					"parent_account": parent,
					"account_number": number,
					"account_name": "Clients en dollars",
					"account_type": "Receivable",
					"account_currency": "USD",
				}
			)
			.insert()
			.name
		)
	return [{"company": COMPANY, "account": name}]
