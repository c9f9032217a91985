"""One television, from the lorry to the ledger: the main job of the app told once, in order, on a real site.

The desk is asked over its WSGI application, the edge over a real socket; publisher and edge are processes of their
own. What they must see is committed, under names that no other test uses.
"""

import json
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

import frappe
from frappe.tests.utils import FrappeTestCase
from frappe.utils import add_days, add_months, flt, get_last_day, getdate

from subscriber_tv.core.devices import jws
from subscriber_tv.flows.activation import keys
from subscriber_tv.flows.activation.bind import bind_by_code
from subscriber_tv.flows.billing.run import run
from subscriber_tv.flows.billing.start_run import new_run
from subscriber_tv.flows.contracts.change_state import change_state
from subscriber_tv.flows.devices.deliver import deliver
from subscriber_tv.flows.devices.follow_stock import flush
from subscriber_tv.tests import factories, processes
from subscriber_tv.tests.television import TV, new_nonce

DESK = "/api/method/subscriber_tv.api.activation."
OUTLETS = 5
FEE, PRICE = 50.0, 10.0


class TestStory(FrappeTestCase):
	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		factories.make_operator()
		frappe.db.commit()
		folder = tempfile.TemporaryDirectory()
		cls.addClassCleanup(folder.cleanup)
		public_keys = Path(folder.name, "keys.json")
		public_keys.write_text(json.dumps(keys.public_keys()))
		feed_port, cls.edge_port = processes.free_port(), processes.free_port()
		publisher = processes.start_publisher(feed_port)
		cls.addClassCleanup(processes.stop, publisher)
		edge = processes.start_edge(folder.name, cls.edge_port, feed_port, str(public_keys))
		cls.addClassCleanup(processes.stop, edge)

	def test_one_television(self):
		customer = factories.make_customer(f"Hôtel de la Gare {frappe.generate_hash(length=6)}")
		site = factories.make_site(customer)
		version = factories.make_offer_version(
			"STORY-TV",
			charges=[
				factories.activation_fee(item="TV-ACTIVATION", unit_price=FEE),
				factories.charge(item="TV-SUBSCRIPTION", unit_price=PRICE),
			],
		)
		subscription = factories.make_subscription(
			"Awaiting Activation",
			customer=customer,
			site=site,
			lines=[{"offer_version": version, "quantity": OUTLETS}],
		)
		serials = self.goods_are_received()
		self.goods_are_delivered(serials, subscription, site)
		sets = self.televisions_are_paired(serials, subscription)
		self.next_power_on_is_allowed(sets[0])
		self.changes_reach_the_next_power_on(sets[1:4], subscription)
		invoice = self.first_bill_is_made(subscription, customer)
		self.ledgers_agree(invoice, customer, serials)
		self.cancelled_television_is_refused(sets[4], subscription)

	def goods_are_received(self) -> list[str]:
		"""1. A Purchase Receipt with serial numbers makes one TV Device each, traced both ways."""
		serials = factories.receive_devices(OUTLETS)
		for serial in serials:
			device = frappe.get_doc("TV Device", serial)
			self.assertEqual((device.state, device.credential_state), ("In Stock", "Stocked"))
			self.assertEqual(device.receipt_type, "Purchase Receipt")
			self.assertEqual(device.history[0].voucher_no, device.receipt_no)
		found = frappe.get_all("TV Device", {"receipt_no": device.receipt_no}, pluck="name")
		self.assertCountEqual(found, serials)
		return serials

	def goods_are_delivered(self, serials: list[str], subscription: str, site: str) -> None:
		"""1. The rented sets move to the in-service warehouse: place and warranty follow."""
		entry = deliver(subscription=subscription, serials=serials)
		flush()
		self.assertEqual(frappe.db.get_value("Stock Entry", entry, "docstatus"), 1)
		for serial in serials:
			device = frappe.get_doc("TV Device", serial)
			self.assertEqual((device.state, device.site), ("In Service", site))
			self.assertEqual(device.warranty_from, getdate())
			months = frappe.db.get_value("TV Device Model", device.model, "warranty_months")
			self.assertEqual(device.warranty_until, getdate(add_days(add_months(getdate(), months), -1)))

	def televisions_are_paired(self, serials: list[str], subscription: str) -> list[TV]:
		"""2. A set from a receipt gets a code; a stranger and a bound set get one refusal."""
		line = frappe.get_doc("TV Subscription", subscription).lines[0].line_id
		status, refusal, _mac = self.ask_desk("enrol", TV("TV-NEVER-SEEN-1").enrolment())
		self.assertEqual(status, 401)
		sets = [TV(serial) for serial in serials]
		for tv in sets:
			self.assertEqual(self.ask_desk("auth", tv.question())[:2], (401, refusal))
			status, body, _mac = self.ask_desk("enrol", tv.enrolment())
			self.assertEqual(status, 200)
			enrolled = json.loads(body)
			tv.device_code = enrolled["device_code"]
			self.assertEqual(self.ask_desk("token", tv.poll_body())[0], 400)
			code = enrolled["user_code"]
			self.assertEqual(bind_by_code(subscription=subscription, line_id=line, code=code), tv.serial)
			status, body, _mac = self.ask_desk("token", tv.poll_body())
			self.assertEqual((status, json.loads(body)["key"]), (200, tv.key()))
			self.assertEqual(self.ask_desk("enrol", tv.enrolment())[:2], (401, refusal))
		self.assertEqual(frappe.db.get_value("TV Subscription", subscription, "state"), "Active")
		return sets

	def next_power_on_is_allowed(self, tv: TV) -> None:
		"""3 and 4. The next power-on brings a lease signed for this set, with its channels; the edge agrees."""
		body = self.assert_agreed(tv, 200)
		allowed = json.loads(body)
		verifier = keys.verifier()
		lease = json.loads(verifier.verify(jws.LEASE, allowed["lease"]))
		self.assertEqual(lease["sub"], tv.serial)
		self.assertGreater(lease["exp"], allowed["play_until"] - 1)
		self.assertGreater(allowed["ask_after"], allowed["time"])
		status, token = self.get_edge(f"/v1/offer/{allowed['documents'][0]}")
		self.assertEqual(status, 200)
		document = json.loads(verifier.verify(jws.OFFER, token.decode()))
		channels = [found["code"] for bouquet in document["bouquets"] for found in bouquet["channels"]]
		self.assertEqual(channels, ["CH1", "CH2"])
		self.assertTrue(frappe.db.get_value("TV Device", tv.serial, "first_power_on"))

	def changes_reach_the_next_power_on(self, sets: list[TV], subscription: str) -> None:
		"""5. Suspend, resume, cancel: the very next power-on says so, at the desk and at the edge."""
		ends = add_days(getdate(), 60)
		change_state(subscription=subscription, event="suspend")
		refused = json.loads(self.assert_agreed(sets[0], 403))
		self.assertEqual(refused["code"], "suspended")
		self.assertTrue(refused["text"]["fr"] and refused["text"]["en"])
		denial = keys.verifier().verify(jws.DENIAL, refused["denial"])
		self.assertEqual(json.loads(denial)["code"], "suspended")
		change_state(subscription=subscription, event="resume")
		self.assert_agreed(sets[1], 200)
		change_state(subscription=subscription, event="cancel_at_date", end_date=ends)
		self.assert_agreed(sets[2], 200)  # served to the end of what is agreed
		change_state(subscription=subscription, event="withdraw_cancellation")

	def cancelled_television_is_refused(self, tv: TV, subscription: str) -> None:
		"""5, to the end: a contract that ends today is refused today."""
		change_state(subscription=subscription, event="end")
		self.assertEqual(json.loads(self.assert_agreed(tv, 403))["code"], "ended")

	def first_bill_is_made(self, subscription: str, customer: str):
		"""6. One standard invoice: the fee and the first period. A second run makes nothing."""
		until = get_last_day(getdate())
		for _attempt in range(2):
			name = new_run(company=factories.COMPANY, bill_until=until, payer=customer)
			run(bill_run=name)
		rows = frappe.get_all(
			"Sales Invoice Item", {"tv_subscription": subscription, "docstatus": 1}, pluck="parent"
		)
		self.assertEqual(len(set(rows)), 1)
		invoice = frappe.get_doc("Sales Invoice", rows[0])
		amounts = {row.tv_kind: flt(row.amount, 2) for row in invoice.items}
		self.assertEqual(amounts, {"one-off": FEE, "recurring": PRICE * OUTLETS})
		recurring = next(row for row in invoice.items if row.tv_kind == "recurring")
		self.assertEqual(getdate(recurring.tv_from), getdate())
		self.assertTrue(recurring.enable_deferred_revenue)
		self.assertEqual(getdate(recurring.service_start_date), getdate())
		self.assertEqual(getdate(recurring.service_end_date), getdate(add_days(recurring.tv_to, -1)))
		return invoice

	def ledgers_agree(self, invoice, customer: str, serials: list[str]) -> None:
		"""The general ledger balances, the customer owes the total, the stock ledger shows the sets in service."""
		entries = frappe.get_all(
			"GL Entry",
			{"voucher_no": invoice.name, "is_cancelled": 0},
			["account", "debit", "credit", "party"],
		)
		self.assertEqual(
			flt(sum(row.debit for row in entries), 2), flt(sum(row.credit for row in entries), 2)
		)
		owed = [row for row in entries if row.party == customer]
		self.assertEqual(flt(sum(row.debit - row.credit for row in owed), 2), flt(invoice.grand_total, 2))
		self.assertGreater(invoice.grand_total, invoice.net_total)
		receivable = frappe.get_cached_value("Company", invoice.company, "default_receivable_account")
		self.assertEqual({row.account for row in owed}, {receivable})
		for serial in serials:
			moves = frappe.get_all(
				"Serial and Batch Entry", {"serial_no": serial, "docstatus": 1}, ["warehouse", "qty"]
			)
			stands = frappe.db.get_value("TV Device", serial, "warehouse")
			self.assertEqual(frappe.db.get_value("Serial No", serial, "warehouse"), stands)
			self.assertEqual(sum(move.qty for move in moves if move.warehouse == stands), 1)

	# asking

	def ask_desk(self, operation: str, body: bytes) -> tuple[int, bytes, str]:
		frappe.db.commit()
		answer = processes.request("POST", DESK + operation, data=body, content_type="application/json")
		frappe.db.rollback()  # see what the request wrote
		return answer.status_code, answer.get_data(), answer.headers.get("X-TV-MAC", "")

	def ask_edge(self, body: bytes) -> tuple[int, bytes, str]:
		request = urllib.request.Request(
			f"http://127.0.0.1:{self.edge_port}/v1/auth", body, {"Content-Type": "application/json"}
		)
		try:
			with urllib.request.urlopen(request, timeout=5) as response:
				return response.status, response.read(), response.headers.get("X-TV-MAC", "")
		except urllib.error.HTTPError as error:
			return error.code, error.read(), error.headers.get("X-TV-MAC", "")

	def get_edge(self, path: str) -> tuple[int, bytes]:
		return processes.get(f"http://127.0.0.1:{self.edge_port}{path}")

	def assert_agreed(self, tv: TV, status: int) -> bytes:
		"""The desk says `status` at once; the edge says the same bytes as soon as the feed brought the change.

		A question is for one node, so each is asked its own with one nonce. Each TV is asked for one change only: the desk
		lets no TV ask more than a few times a minute.
		"""
		found = self.ask_desk("auth", tv.question())
		self.assertEqual(found[0], status)
		processes.wait_for(
			lambda: signed(self.ask_edge(tv.question(processes.EDGE))) == signed(found), seconds=20
		)
		for _attempt in range(3):
			# The answers carry the second they were made in: both may fall into one.
			nonce = new_nonce()
			desk = self.ask_desk("auth", tv.question(nonce=nonce))
			edge = self.ask_edge(tv.question(processes.EDGE, nonce))
			if desk == edge:
				self.assertTrue(desk[2])
				return desk[1]
		self.fail(f"desk and edge differ: {desk} {edge}")


def signed(answer: tuple[int, bytes, str]) -> tuple:
	"""What of an answer was signed ahead: it does not change from second to second."""
	body = json.loads(answer[1])
	return answer[0], body.get("lease"), body.get("denial"), body.get("documents")
