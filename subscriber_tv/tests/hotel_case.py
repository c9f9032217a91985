"""What the story of a hotel is told with: a clock that walks, the nights of billing, payments, and the books.

The story has items and a deferred account of its own, so that ERPNext's monthly process concerns no other invoice.
"""

from decimal import Decimal

import frappe
from erpnext.accounts.doctype.payment_entry.payment_entry import get_payment_entry
from frappe.utils import add_days, get_first_day, get_last_day, getdate
from freezegun import freeze_time

from subscriber_tv.flows.campaigns import work
from subscriber_tv.flows.contracts.change_lines import change_lines
from subscriber_tv.flows.contracts.change_state import change_state
from subscriber_tv.setup.accounts import find_account
from subscriber_tv.setup.operator_stock import make_groups_and_items
from subscriber_tv.setup.taxes import item_tax_template
from subscriber_tv.tests import factories
from subscriber_tv.tests.billing_case import COMPANY, INCOME, RECEIVABLE, VAT_10, VAT_20, ledger
from subscriber_tv.tests.trap_case import TrapCase

DEFERRED = "487100"
BASE, SPORT, CARE, FEE = "STORY-BASE", "STORY-SPORT", "STORY-CARE", "STORY-FEE"
VAT_OF = {BASE: "10", SPORT: "20", CARE: "20", FEE: "20"}


