"""Telemetry is rolled up, rules open one Issue and close it, and two workers at once open no second."""

import time
from unittest.mock import patch

import frappe
from frappe.utils import add_to_date, now_datetime

from subscriber_tv.core.devices import heartbeats
from subscriber_tv.core.devices.heartbeats import Beat
from subscriber_tv.flows.support import apply_rules, raise_alarm, take_heartbeats
from subscriber_tv.flows.support.moments import epoch
from subscriber_tv.subscriber_tv.doctype.tv_device_hour.tv_device_hour import TVDeviceHour
from subscriber_tv.tests.fleet_case import HOUR, FleetCase
from subscriber_tv.tests.processes import on_own_connections

HOME, AWAY = "192.0.2.0/24", "198.51.100.0/24"


class TestTVHealth(FleetCase):
	def setUp(self):
		super().setUp()
		frappe.db.set_value("TV Health Rule", {"disabled": 0}, "disabled", 1)
		frappe.db.delete("TV Device Hour")  # other TVs that are hot would open alarms, too

	def rule(self, **values) -> str:
		return (
			frappe.get_doc(
				{
					"doctype": "TV Health Rule",
					"rule_name": f"Rule {frappe.generate_hash(length=8)}",
					"signal": "Temperature",
					"threshold": 70,
					"hours": 2,
					"scope": "TV",
					**values,
				}
			)
			.insert()
			.name
		)

	def hear(self, serial: str, at: int, network: str = HOME, **told) -> None:
		row = heartbeats.one(serial, Beat(**told), at=at, network=network)
		take_heartbeats.take_heartbeats([row], now=max(self.now, at))

	def hot(self, serial: str, *hours_ago: int, temperature: int = 80) -> None:
		for back in hours_ago:
			self.hear(serial, self.now - back * HOUR, temp=temperature, up=9, firmware="1.0")

	def apply(self, rule: str) -> list[tuple[str, str]]:
		"""What this rule does now; done in this transaction, so that the test can take it back."""
		self.count()
		doc = frappe.get_doc("TV Health Rule", rule)
		done = []
		for step in apply_rules.steps_of(apply_rules.rule_of(doc), self.now):
			acted = (
				apply_rules.open_step(doc, step)
				if step.action == "open"
				else apply_rules._recover(apply_rules.rule_of(doc), step)
			)
			done.append((step.action, step.subject) if acted else ("passed over", step.subject))
		return done

	def test_an_hour_is_one_row_however_it_arrives(self):
		serial, hour = self.tv(), self.now // HOUR - 2
		beats = [
			Beat(up=100, temp=40, err=10, rssi=-60, firmware="1.0"),
			Beat(up=900, temp=61, err=14, rssi=-75),
		]
		beats += [Beat(up=5, temp=50, err=0, firmware="1.1"), Beat(up=700, err=3)]
		rows = [
			heartbeats.one(serial, beat, at=hour * HOUR + 600 * index) for index, beat in enumerate(beats)
		]
		for row in (heartbeats.add(rows[0], rows[1]), rows[2], rows[3]):
			take_heartbeats.take_heartbeats([row], now=self.now)
		(found,) = frappe.get_all("TV Device Hour", {"device": serial}, ["*"])
		self.assertEqual(
			(
				found.beats,
				found.temperature,
				found.signal_strength,
				found.errors,
				found.restarts,
				found.firmware,
			),
			(4, 61, -75, 7, 1, "1.1"),
		)
		self.assertEqual((found.error_counter, found.uptime), (3, 700))

	def test_errors_between_two_hours_count_in_the_later(self):
		serial, hour = self.tv(), self.now // HOUR - 5
		told = [(0, 3500, 10, 4000), (1, 100, 14, 4200), (1, 1900, 15, 300), (2, 60, 1, 100), (4, 60, 40, 90)]
		rows = [
			heartbeats.one(serial, Beat(err=errors, up=up), at=(hour + more) * HOUR + second)
			for more, second, errors, up in told
		]
		# The second and third hour come together, as an edge sends them after it was cut off.
		for batch in (rows[:1], rows[1:2], rows[2:4], rows[4:]):
			take_heartbeats.take_heartbeats(batch, now=self.now)
		found = frappe.get_all(
			"TV Device Hour", {"device": serial}, ["errors", "restarts"], order_by="hour", as_list=True
		)
		# 10 to 14 to 15 and a new start; 1 after another start; and nobody knows what happened in the hour without a beat.
		self.assertEqual(found, ((0, 0), (5, 1), (1, 1), (0, 0)))

	def test_unknown_tvs_and_the_future_leave_no_row(self):
		serial = self.tv()
		rows = [
			heartbeats.one("NOBODY-1", Beat(), at=self.now),
			heartbeats.one(serial, Beat(), at=self.now + 2 * HOUR),
		]
		self.assertEqual(take_heartbeats.take_heartbeats(rows, now=self.now), 0)
		self.assertEqual(frappe.db.count("TV Device Hour", {"device": ("in", ["NOBODY-1", serial])}), 0)

	def test_old_hours_are_cleared(self):
		serial = self.tv()
		self.hot(serial, 1, 24 * 5)
		TVDeviceHour.clear_old_logs(3)
		self.assertEqual(frappe.db.count("TV Device Hour", {"device": serial}), 1)

	def test_log_settings_clear_what_is_raw(self):
		settings = frappe.get_doc("Log Settings")
		settings.add_default_logtypes()
		days = {row.ref_doctype: row.days for row in settings.logs_to_clear}
		raw = {"TV Device Hour": 3, "TV Device Evidence": 90, "TV Activation": 90}
		self.assertEqual({doctype: days.get(doctype) for doctype in raw}, raw)
		serial = self.tv()
		self.hot(serial, 1, 24 * 5)
		with patch.object(frappe.db, "commit"):
			settings.clear_logs()
		self.assertEqual(frappe.db.count("TV Device Hour", {"device": serial}), 1)

	def test_a_hot_tv_opens_one_issue_and_closes_it(self):
		serial, rule = self.tv(), self.rule()
		self.hot(serial, 2, 1)
		self.assertEqual(self.apply(rule), [("open", serial)])
		self.assertEqual(self.apply(rule), [])
		alarm = frappe.get_doc("TV Alarm", {"rule": rule, "device": serial})
		issue = frappe.get_doc("Issue", alarm.issue)
		self.assertEqual((alarm.state, alarm.value, issue.status), ("Open", 80, "Open"))
		self.assertEqual(issue.customer, frappe.db.get_value("TV Device", serial, "customer"))
		self.assertIn(serial, issue.subject)
		self.count()
		self.assertEqual(frappe.db.get_value("TV Device Status", serial, "alarms"), 1)

		self.now += 4 * HOUR
		self.hot(serial, 2, 1, 0, temperature=40)
		self.assertEqual(self.apply(rule), [("recover", serial)])
		self.assertEqual(frappe.db.get_value("Issue", alarm.issue, "status"), "Closed")
		self.assertEqual(frappe.db.get_value("TV Alarm", alarm.name, "state"), "Recovered")

		self.now += 4 * HOUR
		self.hot(serial, 2, 1)
		self.assertEqual(self.apply(rule), [("open", serial)])
		again = frappe.get_doc("TV Alarm", alarm.name)
		self.assertEqual((again.times, again.issue), (2, alarm.issue))
		self.assertEqual(frappe.db.get_value("Issue", alarm.issue, "status"), "Open")
		told = frappe.get_all(
			"Comment", {"reference_name": alarm.issue, "comment_type": "Comment"}, pluck="content"
		)
		self.assertEqual(len(told), 2, "that it was over, and that it is back")

	def test_an_issue_somebody_works_on_is_not_closed_and_an_old_one_rests(self):
		serial, rule = self.tv(), self.rule()
		self.hot(serial, 2, 1)
		self.apply(rule)
		alarm = frappe.get_doc("TV Alarm", {"rule": rule, "device": serial})
		frappe.db.set_value("Issue", alarm.issue, "status", "Replied")
		raise_alarm.recover(alarm.name, "over")
		self.assertEqual(frappe.db.get_value("Issue", alarm.issue, "status"), "Replied")
		self.assertEqual(self.apply(rule), [("open", serial)])
		alarm.reload()
		raise_alarm.recover(alarm.name, "over")
		frappe.db.set_value("TV Alarm", alarm.name, "recovered_on", add_to_date(now_datetime(), days=-31))
		self.assertEqual(self.apply(rule), [("open", serial)])
		self.assertNotEqual(frappe.db.get_value("TV Alarm", alarm.name, "issue"), alarm.issue)

	def test_a_site_that_falls_silent_is_one_issue(self):
		subscription = self.subscription(quantity=10)
		serials = self.tvs(6, subscription)
		site = frappe.db.get_value("TV Device", serials[0], "site")
		rule = self.rule(signal="Silence", hours=2, scope="Site", tvs=4, threshold=0)
		for serial in serials[:4]:
			self.hear(serial, self.now - 3 * HOUR)
		for serial in serials[4:]:
			self.hear(serial, self.now - 60)
		self.counted(site)
		self.assertEqual(self.apply(rule), [("open", site)])
		alarm = frappe.get_doc("TV Alarm", {"rule": rule, "site": site})
		self.assertEqual(sorted(alarm.tvs.split("\n")), sorted(serials[:4]))
		self.assertEqual(self.apply(rule), [])
		for serial in serials[:3]:
			self.hear(serial, self.now)
		self.assertEqual(self.apply(rule), [("recover", site)])

	def test_a_rule_can_come_true_and_end(self):
		for values in (
			{"hours": 0},
			{"hours": 99},
			{"scope": "Site", "tvs": 0},
			{"signal": "Signal Strength", "threshold": 10},
			{"threshold": 0},
		):
			with self.subTest(values), self.assertRaises(frappe.ValidationError):
				self.rule(**values)
		serial, rule = self.tv(), self.rule()
		self.hot(serial, 2, 1)
		self.apply(rule)
		with self.assertRaises(frappe.ValidationError):
			frappe.delete_doc("TV Health Rule", rule)

	def test_networks_give_signs(self):
		subscription = self.subscription(quantity=10)
		neighbours = self.tvs(3, subscription)
		site = frappe.db.get_value("TV Device", neighbours[0], "site")
		for serial in neighbours:
			self.hear(serial, self.now - 600, network=AWAY)
		self.counted(site)
		stranger = self.tv()
		self.hear(stranger, self.now - 500, network=AWAY)
		self.hear(neighbours[0], self.now - 400, network=AWAY)
		kinds = frappe.get_all(
			"TV Device Evidence", {"device": ("in", [stranger, *neighbours])}, ["device", "kind"]
		)
		self.assertEqual([(row.device, row.kind) for row in kinds], [(stranger, "moved")])
		self.assertIsNone(self.device(stranger).suspicion, "an address alone accuses nobody")

	def test_the_broker_says_who_is_there(self):
		serial = self.tv()
		self.hear(serial, self.now - 60)
		self.assertEqual(take_heartbeats.take_presence({serial: False}, now=self.now), 1)
		self.assertEqual(take_heartbeats.take_presence({serial: False}, now=self.now), 0)
		self.assertEqual(frappe.db.get_value("TV Device Status", serial, "online"), 0)
		self.hear(serial, self.now - 30)
		self.assertFalse(self.online(serial), "what it told before it went may arrive after")
		self.hear(serial, self.now + 30)
		self.assertTrue(self.online(serial))
		take_heartbeats.take_presence({serial: True}, now=self.now + 40)
		frappe.db.set_value("TV Device Status", serial, "last_heard", None)
		take_heartbeats.take_signs_of_life([serial], now=self.now + 50)
		heard = frappe.db.get_value("TV Device Status", serial, "last_heard")
		self.assertEqual(epoch(heard), self.now + 50)

	def online(self, serial: str) -> int:
		return frappe.db.get_value("TV Device Status", serial, "online")


