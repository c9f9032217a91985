"""A company with a record of every kind, somebody who works for it, and somebody with the same roles elsewhere."""

import time

import frappe
from frappe.permissions import add_user_permission
from frappe.utils import add_to_date, getdate, now_datetime
from frappe.utils.file_manager import save_file

from subscriber_tv.core.devices import clones, heartbeats
from subscriber_tv.core.provisioning.desired import DEVICE, Desired
from subscriber_tv.flows.activation.bind import bind_by_code
from subscriber_tv.flows.activation.publish import publish_pending
from subscriber_tv.flows.billing import first_bills, preview_run
from subscriber_tv.flows.campaigns import work
from subscriber_tv.flows.contracts.change_state import change_state
from subscriber_tv.flows.contracts.renew_due import notice_if_due
from subscriber_tv.flows.provisioning import write_orders
from subscriber_tv.flows.provisioning.platforms import DOCTYPE, Served
from subscriber_tv.flows.quotes.open_from_quote import open_from_quote
from subscriber_tv.flows.support import raise_alarm
from subscriber_tv.flows.support.count_fleet import count_fleet
from subscriber_tv.flows.support.note_evidence import Sign, note_evidence
from subscriber_tv.flows.support.take_heartbeats import take_heartbeats
from subscriber_tv.flows.usage import receive
from subscriber_tv.tests import factories, usage_case
from subscriber_tv.tests.billing_case import COMPANY, TODAY, BillingTestCase
from subscriber_tv.tests.contract_case import make_user
from subscriber_tv.tests.test_activation import delivered_tv

ELSEWHERE = "Walls Elsewhere"
ROLES = (
	"TV Sales",
	"TV Back Office",
	"TV Billing",
	"TV Logistics",
	"TV Support",
	"TV Marketing",
	"TV Management",
	"Sales User",
	"Accounts User",
	"Stock User",
)
TACIT = {"commitment_months": 24, "renewal": "Tacit", "renewal_months": 12, "notice_months": 2}


def leave() -> None:
	"""The other company has no chart of accounts, so no other test may meet it."""
	frappe.set_user("Administrator")
	frappe.db.rollback()
	frappe.db.delete("User Permission", {"allow": "Company", "for_value": ("in", (COMPANY, ELSEWHERE))})
	frappe.db.delete("Company", {"name": ELSEWHERE})
	frappe.clear_cache()
	frappe.db.commit()