class HotelCase(TrapCase):
	"""One hotel; everything it is billed is compared with figures written in the story."""

	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		make_groups_and_items(COMPANY)
		cls.deferred = deferred_account()
		for code, rate in VAT_OF.items():
			story_item(code, rate, None if code == FEE else cls.deferred)
		frappe.db.commit()

	def setUp(self):
		freezer = freeze_time("2023-10-02 08:00:00", auto_tick_seconds=0.001)
		self.clock = freezer.start()
		self.addCleanup(freezer.stop)
		self.territory = factories.make_territory(f"T {frappe.generate_hash(length=6)}")
		self.hotel = factories.make_customer("Grand Hôtel " + frappe.generate_hash(length=6))
		self.documents: set[str] = set()
		self.entries: set[str] = set()
		frappe.db.commit()

	def on(self, day: str) -> None:
		"""It is the morning of that day, nine o'clock in Paris."""
		# Not at a full second: Frappe would take what is saved twice for another's document.
		self.clock.move_to(f"{day} 08:00:00.5")
		# Frappe keeps new documents with the "Today" of the day it first made one of their kind.
		frappe.local.new_doc_templates = {}

	def bills(self, day: str, *expected: tuple, balance: str | None = None) -> list:
		"""The bill run of that day posts exactly these documents, each with these rows and these ledger entries.

		A document is `(rows, ledger)`, credit notes first; rows are (charge, from, to, amount). Then a second run of
		the day posts nothing. `balance` is what the hotel owes after it.
		"""
		self.on(day)
		outcome = self.night(self.hotel, day)
		self.assertNotEqual(outcome.outcome, "Parked", outcome.reason)
		posted = self._new_documents()
		self.assertEqual([self.shown(doc) for doc in posted], list(expected), day)
		for doc in posted:
			self.assertEqual(str(doc.posting_date), day)
		self.nothing_more(day)
		if balance is not None:
			self.owes(balance)
		return posted

	def nothing_more(self, day: str, runs: int = 1) -> None:
		for _run in range(runs):
			self.assertEqual(self.night(self.hotel, day).outcome, "Nothing Due", day)
		self.assertEqual(self._new_documents(), [])

	def shown(self, doc) -> tuple:
		"""A document as `(rows, ledger)` to compare with what was worked out by hand."""
		rows = [
			(row.tv_line.split("/")[-1], str(row.tv_from), str(row.tv_to), f"{row.amount:.2f}")
			for row in doc.items
		]
		return rows, self.entries_of(doc)

	@staticmethod
	def entries_of(doc) -> dict[str, str]:
		"""Debit less credit by account number; accounts at zero are left out."""
		return {account: f"{amount:.2f}" for account, amount in sorted(ledger(doc.name).items()) if amount}

	def released_of(self, row: str) -> str:
		"""What was released of one invoice row."""
		entries = frappe.get_all(
			"GL Entry",
			{"account": self.deferred, "voucher_detail_no": row, "is_cancelled": 0, "debit": (">", 0)},
			["sum(debit) as released"],
		)
		return f"{entries[0].released or 0:.2f}"

	def month_ends(
		self, month: str, *, released: list[str], paid: list[str] | None, deferred: str = "0.00"
	) -> None:
		"""On the last day ERPNext releases deferred revenue, entry by entry; then the hotel pays what it owes.

		`deferred` is what is left to be released in later months, `paid` one payment an invoice, oldest first (None: it
		does not pay now).
		"""
		first = get_first_day(getdate(f"{month}-01"))
		last = get_last_day(first)
		self.on(str(last))
		frappe.get_doc(
			{
				"doctype": "Process Deferred Accounting",
				"company": COMPANY,
				"type": "Income",
				"account": self.deferred,
				"posting_date": last,
				"start_date": first,
				"end_date": last,
			}
		).submit()
		entries = {
			name: amount for name, amount in self._deferred_entries().items() if name not in self.entries
		}
		self.entries |= set(entries)
		self.assertEqual(sorted(entries.values(), key=Decimal), sorted(released, key=Decimal), month)
		self.assertEqual(self.deferred_balance(), deferred, month)
		if paid is not None:
			self.assertEqual([self.pay(invoice) for invoice in self._open_invoices()], paid, month)
		frappe.db.commit()

	def regular_months(
		self, first: str, last: str, document: tuple, *, released: list[str], gross: str
	) -> None:
		"""Month after month the same bill on the 1st, released whole at its end, then paid. `document` without days."""
		charge, amount, entries = document
		month = getdate(f"{first}-01")
		while month <= getdate(f"{last}-01"):
			until = add_days(get_last_day(month), 1)
			self.bills(str(month), ([(charge, str(month), str(until), amount)], entries), balance=gross)
			self.month_ends(str(month)[:7], released=released, paid=[gross])
			month = until

	def pay(self, invoice: str, amount: str | None = None) -> str:
		"""The hotel pays what is open of an invoice, or a part of it; returns what it paid."""
		entry = get_payment_entry("Sales Invoice", invoice, party_amount=float(amount) if amount else None)
		entry.reference_no, entry.reference_date = "STORY", entry.posting_date
		entry.submit()
		frappe.db.commit()
		return f"{entry.paid_amount:.2f}"

	def owes(self, amount: str) -> None:
		"""The hotel's balance by the general ledger, and by the payment ledger that outstanding amounts come from."""
		party = {"party_type": "Customer", "party": self.hotel}
		for doctype, balance, standing in (
			("GL Entry", "sum(debit) - sum(credit)", {"is_cancelled": 0}),
			("Payment Ledger Entry", "sum(amount)", {"delinked": 0}),
		):
			found = frappe.get_all(doctype, {**party, **standing}, [f"{balance} as balance"])[0].balance
			self.assertEqual(f"{round(found or 0, 2) + 0.0:.2f}", amount, doctype)

	def deferred_balance(self) -> str:
		"""What stands on the deferred account for this hotel's invoices."""
		row = frappe.get_all(
			"GL Entry",
			{"account": self.deferred, "is_cancelled": 0, "voucher_no": ("in", self._invoices())},
			["sum(credit) - sum(debit) as balance"],
		)
		return f"{round(row[0].balance or 0, 2) + 0.0:.2f}"

	def _deferred_entries(self) -> dict[str, str]:
		"""The amounts released so far, by GL Entry: debits of the deferred account by the monthly process."""
		filters = {
			"account": self.deferred,
			"is_cancelled": 0,
			"debit": (">", 0),
			"voucher_no": ("in", self._invoices()),
		}
		rows = frappe.get_all("GL Entry", filters, ["name", "debit"], limit=0)
		return {row.name: f"{row.debit:.2f}" for row in rows}

	def _invoices(self) -> list[str]:
		return ["", *frappe.get_all("Sales Invoice", {"customer": self.hotel}, pluck="name", limit=0)]

	def _new_documents(self) -> list:
		names = frappe.get_all(
			"Sales Invoice",
			{"customer": self.hotel, "docstatus": 1, "name": ("not in", [*self.documents, ""])},
			pluck="name",
			order_by="is_return desc, creation, name",
		)
		self.documents |= set(names)
		return [frappe.get_doc("Sales Invoice", name) for name in names]

	def _open_invoices(self) -> list[str]:
		return frappe.get_all(
			"Sales Invoice",
			{"customer": self.hotel, "docstatus": 1, "outstanding_amount": (">", 0)},
			pluck="name",
			order_by="posting_date, creation, name",
		)

	def one_month(self, month: str, bill: tuple[str, str, str], care: str, left: str) -> None:
		"""A regular month, net, tax and gross, in which the maintenance goes on being released; `left` of it stays."""
		net, vat, gross = bill
		first = getdate(f"{month}-01")
		until = add_days(get_last_day(first), 1)
		self.bills(str(first), self.tv(str(first), str(until), net, vat, gross), balance=gross)
		self.month_ends(month, released=[net, care], paid=[gross], deferred=left)

	def revise(self, told: str, effective: str, **rule) -> None:
		"""A yearly price revision of the better offer, recorded on the day it is told and run at once."""
		self.on(told)
		doc = frappe.get_doc(
			{
				"doctype": "TV Price Revision",
				"title": f"Prices {effective[:4]}",
				"company": COMPANY,
				"currency": "EUR",
				"effective_rule": "Fixed Date",
				"effective_date": effective,
				"rounding_step": 0.01,
				"rounding_direction": "Nearest",
				"letters_first": 0,
				"include_negotiated": 1,
				"offers": [{"offer": "STORY-BETTER"}],
				"territories": [{"territory": self.territory}],
				**rule,
			}
		).insert()
		doc.flags.run_here = True
		doc.submit()
		frappe.db.commit()
		done = work.run(doctype=doc.doctype, campaign=doc.name)
		self.assertEqual((done["targets_applied"], done["targets_parked"]), (1, 0))

	def offer(self, code: str, *charges: dict) -> str:
		return factories.make_offer_version(f"STORY-{code}", charges=list(charges))

	def rule_of_exit(self) -> str:
		"""Leaving early costs a fifth of what would have come after the first year."""
		name = "Story Exit"
		if not frappe.db.exists("TV Exit Rule", name):
			frappe.get_doc(
				doctype="TV Exit Rule",
				rule_name=name,
				description="Early exit fee",
				item=FEE,
				currency="EUR",
				first_months=12,
				percent_within=100,
				percent_after=20,
			).insert().submit()
		return name

	def lines(self, *steps: dict, since: str) -> None:
		change_lines(subscription=self.contract, steps=list(steps), effective_date=since)
		frappe.db.commit()

	def change_freely(self, event: str, day: str) -> None:
		"""A change of state; a suspension stops billing too."""
		change_state(
			subscription=self.contract, event=event, effective_date=day, billing_stops=event == "suspend"
		)
		frappe.db.commit()

	@staticmethod
	def month(net: str, vat: str, gross: str) -> tuple:
		"""The bill of a regular month, without its days."""
		return "TV", net, entries(deferred=f"-{net}", vat_10=f"-{vat}", gross=gross)

	@staticmethod
	def tv(first: str, until: str, net: str, vat: str, gross: str) -> tuple:
		"""An invoice of television alone, deferred."""
		return [("TV", first, until, net)], entries(deferred=f"-{net}", vat_10=f"-{vat}", gross=gross)

	@staticmethod
	def tv_back(first: str, until: str, net: str, vat: str, gross: str) -> tuple:
		"""A credit note on television: straight off income, the row it corrects stops."""
		return [("TV", first, until, f"-{net}")], entries(income=net, vat_10=vat, gross=f"-{gross}")


