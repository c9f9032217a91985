"""The board's figures follow every change by differences, end at the company, and agree with a full count."""

import datetime

import frappe
from frappe.permissions import add_user_permission
from frappe.utils import add_to_date, now_datetime

from subscriber_tv.api import fleet
from subscriber_tv.core.devices import heartbeats
from subscriber_tv.core.devices.heartbeats import Beat
from subscriber_tv.flows.support import count_fleet, raise_alarm, take_heartbeats
from subscriber_tv.subscriber_tv.report.tv_activation_time import tv_activation_time
from subscriber_tv.tests import factories
from subscriber_tv.tests.contract_case import make_user
from subscriber_tv.tests.fleet_case import FleetCase


class TestFleetBoard(FleetCase):
	def setUp(self):
		super().setUp()
		self.sub = self.subscription(quantity=20)
		self.serials = self.tvs(5, self.sub)
		self.site = frappe.db.get_value("TV Device", self.serials[0], "site")

	def hear(self, *serials: str, firmware: str = "1.0") -> None:
		rows = [heartbeats.one(serial, Beat(firmware=firmware), at=self.now - 60) for serial in serials]
		take_heartbeats.take_heartbeats(rows, now=self.now)

	def figures(self) -> tuple[int, ...]:
		return tuple(self.counted(self.site).values())

	def test_figures_follow_every_change(self):
		self.assertEqual(self.figures(), (5, 0, 0, 0))
		self.hear(*self.serials[:3])
		self.assertEqual(self.figures(), (5, 3, 0, 0))
		self.hear(*self.serials[:3])
		self.assertEqual(self.figures(), (5, 3, 0, 0))
		self.hear(self.serials[0], firmware="2.0")
		firmwares = self.board("firmware", site=self.site)
		self.assertEqual({row["key"]: row["tvs"] for row in firmwares}, {"": 2, "1.0": 2, "2.0": 1})
		self.forks(self.serials[1], 3, 2)
		self.assertEqual(self.figures(), (5, 3, 0, 1))
		raise_alarm.open_alarm(
			raise_alarm.Alarm("H|test|1", raise_alarm.HEALTH, "Hot", "<p>Hot</p>", device=self.serials[2])
		)
		take_heartbeats.make_status([self.serials[2]])
		self.assertEqual(self.figures(), (5, 3, 1, 1))
		frappe.db.set_value("TV Device", self.serials[1], {"state": "In Stock", "site": None})
		self.assertEqual(self.figures(), (4, 2, 1, 0))
		other = factories.make_site(frappe.db.get_value("TV Site", self.site, "customer"))
		frappe.db.set_value("TV Device", self.serials[0], "site", other)
		self.assertEqual(self.figures(), (3, 1, 1, 0))
		self.assertEqual(self.counted(other), {"tvs": 1, "online": 1, "alarms": 0, "suspected": 0})

	def test_a_site_that_changes_sector_takes_its_figures_along(self):
		self.hear(*self.serials)
		self.figures()
		sector = factories.make_territory("Outre-mer")
		site = frappe.get_doc("TV Site", self.site)
		site.territory = sector
		site.save()
		self.figures()
		rows = self.board("territory", site=self.site)
		self.assertEqual([(row["key"], row["tvs"]) for row in rows], [(sector, 5)])

	def test_a_full_count_says_the_same(self):
		self.hear(*self.serials[:4])
		self.hear(self.serials[4], firmware="2.0")
		self.forks(self.serials[0], 3, 2, 1)
		self.figures()
		fields = ["name", "tvs", "online", "alarms", "suspected", "segment", "territory", "site", "firmware"]

		def rows():
			found = frappe.get_all("TV Fleet Count", {"tvs": (">", 0)}, fields, order_by="name asc", limit=0)
			return [dict(row) for row in found]

		before = rows()
		count_fleet.recount()
		self.assertEqual(rows(), before)
		frappe.db.set_value("TV Fleet Count", {"site": self.site}, "online", 77)
		count_fleet.recount()
		self.assertEqual(rows(), before, "sums that drifted heal")

	def board(self, group: str, **filters) -> list[dict]:
		self.count()
		return fleet.board(group, filters)["rows"]

	def test_the_way_down(self):
		self.hear(*self.serials[:2])
		self.count()
		place = frappe.db.get_value("TV Site", self.site, ["segment", "territory", "site_name"], as_dict=True)
		by_segment = fleet.board("segment")
		self.assertIn(place.segment, [row["key"] for row in by_segment["rows"]])
		self.assertEqual(sum(row["tvs"] for row in by_segment["rows"]), by_segment["totals"]["tvs"])
		down = fleet.board("site", {"segment": place.segment, "territory": place.territory})
		(row,) = [row for row in down["rows"] if row["key"] == self.site]
		self.assertEqual((row["title"], row["tvs"], row["online"]), (place.site_name, 5, 2))
		for wrong in (
			{"group": "name"},
			{"filters": {"owner": "x"}},
			{"filters": "["},
			{"filters": {"site": ["x"]}},
		):
			with self.assertRaises(frappe.ValidationError):
				fleet.board(**wrong)

	def test_who_sees_what(self):
		self.hear(*self.serials)
		self.counted(self.site)
		frappe.set_user(make_user("TV Sales"))
		with self.assertRaises(frappe.PermissionError):
			fleet.board()
		frappe.set_user("Administrator")
		kept = make_user("TV Support")
		customer = frappe.db.get_value("TV Site", self.site, "customer")
		add_user_permission("Customer", customer, kept)
		frappe.set_user(kept)
		found = fleet.board("site")
		self.assertEqual([row["key"] for row in found["rows"]], [self.site])
		self.assertEqual(found["totals"]["tvs"], 5)