class TestTwoWorkers(FleetCase):
	"""These commit, as workers do, and take away what they made."""

	def test_one_issue_however_many_look(self):
		frappe.db.delete("TV Device Hour")  # what other runs left hot would open alarms too
		subscription = self.subscription(quantity=10)
		serials = self.tvs(4, subscription)
		rule = frappe.get_doc(
			{
				"doctype": "TV Health Rule",
				"rule_name": f"Race {frappe.generate_hash(length=8)}",
				"signal": "Temperature",
				"threshold": 70,
				"hours": 1,
				"scope": "TV",
			}
		).insert()
		now = int(time.time())
		rows = [heartbeats.one(serial, Beat(temp=90), at=now - 60) for serial in serials]
		take_heartbeats.take_heartbeats(rows, now=now)
		self.counted(frappe.db.get_value("TV Device", serials[0], "site"))
		frappe.db.commit()
		self.addCleanup(self.forget, rule.name)

		results = on_own_connections(*[apply_rules.apply_rules] * 3)

		self.assertEqual([found for found in results if isinstance(found, Exception)], [])
		self.assertEqual(sum(found["opened"] for found in results), 4, results)
		frappe.db.rollback()
		alarms = frappe.get_all("TV Alarm", {"rule": rule.name}, ["state", "issue", "times"])
		self.assertEqual([(row.state, row.times) for row in alarms], [("Open", 1)] * 4)
		self.assertEqual(len({row.issue for row in alarms}), 4)
		issues = frappe.db.count("Issue", {"subject": ("like", f"%{rule.rule_name}%")})
		self.assertEqual(issues, 4)

		later = now + 3 * HOUR
		cool = [
			heartbeats.one(serial, Beat(temp=40), at=later - back * HOUR)
			for serial in serials
			for back in (0, 1)
		]
		take_heartbeats.take_heartbeats(cool, now=later)
		frappe.db.commit()
		results = on_own_connections(*[lambda: apply_rules.apply_rules(later)] * 2)
		self.assertEqual(sum(found["recovered"] for found in results), 4, results)
		frappe.db.rollback()
		closed = frappe.get_all("Issue", {"subject": ("like", f"%{rule.rule_name}%")}, ["name", "status"])
		self.assertEqual({row.status for row in closed}, {"Closed"})
		names = [row.name for row in closed]
		comments = frappe.db.count("Comment", {"reference_name": ("in", names), "comment_type": "Comment"})
		self.assertEqual(comments, 4, "each is told once")

	def forget(self, rule: str) -> None:
		frappe.db.rollback()
		frappe.db.delete("TV Alarm", {"rule": rule})
		frappe.db.delete("TV Health Rule", {"name": rule})
		frappe.db.delete("TV Device Hour")
		frappe.db.commit()

	def test_a_copy_is_one_issue_too(self):
		serial = self.tv()
		frappe.db.commit()
		serials = [serial] * 3

		def report():
			self.forks(serial, 3, 2, 1)

		results = on_own_connections(*[report for _serial in serials])
		frappe.db.rollback()
		self.assertEqual([found for found in results if isinstance(found, Exception)], [])
		self.assertEqual(self.device(serial).credential_state, "Quarantined")
		self.assertEqual(frappe.db.count("Issue", {"subject": ("like", f"%{serial}%")}), 1)
		events = frappe.get_all("TV Device Event Line", {"parent": serial, "event": "Suspected"})
		self.assertEqual(len(events), 1)


class TestSilentFleet(FleetCase):
	def test_a_tv_not_heard_for_long_is_offline(self):
		serial = self.tv()
		site = frappe.db.get_value("TV Device", serial, "site")
		row = heartbeats.one(serial, Beat(firmware="2.0"), at=self.now - 60)
		take_heartbeats.take_heartbeats([row], now=self.now)
		self.assertEqual(self.counted(site)["online"], 1)
		heard = add_to_date(now_datetime(), hours=-1)
		frappe.db.set_value("TV Device Status", serial, "last_heard", heard)
		self.assertEqual(self.counted(site), {"tvs": 1, "online": 0, "alarms": 0, "suspected": 0})
