"""A run leaves out only payers of whom a look would have found nothing."""

import random
import re

import frappe
from frappe.utils import add_days, add_months, getdate

from subscriber_tv.core.billing.bill import PayerBill
from subscriber_tv.flows.billing import chunks, facts, run, watch
from subscriber_tv.flows.billing.bill_payer import decide_for, settle
from subscriber_tv.flows.billing.lock import under_payer_lock
from subscriber_tv.flows.billing.start_run import new_run
from subscriber_tv.flows.devices.deliver import deliver
from subscriber_tv.tests import factories
from subscriber_tv.tests.billing_case import COMPANY, TODAY, BillingTestCase
from subscriber_tv.tests.test_devices import bring_back

SEED = 7
STEPS = 30

COVERED = {
	"TV Subscription",
	"TV Subscription Change",
	"TV Subscription Change Line",
	"TV Subscription Discount Line",
	"TV Subscription Price Line",
	"TV Usage Record",
	# A TV that comes or goes is another one of the subscription.
	"TV Device",
	"TV Device Event Line",
	"TV Offer Version",
	"TV Offer Charge Line",
	"TV Offer Tier Line",
	# By the mark that invoices and credit notes set.
	"Sales Invoice",
	"Sales Invoice Item",
}
WITHOUT_EFFECT = {
	# How rows are put together and rounded on invoices, not whether there are any.
	"Customer",
	"Currency",
	"TV Settings",
	"Singles",
}
TABLE = re.compile(r"`tab([^`]+)`")