class WallsCase(BillingTestCase):
	"""Everything is of `COMPANY`. `insider` may work for it alone, `outsider` for another company alone."""

	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		cls.addClassCleanup(leave)
		frappe.get_doc(
			doctype="Company", name=ELSEWHERE, company_name=ELSEWHERE, abbr="WE", default_currency="EUR"
		).db_insert()
		cls.insider, cls.outsider = make_user(*ROLES), make_user(*ROLES)
		add_user_permission("Company", COMPANY, cls.insider)
		add_user_permission("Company", ELSEWHERE, cls.outsider)
		cls._contracts(cls)
		frappe.db.commit()
		cls._bills(cls)
		cls._campaigns(cls)
		cls._usage(cls)
		frappe.db.commit()

	def tearDown(self):
		frappe.set_user("Administrator")
		super().tearDown()

	def _contracts(self):
		self.territory = factories.make_territory(f"Walls {frappe.generate_hash(length=6)}")
		self.customer = factories.make_customer()
		self.site = factories.make_site(self.customer, territory=self.territory)
		self.name = self.subscribe(
			self, "2025-02-15", customer=self.customer, site=self.site, version=usage_case.make_version()
		)
		self.renewing = self.subscribe(self, "2025-02-15", customer=self.customer, terms=TACIT)
		notice_if_due(self.renewing, getdate("2026-11-22"))
		self.notice = frappe.db.get_value("TV Renewal Notice", {"subscription": self.renewing})
		tv = delivered_tv(self.name)
		self.device, self.code = tv.serial, tv.code()
		bound = delivered_tv(self.name)
		self.bound = bind_by_code(subscription=self.name, line_id="L1", code=bound.code())
		while publish_pending():
			pass  # other tests leave contracts to be published, too
		self._fleet(self)
		self._provisioning(self)
		self.quotation, self.quoted = (self._quote(self) for _n in range(2))
		for name in open_from_quote(self.quoted):
			for event in factories.PATHS["Active"]:
				change_state(subscription=name, event=event, effective_date=TODAY)

	def _provisioning(self):
		"""An order of the company's own platform, which is off: it must not hear of what other tests do."""
		platform = {
			"adapter": "File Drop",
			"address": "walls",
			"company": COMPANY,
			"responsible": "Administrator",
		}
		name = f"Walls {frappe.generate_hash(length=6)}"
		platform |= {"doctype": DOCTYPE, "platform_name": name, "enabled": 0}
		self.platform = frappe.get_doc(platform).insert().name
		served = Served(self.platform, COMPANY, (DEVICE,))
		wish = write_orders.Wish(DEVICE, self.bound, Desired(True, ("CODE",)), self.name)
		write_orders.order(served, [wish], int(time.time()), write_orders.RIGHTS)
		self.order = frappe.db.get_value(write_orders.ORDER, {"platform": self.platform})

	def _fleet(self):
		"""A TV that was heard, showed a sign of a copy, has an alarm, and waited for its first picture."""
		now = int(time.time())
		take_heartbeats([heartbeats.one(self.bound, heartbeats.Beat(temp=40), at=now)], now=now)
		note_evidence([Sign(self.bound, clones.Evidence(clones.RESYNC, now))], now=now)
		place = {"device": self.bound, "customer": self.customer, "company": COMPANY}
		raise_alarm.open_alarm(raise_alarm.Alarm(f"H|walls|{self.bound}", "Health", "Hot", "", **place))
		frappe.db.set_value("TV Device", self.bound, "first_power_on", now_datetime())
		before = add_to_date(now_datetime(), minutes=-9)
		lines = {"parent": self.bound, "event": ("in", ("Delivered", "Sold"))}
		frappe.db.set_value("TV Device Event Line", lines, "at", before)
		installed = {"subscription": self.name, "event": "finish_installation"}
		frappe.db.set_value("TV Subscription Change", installed, "known_on", before)
		count_fleet()

	def _quote(self) -> str:
		quote = frappe.get_doc(
			{
				"doctype": "Quotation",
				"quotation_to": "Customer",
				"party_name": self.customer,
				"company": COMPANY,
				"currency": "EUR",
				"transaction_date": TODAY,
				"tv_start_on": TODAY,
				"tv_lines": [{"site": self.site, "offer_version": self.version, "quantity": 4}],
			}
		)
		return quote.insert().submit().name

	def _bills(self):
		again = self.subscribe(self, "2026-10-01")
		self.bill(self, again).cancel()
		self.cancelled_for = frappe.db.get_value("TV Subscription", again, "payer")
		frappe.db.commit()
		self.invoice = self.bill(self, self.renewing, until="2026-10-22")
		dispute = frappe.get_attr("subscriber_tv.flows.collections.raise_dispute.raise_dispute")
		self.dispute = dispute(
			invoice=self.invoice.name,
			ground="Other",
			reason="Wrong",
			rows=[(self.invoice.items[0].name, None)],
		)
		run = frappe.get_doc(
			doctype="TV Bill Run", company=COMPANY, posting_date=TODAY, bill_until=TODAY, payer=self.customer
		)
		run.append("payers", {"payer": self.customer, "outcome": "Parked"})
		run.docstatus, run.status, run.preview_status = 1, "Completed with Errors", "Ready"
		run.set_new_name()
		run.set_parent_in_children()
		run.db_insert()
		for row in run.get_all_children():
			row.db_insert()
		frappe.db.commit()
		preview_run.make_preview(bill_run=run.name)
		first_bills.note_previewed(
			run.name,
			[
				{
					"subscription": self.renewing,
					"payer": self.customer,
					"currency": "EUR",
					"net_amount": 1,
				}
			],
		)
		self.bill_run, self.parked = run.name, run.get_all_children()[0].name

	def _campaigns(self):
		shared = {
			"doctype": "TV Price Revision",
			"company": COMPANY,
			"currency": "EUR",
			"effective_rule": "Fixed Date",
			"effective_date": "2027-01-01",
			"revision_rule": "Fixed Percent",
			"percent": 10,
			"rounding_step": 0.01,
			"letters_first": 0,
			"territories": [{"territory": self.territory}],
		}
		doc = frappe.get_doc({**shared, "title": "Walls"}).insert()
		doc.flags.run_here = True
		doc.submit()
		frappe.db.commit()
		work.run(doctype=doc.doctype, campaign=doc.name)
		self.revision = doc.name

	def _usage(self):
		self.profile = usage_case.make_profile()
		answer = receive.receive(
			profile=self.profile,
			records=[
				usage_case.film("F1", self.name),
				usage_case.film("F2", self.name, charge="NONE"),
				usage_case.film("F1", self.name, quantity=3),
			],
		)
		self.counts, self.rejected, self.conflict = (one["record"] for one in answer["records"])
		load = frappe.get_doc(
			doctype="TV Import", profile=self.profile, kind="Usage", file_name="a.jsonl", status="Completed"
		)
		self.tv_import = load.insert().name
		frappe.db.set_value("TV Usage Record", self.rejected, "tv_import", self.tv_import)

	def file_of(self, user: str) -> str:
		"""A file that the user has uploaded."""
		frappe.set_user(user)
		return save_file("walls.csv", b"key\n", None, None, is_private=1).file_url