class TestWhyRefused(FleetCase):
	def why(self, serial: str) -> tuple[str, str]:
		found = fleet.why_refused(serial)
		failed = [check for check in found["checks"] if check["outcome"] in ("failed", "unclear")]
		return (failed[0]["code"] if failed else "", found["verdict"]["outcome"])

	def answered(self, serial: str) -> None:
		row = heartbeats.one(serial, Beat(), at=self.now)
		take_heartbeats.take_heartbeats([row], now=self.now)

	def test_the_walk(self):
		frappe.db.delete("TV Edge")
		subscription = self.subscription(quantity=5)
		serial = self.tv(subscription=subscription)
		self.assertEqual(self.why("no-such-tv"), ("unknown_serial", "failed"))
		self.assertEqual(self.why(serial.lower())[0], "waits")
		frappe.db.delete("TV Rights Outbox")
		self.assertEqual(self.why(serial)[0], "not_published")
		self.row(serial)
		frappe.db.delete("TV Rights Outbox")
		self.assertEqual(self.why(serial), ("never_asked", "unclear"))
		self.answered(serial)
		self.assertEqual(self.why(serial), ("", "ok"))
		self.forks(serial, 3, 2, 1)
		self.row(serial)
		frappe.db.delete("TV Rights Outbox")
		found = fleet.why_refused(serial)
		self.assertEqual(found["verdict"]["outcome"], "failed")
		self.assertEqual(found["verdict"]["links"][0]["name"], serial)
		self.assertIn("quarantin", found["verdict"]["text"])
		frappe.db.set_value("TV Device", serial, "credential_state", "Revoked")
		self.assertEqual(self.why(serial)[0], "revoked")

	def test_a_suspended_subscription_says_since_when(self):
		from subscriber_tv.flows.contracts.change_state import change_state

		frappe.db.delete("TV Edge")
		subscription = self.subscription(quantity=5)
		serial = self.tv(subscription=subscription)
		change_state(subscription=subscription, event="suspend", reason="Unpaid")
		self.row(serial)
		self.answered(serial)
		frappe.db.delete("TV Rights Outbox")
		found = fleet.why_refused(serial)
		self.assertEqual(
			[check["code"] for check in found["checks"] if check["outcome"] == "failed"], ["suspended"]
		)
		self.assertIn(subscription, found["verdict"]["text"])
		self.assertEqual(found["verdict"]["links"][0]["doctype"], "TV Subscription")

	def test_it_speaks_french(self):
		frappe.local.lang = "fr"
		self.addCleanup(setattr, frappe.local, "lang", "en")
		found = fleet.why_refused("NOBODY-9")
		self.assertEqual(found["verdict"]["text"], "Aucun téléviseur ne porte ce numéro de série.")

	def test_the_whole_story_of_a_tv(self):
		serial = self.tv()
		self.answered(serial)
		self.forks(serial, 3, 2, 1)
		fleet.clear_evidence(device=serial, reason="Known")
		story = fleet.device_story(serial, limit=200)
		kinds = [item["kind"] for item in story["items"]]
		self.assertEqual(kinds.count("cleared"), 3)
		self.assertGreaterEqual(kinds.count("movement"), 4)
		self.assertEqual(kinds.count("alarm"), 1)
		moments = [item["at"] for item in story["items"]]
		self.assertEqual(moments, sorted(moments, reverse=True))
		first = fleet.device_story(serial, limit=2)
		self.assertTrue(first["more"])
		older = fleet.device_story(serial, before=str(first["items"][-1]["at"]), limit=200)
		self.assertTrue(all(item["at"] < first["items"][-1]["at"] for item in older["items"]))
		now = fleet.device_now(serial)
		self.assertEqual((now["status"]["online"], now["signs"], now["may_clear"]), (1, [], True))