class TestPayerWatch(BillingTestCase):
	def look(self, payer: str, day: str = TODAY):
		"""Settle the payer on a day, as a run does; commits."""
		outcome = under_payer_lock(
			payer,
			lambda: settle(payer=payer, company=COMPANY, posting_date=getdate(day), bill_until=getdate(day)),
		)
		frappe.db.commit()
		return outcome

	def payer_of(self, subscription: str) -> str:
		return frappe.db.get_value("TV Subscription", subscription, "payer")

	def is_quiet(self, payer: str, day: str = TODAY) -> bool:
		return payer in watch.quiet_payers(COMPANY, getdate(day))

	def quiet_payer(self, **contract) -> tuple[str, str]:
		"""A subscription billed up to today, and its payer, seen to have nothing due."""
		subscription = self.subscribe("2026-11-01", **contract)
		payer = self.payer_of(subscription)
		self.assertTrue(self.look(payer).invoices)
		self.assertFalse(self.is_quiet(payer))
		self.assertFalse(self.look(payer).invoices)
		self.assertTrue(self.is_quiet(payer))
		return subscription, payer

	def test_quiet_until_the_next_period_begins(self):
		_, payer = self.quiet_payer()
		self.assertTrue(self.is_quiet(payer, "2026-11-30"))
		self.assertFalse(self.is_quiet(payer, "2026-12-01"))

	def test_another_limit_of_the_settings_ends_it(self):
		_, payer = self.quiet_payer()
		before = frappe.db.get_single_value("TV Settings", "max_catch_up_months")
		self.addCleanup(self.limit, before)
		self.limit(before + 12)
		self.assertFalse(self.is_quiet(payer), "what was too old to be billed may be billed now")
		self.look(payer)
		self.assertTrue(self.is_quiet(payer))

	def limit(self, months: int) -> None:
		frappe.db.set_single_value("TV Settings", "max_catch_up_months", months)
		frappe.clear_document_cache("TV Settings", "TV Settings")
		frappe.db.commit()

	def test_a_change_of_the_contract_ends_it(self):
		subscription, payer = self.quiet_payer()
		self.change(subscription, "end", "2026-11-15")
		self.assertFalse(self.is_quiet(payer))
		self.assertTrue(self.look(payer).credit_notes)

	def test_a_cancelled_invoice_ends_it(self):
		subscription, payer = self.quiet_payer()
		rows = {"tv_subscription": subscription, "docstatus": 1}
		frappe.get_doc("Sales Invoice", frappe.db.get_value("Sales Invoice Item", rows, "parent")).cancel()
		frappe.db.commit()
		self.assertFalse(self.is_quiet(payer))
		self.assertTrue(self.look(payer).invoices)

	def test_a_credit_note_made_in_the_desk_ends_it(self):
		from erpnext.controllers.sales_and_purchase_return import make_return_doc

		subscription, payer = self.quiet_payer()
		invoice = frappe.db.get_value("Sales Invoice Item", {"tv_subscription": subscription}, "parent")
		make_return_doc("Sales Invoice", invoice).insert().submit()
		frappe.db.commit()
		self.assertFalse(self.is_quiet(payer))
		self.look(payer)
		self.assertTrue(self.is_quiet(payer))

	def test_a_tv_that_comes_back_ends_it(self):
		box = factories.charge("BOX", charge_kind="Deposit", item="TV-DEPOSIT", unit_price=40)
		version = factories.make_offer_version(
			f"WATCH-{frappe.generate_hash(length=6)}".upper(), charges=[box]
		)
		subscription = self.subscribe("2026-11-01", version=version)
		payer = self.payer_of(subscription)
		serials = factories.receive_devices(1)
		deliver(subscription=subscription, serials=serials)
		frappe.db.commit()
		self.assertTrue(self.look(payer).invoices)
		self.change(subscription, "end", TODAY)
		self.assertFalse(self.look(payer).credit_notes)
		self.assertTrue(self.is_quiet(payer))
		bring_back(serials[0])
		frappe.db.commit()
		self.assertFalse(self.is_quiet(payer))
		self.assertTrue(self.look(payer).credit_notes)

	def test_a_renamed_payer_is_not_quiet_by_what_was_noted_under_his_old_name(self):
		subscription, payer = self.quiet_payer()
		renamed = frappe.rename_doc("Customer", payer, f"{payer} renamed", force=True)
		frappe.db.commit()
		self.assertFalse(self.look(renamed).invoices)
		self.assertTrue(self.is_quiet(renamed))
		rows = {"tv_subscription": subscription, "docstatus": 1}
		frappe.get_doc("Sales Invoice", frappe.db.get_value("Sales Invoice Item", rows, "parent")).cancel()
		frappe.db.commit()
		self.assertFalse(self.is_quiet(renamed))
		self.assertTrue(self.look(renamed).invoices)

	def test_what_commits_while_the_payer_is_looked_at_is_not_missed(self):
		"""The look's snapshot was taken before: what it keeps does not match what others have set since."""
		subscription, payer = self.quiet_payer()
		frappe.db.delete("TV Payer Watch")
		frappe.db.commit()
		frappe.db.rollback()
		loaded = facts.load(payer, COMPANY)  # takes the snapshot
		self.on_another_connection(subscription)
		watch.keep_quiet(payer, COMPANY, loaded, getdate(TODAY))
		frappe.db.commit()
		self.assertFalse(self.is_quiet(payer))

	def on_another_connection(self, subscription: str) -> None:
		from subscriber_tv.tests.processes import on_own_connections

		invoice = frappe._dict(items=[{"tv_subscription": subscription}])
		self.assertEqual(on_own_connections(lambda: watch.stir(invoice)), [None])

	def test_nothing_is_read_that_is_not_watched(self):
		_subscription, payer = self.quiet_payer()
		read: set[str] = set()
		ask = frappe.local.db._cursor.execute

		def execute(query, *args):
			read.update(TABLE.findall(str(query)))
			return ask(query, *args)

		frappe.local.db._cursor.execute = execute
		try:
			decide_for(payer, COMPANY, getdate(TODAY))
		finally:
			frappe.local.db._cursor.execute = ask
		self.assertIn("TV Subscription", read)
		self.assertLessEqual(read, COVERED | WITHOUT_EFFECT)

	def test_a_run_lists_quiet_payers_without_looking_unless_told_to(self):
		_, payer = self.quiet_payer()
		names = [new_run(company=COMPANY, posting_date=TODAY, bill_until=TODAY) for _ in range(2)]
		frappe.db.set_value("TV Bill Run", names[1], "look_at_all", 1)
		frappe.db.commit()
		for name, chunk in zip(names, (0, 1), strict=True):
			run._open(name)
			row = frappe.db.get_value(
				chunks.LINE, {"parent": name, "payer": payer}, ["outcome", "chunk"], as_dict=True
			)
			self.assertEqual(row.outcome, chunks.PENDING if chunk else chunks.NOTHING_DUE)
			self.assertEqual(bool(row.chunk), bool(chunk))
			frappe.get_doc("TV Bill Run", name).cancel()
			frappe.db.commit()

	def test_whatever_happens_the_quiet_ones_have_nothing_due(self):
		"""Random days and events: at each step, every payer said to be quiet is asked after all."""
		chance = random.Random(SEED)
		payers = {self.subscribe("2026-08-01", anchor_day=chance.choice([1, 15, 31])): "" for _ in range(4)}
		payers = {name: self.payer_of(name) for name in payers}
		today, quiet = getdate("2026-09-10"), 0
		for _step in range(STEPS):
			name = chance.choice(list(payers))
			chance.choice([self._look_all, self._look_all, self._cancel, self._end, self._wait])(
				name, payers, today
			)
			today = add_days(today, chance.choice([0, 1, 9]))
			frappe.db.rollback()
			for payer in watch.quiet_payers(COMPANY, today) & set(payers.values()):
				quiet += 1
				self.assertEqual(decide_for(payer, COMPANY, today), PayerBill(), f"seed {SEED}")
		self.assertGreater(quiet, STEPS // 2)

	def _look_all(self, name: str, payers: dict, today) -> None:
		for payer in payers.values():
			self.look(payer, str(today))

	def _cancel(self, name: str, payers: dict, today) -> None:
		rows = {"tv_subscription": name, "docstatus": 1, "tv_kind": ("!=", "correction")}
		invoice = frappe.db.get_value("Sales Invoice Item", rows, "parent", order_by="creation desc")
		if invoice and not frappe.db.exists("Sales Invoice", {"return_against": invoice, "docstatus": 1}):
			frappe.get_doc("Sales Invoice", invoice).cancel()
			frappe.db.commit()

	def _end(self, name: str, payers: dict, today) -> None:
		if frappe.db.get_value("TV Subscription", name, "state") == "Active":
			self.change(name, "cancel_at_date", str(today), str(add_months(today, 1)))

	def _wait(self, name: str, payers: dict, today) -> None:
		"""Nothing happens."""
