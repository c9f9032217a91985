"""Every endpoint, asked by somebody whose user permissions name another company: one row for each.

A new endpoint without a row fails here, and so does a row whose endpoint is gone.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import frappe
from frappe.desk import query_report
from frappe.permissions import add_user_permission
from pypdf import PdfWriter

from subscriber_tv.api import activation
from subscriber_tv.flows.fill_company import SOURCES, fill_company
from subscriber_tv.flows.usage import replay
from subscriber_tv.tests.billing_case import COMPANY, TODAY
from subscriber_tv.tests.contract_case import make_user
from subscriber_tv.tests.usage_case import film
from subscriber_tv.tests.walls_case import ROLES, WallsCase

API = "subscriber_tv.api."


@dataclass(frozen=True)
class Refused:
	"""Arguments from the scene; whoever works elsewhere gets PermissionError, whoever works there does not."""

	arguments: Callable[[Any], dict]


@dataclass(frozen=True)
class Blind:
	"""The answer counts nothing for whoever works elsewhere, and something for whoever works there."""

	arguments: Callable[[Any], dict]
	seen: Callable[[Any], Any] = lambda answer: answer


@dataclass(frozen=True)
class Open:
	"""Nothing of a company is told or changed; `why` says so."""

	why: str


def run(**more) -> Refused:
	return Refused(lambda scene: {"bill_run": scene.bill_run, **more})


def contract(**more) -> Refused:
	return Refused(lambda scene: {"subscription": scene.name, **more})


def campaign() -> Refused:
	return Refused(lambda scene: {"doctype": "TV Price Revision", "campaign": scene.revision})


def letters_of_prices() -> Refused:
	return Refused(lambda scene: {"doctype": "TV Campaign Target", "campaign": scene.revision})


def invoice(**more) -> Refused:
	return Refused(lambda scene: {"invoice": scene.invoice.name, **more})


RENEWALS = {"doctype": "TV Renewal Notice"}
TV_ASKS = Open("A TV proves itself by its own key; nobody's session counts.")

ENDPOINTS = {
	"activation.auth": [TV_ASKS],
	"activation.assertion": [TV_ASKS],
	"activation.challenge": [TV_ASKS],
	"activation.heartbeat": [TV_ASKS],
	"activation.stream": [TV_ASKS],
	"activation.enrol": [TV_ASKS],
	"activation.token": [TV_ASKS],
	"activation.hello": [TV_ASKS],
	"activation.offer": [TV_ASKS],
	"activation.jwks": [TV_ASKS],
	"activation.find_code": [Refused(lambda scene: {"code": scene.code})],
	"activation.refuse_code": [Refused(lambda scene: {"code": scene.code})],
	"activation.bind": [contract(line_id="L1", code="XXXX-XXXX")],
	"activation.unbind": [Refused(lambda scene: {"device": scene.device})],
	"activation.revoke": [Refused(lambda scene: {"device": scene.device, "reason": "Stolen"})],
	"activation.readmit": [Refused(lambda scene: {"device": scene.device, "reason": "Found"})],
	"activation.set_parental_lock": [Refused(lambda scene: {"device": scene.device, "age": "12"})],
	"activation.deliver": [Refused(lambda scene: {"subscription": scene.name, "serials": [scene.device]})],
	"billing.preview": [
		Refused(lambda scene: {"company": COMPANY, "bill_until": TODAY, "payer": scene.customer}),
	],
	"billing.ask_preview": [run()],
	"billing.state_of": [run()],
	"billing.approve": [run()],
	"billing.refuse": [run(reason="No")],
	"billing.confirm_first_bills": [run()],
	"billing.start": [run()],
	"billing.retry_parked": [run()],
	"billing.retry_lines": [Refused(lambda scene: {"lines": [scene.parked]})],
	"billing.to_be_billed_again": [Blind(lambda scene: {"customer": scene.cancelled_for}, len)],
	"campaigns.preview": [campaign()],
	"campaigns.state_of": [campaign()],
	"campaigns.start": [campaign()],
	"campaigns.retry_parked": [campaign()],
	"campaigns.take_back": [campaign()],
	"contract_terms.change_lines": [contract(steps=[{"line_id": "L1", "quantity": 2}])],
	"contract_terms.suggest_offers": [contract()],
	"contract_terms.change_anchor": [contract(anchor_day=5)],
	"contract_terms.withdraw": [contract(change_no=5, reason="No")],
	"contract_terms.change_payer": [
		Refused(lambda scene: {"subscription": scene.name, "payer": scene.customer})
	],
	"contract_terms.change_holder": [
		Refused(lambda scene: {"subscription": scene.name, "customer": scene.customer})
	],
	"contract_terms.move": [Refused(lambda scene: {"subscription": scene.name, "site": scene.site})],
	"contracts.change_state": [contract(event="suspend")],
	"contracts.overview": [contract()],
	"disputes.show": [invoice()],
	"disputes.disputable_rows": [invoice()],
	"disputes.raise_dispute": [invoice(ground="Other", reason="No")],
	"disputes.steps": [Refused(lambda scene: {"dispute": scene.dispute})],
	"disputes.decide": [Refused(lambda scene: {"dispute": scene.dispute, "event": "reject", "note": "No"})],
	"explain.line": [Refused(lambda scene: {"row": scene.invoice.items[0].name})],
	"explain.rows": [invoice(), Refused(lambda scene: {"subscription": scene.renewing})],
	"fleet.board": [Blind(lambda scene: {"group": "site"}, lambda answer: answer["totals"]["tvs"])],
	"fleet.device_story": [Refused(lambda scene: {"device": scene.bound})],
	"fleet.device_now": [Refused(lambda scene: {"device": scene.bound})],
	"fleet.clear_evidence": [Refused(lambda scene: {"device": scene.bound, "reason": "Known"})],
	"fleet.why_refused": [Refused(lambda scene: {"serial": scene.bound})],
	"fleet.activation_minutes": [Blind(lambda scene: {}, lambda answer: answer["tvs"])],
	"imports.import_csv": [
		Refused(lambda scene: {"kind": "subscriptions", "file_url": scene.file_of(frappe.session.user)}),
	],
	"leaving.exit_options": [contract()],
	"letters.send": [Blind(lambda scene: RENEWALS), letters_of_prices()],
	"letters.print_waiting": [
		Blind(lambda scene: RENEWALS | {"everybody": 1}, lambda _answer: frappe.response.filecontent),
		letters_of_prices(),
	],
	"letters.mark_posted": [Blind(lambda scene: RENEWALS | {"everybody": 1}), letters_of_prices()],
	"promotions.choices": [contract()],
	"promotions.grant_promotion": [contract(code="NONE")],
	"provisioning.compare": [Refused(lambda scene: {"platform": scene.platform})],
	"provisioning.replay": [Refused(lambda scene: {"names": [scene.order]})],
	"quotes.open_subscriptions": [Refused(lambda scene: {"quotation": scene.quotation})],
	"simulator.change": [contract()],
	"simulator.offer": [
		Refused(lambda scene: {"lines": [{"offer_version": scene.version}], "start_on": TODAY}),
		Refused(
			lambda scene: {
				"lines": [{"offer_version": scene.version}],
				"start_on": TODAY,
				"company": COMPANY,
			}
		),
	],
	"steering.subscriptions_to_bill": [Blind(lambda scene: {}, lambda answer: answer["value"])],
	"usage.post": [
		Blind(
			lambda scene: {"profile": scene.profile, "records": [film("NEW", scene.name)]},
			lambda answer: answer["counts"].get("accepted"),
		),
	],
	"usage.import_usage": [Open("The file is the user's own; its records are judged by what he may see.")],
	"usage.resume_import": [Open("As import_usage.")],
	"tv_commands.possible": [Open("Says whether this site sends commands at all.")],
	"tv_commands.send": [
		Refused(lambda scene: {"target_type": "TV Device", "target": scene.bound, "command": "Identify"}),
		Refused(lambda scene: {"target_type": "TV Site", "target": scene.site, "command": "Identify"}),
		Refused(lambda scene: {"target_type": "TV Device Model", "target": "TV-32", "command": "Identify"}),
	],
	"usage.try_again": [Refused(lambda scene: {"names": [scene.rejected]})],
	"usage.try_import_again": [Open("A worker tries what the user may read; see the test below.")],
	"usage.dismiss": [Refused(lambda scene: {"names": [scene.rejected], "reason": "No"})],
	"usage.accept_conflict": [Refused(lambda scene: {"name": scene.conflict})],
	"usage.cancel": [Refused(lambda scene: {"name": scene.counts, "reason": "No"})],
	"usage.rejected_file": [
		Blind(
			lambda scene: {"tv_import": scene.tv_import},
			lambda _answer: b"F2" in frappe.response.filecontent,
		)
	],
	"usage.example_file": [Open("Two invented records.")],
}


def one_page() -> bytes:
	"""A PDF, as the printer would make one."""
	pages, written = PdfWriter(), io.BytesIO()
	pages.add_blank_page(100, 100)
	pages.write(written)
	return written.getvalue()


def endpoints() -> dict[str, Callable]:
	"""Every whitelisted function of the app, by module and name; loads all modules of the API."""
	import pkgutil

	from subscriber_tv import api

	for module in pkgutil.iter_modules(api.__path__):
		frappe.get_module(API + module.name)
	ours = [method for method in frappe.whitelisted if method.__module__.startswith("subscriber_tv.")]
	return {f"{method.__module__.removeprefix(API)}.{method.__name__}": method for method in ours}


OF_THE_FLEET = ("TV Device Status", "TV Fleet Count", "TV Device Evidence", "TV Device Hour", "TV Alarm")


class TestCompanyWalls(WallsCase):
	def ask(self, user: str, name: str, row) -> Any:
		"""Call an endpoint as that user and take back whatever it did."""
		frappe.set_user(user)
		try:
			return frappe.get_attr(API + name)(**row.arguments(self))
		finally:
			frappe.set_user("Administrator")
			frappe.db.rollback()
			frappe.clear_messages()

	def attempt(self, user: str, name: str, row) -> type[Exception] | None:
		try:
			self.ask(user, name, row)
		except Exception as error:
			return type(error)
		return None

	def seen(self, user: str, name: str, row) -> Any:
		try:
			with patch("frappe.attach_print", return_value={"fcontent": one_page()}):
				return row.seen(self.ask(user, name, row))
		except frappe.ValidationError:
			return None

	def test_every_endpoint_has_a_row(self):
		self.assertEqual(sorted(ENDPOINTS), sorted(endpoints()))

	def test_nobody_reaches_into_another_company(self):
		for name, rows in ENDPOINTS.items():
			for row in rows:
				with self.subTest(name):
					if isinstance(row, Refused):
						self.assertEqual(self.attempt(self.outsider, name, row), frappe.PermissionError)
					elif isinstance(row, Blind):
						self.assertFalse(self.seen(self.outsider, name, row))

	def test_the_same_roles_reach_what_is_theirs(self):
		"""Else the refusals above would prove nothing: a role may be missing, or the record."""
		for name, rows in ENDPOINTS.items():
			for row in rows:
				with self.subTest(name):
					if isinstance(row, Refused):
						self.assertNotEqual(self.attempt(self.insider, name, row), frappe.PermissionError)
					elif isinstance(row, Blind):
						self.assertTrue(self.seen(self.insider, name, row))

	def test_a_worker_tries_what_its_user_may_read(self):
		for user, tried in ((self.outsider, 0), (self.insider, 1)):
			frappe.set_user(user)
			with patch.object(frappe.db, "commit"):
				self.assertEqual(replay.replay_all(tv_import=self.tv_import).total(), tried)

	def test_lists_end_at_the_company(self):
		"""Records of contracts, bills and TVs carry the company themselves, or ask their TV for it."""
		for doctype, filters in self.records().items():
			with self.subTest(doctype):
				self.assertTrue(self.listed(self.insider, doctype, filters))
				self.assertEqual(self.listed(self.outsider, doctype, filters), [])
				doc = frappe.get_doc(doctype, frappe.db.get_value(doctype, filters))
				self.assertTrue(doc.has_permission("read", user=self.insider))
				frappe.set_user(self.outsider)
				self.assertFalse(doc.has_permission("read"))

	def test_whoever_is_kept_to_a_customer_is_kept_from_the_records_of_others(self):
		self.addCleanup(frappe.clear_cache)  # what user permissions were before they are rolled back
		kept = make_user(*ROLES)
		add_user_permission("Customer", self.cancelled_for, kept)
		add_user_permission("Customer", self.customer, self.insider)
		for doctype in (
			"TV Usage Record",
			"TV Billed Period",
			"TV Activation",
			"TV Entitlement",
			*OF_THE_FLEET,
		):
			filters = {"name": self.counts} if doctype == "TV Usage Record" else self.records()[doctype]
			with self.subTest(doctype):
				self.assertTrue(self.listed(self.insider, doctype, filters))
				self.assertEqual(self.listed(kept, doctype, filters), [])
				doc = frappe.get_doc(doctype, frappe.db.get_value(doctype, filters))
				frappe.set_user(kept)
				self.assertFalse(doc.has_permission("read"))
				frappe.set_user("Administrator")
		cancel = Refused(lambda scene: {"name": scene.counts, "reason": "No"})
		self.assertEqual(self.attempt(kept, "usage.cancel", cancel), frappe.PermissionError)

	def test_a_tv_of_another_company_is_bound_to_no_contract(self):
		checked = activation._may_read

		def may_read(doctype: str, name: str) -> None:
			if doctype != "TV Subscription":
				checked(doctype, name)

		bind = Refused(lambda scene: {"subscription": scene.name, "line_id": "L1", "code": scene.code})
		with patch.object(activation, "_may_read", may_read):
			self.assertEqual(self.attempt(self.outsider, "activation.bind", bind), frappe.PermissionError)

	def test_rows_from_before_the_column_get_their_company(self):
		for doctype in SOURCES:
			filters = self.records()[doctype]
			with self.subTest(doctype):
				frappe.db.set_value(doctype, filters, "company", None)
				fill_company()
				made = frappe.get_all(doctype, filters, pluck="company", distinct=True)
				self.assertEqual(made, [COMPANY])

	def test_reports_end_at_the_company(self):
		for report, filters, column, own in (
			("TV Offer Versions Compared", {}, "version", self.version),
			("TV Parked Payers", {}, "payer", self.customer),
			("TV Activation Time", {}, "sector", self.territory),
			("TV Quote and Bill", {"quotation": self.quoted}, "quotation", self.quoted),
		):
			for user, sees in ((self.insider, True), (self.outsider, False)):
				with self.subTest(report, user=user):
					frappe.set_user(user)
					rows = query_report.run(report, filters, ignore_prepared_report=True)["result"]
					frappe.set_user("Administrator")
					shown = [row.get(column) for row in rows if isinstance(row, dict)]
					self.assertEqual(own in shown, sees, shown)

	def listed(self, user: str, doctype: str, filters: dict) -> list:
		frappe.set_user(user)
		try:
			return frappe.get_list(doctype, filters, pluck="name")
		finally:
			frappe.set_user("Administrator")

	def records(self) -> dict[str, dict]:
		"""The scene's record of each kind."""
		return {
			"TV Subscription": {"name": self.name},
			"TV Dispute": {"name": self.dispute},
			"TV Bill Run": {"name": self.bill_run},
			"TV Renewal Notice": {"name": self.notice},
			"TV Subscription Change": {"subscription": self.name},
			"TV Campaign Target": {"campaign": self.revision},
			"TV First Bill": {"name": self.renewing},
			"TV Bill Preview Line": {"bill_run": self.bill_run},
			"TV Billed Period": {"invoice": self.invoice.name},
			"TV Usage Record": {"tv_import": self.tv_import},
			"TV Device": {"name": self.device},
			"TV Activation": {"device": self.bound},
			"TV Device Status": {"device": self.bound},
			"TV Fleet Count": {"site": self.site},
			"TV Device Evidence": {"device": self.bound},
			"TV Device Hour": {"device": self.bound},
			"TV Alarm": {"device": self.bound},
			"TV Entitlement": {"device": self.bound},
			"TV Provisioning Platform": {"name": self.platform},
			"TV Provisioning Order": {"name": self.order},
			"TV Provisioning Subject": {"platform": self.platform},
		}