class TestActivationTime(FleetCase):
	def test_minutes_by_sector_and_month(self):
		sector = factories.make_territory(f"Délai {frappe.generate_hash(length=5)}")
		site = factories.make_site(territory=sector)
		subscription = self.subscription(quantity=10, site=site)
		serials = self.tvs(4, subscription)
		allowed = add_to_date(now_datetime(), days=-40).replace(microsecond=0)
		for serial, minutes in zip(serials, (5, 10, 20, 400), strict=True):
			frappe.db.set_value("TV Device", serial, "first_power_on", allowed)
			frappe.db.set_value(
				"TV Device Event Line",
				{"parent": serial, "event": ("in", ("Delivered", "Sold"))},
				"at",
				allowed - datetime.timedelta(minutes=minutes),
			)
		frappe.db.set_value(
			"TV Subscription Change",
			{"subscription": subscription, "event": "finish_installation"},
			"known_on",
			allowed - datetime.timedelta(days=2),
		)
		_columns, rows, _message, chart = tv_activation_time.execute({})
		(row,) = [row for row in rows if row["sector"] == sector]
		self.assertEqual(
			(row["month"], row["tvs"], row["median"], row["percentile_95"]), (f"{allowed:%Y-%m}", 4, 10, 400)
		)
		self.assertIn(row["month"], chart["data"]["labels"])
		segment, customer = frappe.db.get_value("TV Site", site, ["segment", "customer"])
		partner = frappe.get_doc(
			{
				"doctype": "Sales Partner",
				"partner_name": f"Partner {sector}",
				"commission_rate": 1,
				"territory": sector,
			}
		).insert()
		frappe.db.set_value("Customer", customer, "default_sales_partner", partner.name)
		for group, name in (("segment", segment), ("partner", partner.name)):
			columns, rows, _message, _chart = tv_activation_time.execute({"group": group})
			self.assertIn(group, [column["fieldname"] for column in columns])
			mine = [row for row in rows if (row[group], row["month"]) == (name, f"{allowed:%Y-%m}")]
			self.assertGreaterEqual(mine[0]["tvs"], 4)
		self.assertEqual((mine[0]["tvs"], mine[0]["median"]), (4, 10), "by partner, these TVs alone")
		with self.assertRaises(frappe.ValidationError):
			tv_activation_time.execute({"group": "allowed"})
		shown = frappe.get_doc("Dashboard Chart", "Minutes to the First Picture by Month")
		self.assertTrue(shown.report_name == "TV Activation Time" and shown.use_report_chart)
		cards = frappe.get_doc("Workspace", "Subscriber TV").content
		self.assertIn(shown.name, cards)
		with self.assertRaises(frappe.ValidationError):
			tv_activation_time.execute({"from_date": "2026-12-01", "to_date": "2026-01-01"})

	def test_the_card_reads_the_last_thirty_days(self):
		serial = self.tv()
		device = frappe.qb.DocType("TV Device")
		frappe.qb.update(device).set(device.first_power_on, None).run()
		self.assertEqual(fleet.activation_minutes()["value"], 0)
		now = now_datetime()
		frappe.db.set_value("TV Device", serial, "first_power_on", now)
		frappe.db.set_value(
			"TV Device Event Line",
			{"parent": serial, "event": ("in", ("Delivered", "Sold"))},
			"at",
			now - datetime.timedelta(minutes=42),
		)
		frappe.db.set_value(
			"TV Subscription Change",
			{"event": "finish_installation"},
			"known_on",
			now - datetime.timedelta(days=1),
		)
		self.assertEqual(fleet.activation_minutes()["value"], 42)