def entries(
	income: str = "", deferred: str = "", vat_10: str = "", vat_20: str = "", gross: str = ""
) -> dict:
	"""Ledger entries of one document, debit less credit by account number; what is left out is not posted."""
	accounts = {RECEIVABLE: gross, DEFERRED: deferred, INCOME: income, VAT_10: vat_10, VAT_20: vat_20}
	return {account: amount for account, amount in sorted(accounts.items()) if amount}


def deferred_account() -> str:
	"""A deferred account beside the operator's, for this story alone."""
	if found := find_account(COMPANY, DEFERRED):
		return found
	beside = frappe.get_doc("Account", find_account(COMPANY, "487"))
	return (
		frappe.get_doc(
			doctype="Account",
			company=COMPANY,
			parent_account=beside.parent_account,
			account_number=DEFERRED,
			account_name="Produits constatés d'avance, hôtel",
			account_type=beside.account_type,
		)
		.insert()
		.name
	)


def story_item(code: str, rate: str, deferred: str | None) -> str:
	return factories.make_item(
		code,
		taxes=[{"item_tax_template": item_tax_template(COMPANY, rate)}],
		enable_deferred_revenue=int(bool(deferred)),
		no_of_months=12,
		item_defaults=[
			{
				"company": COMPANY,
				"income_account": find_account(COMPANY, INCOME),
				"deferred_revenue_account": deferred,
			}
		],
	)
