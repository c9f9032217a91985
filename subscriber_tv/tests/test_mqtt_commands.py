"""Commands from the desk to TVs, what TVs say back, and who may send how far."""

import time

import frappe
from frappe.utils import add_to_date, now_datetime

from subscriber_tv.adapters.mqtt import Connection
from subscriber_tv.api import guards, tv_commands
from subscriber_tv.core.mqtt import topics
from subscriber_tv.flows.mqtt import broker, listen, send_command
from subscriber_tv.flows.support.take_heartbeats import take_presence
from subscriber_tv.subscriber_tv.doctype.tv_command.tv_command import TVCommand
from subscriber_tv.tests import factories
from subscriber_tv.tests.broker_case import OPERATOR, BrokerCase, publish_all
from subscriber_tv.tests.test_activation import bound_tv, delivered_tv

HELLO = {"command": "Message", "text_fr": "Bonjour à tous", "text_en": "Hello everybody"}


def row(name: str) -> frappe._dict:
	fields = ["state", "tvs", "acked", "refused", "spread", "sent_at", "error", "company"]
	return frappe.db.get_value("TV Command", name, fields, as_dict=True)


def presence(serial: str) -> tuple:
	return frappe.db.get_value("TV Device Status", serial, ["online", "last_heard"]) or (0, None)


class CommandCase(BrokerCase):
	made = None

	def setUp(self):
		super().setUp()
		frappe.db.delete("TV Command")
		self.listener = None

	def hear(self, what, seconds: float = 15, reconcile_after: float = 600) -> None:
		"""Let messenger and listener work until `what` is true."""
		if not self.listener:
			self.connection = Connection(broker.listener(), topics.of_all_tvs(OPERATOR))
			self.addCleanup(self.connection.close)
			self.listener = listen.Listener(self.connection, OPERATOR, reconcile_after)
		until = time.monotonic() + seconds
		while not what():
			self.assertLess(time.monotonic(), until, "did not happen")
			self.messenger.work()
			self.listener.step(time.monotonic())
			time.sleep(0.05)
			frappe.db.rollback()

	def two_tvs(self):
		"""Two TVs of one site, one of another, made once; and what the broker knows of them."""
		if not CommandCase.made:
			CommandCase.made = self._make()
			frappe.db.commit()
		site, serials = CommandCase.made
		found = self.tell_broker()
		return site, [found[serial] for serial in serials]

	def _make(self) -> tuple[str, list[str]]:
		first = bound_tv(factories.make_subscription("Awaiting Activation"))
		site = frappe.db.get_value("TV Device", first.serial, "site")
		customer = frappe.db.get_value("TV Site", site, "customer")
		second = bound_tv(factories.make_subscription("Awaiting Activation", customer=customer, site=site))
		other = bound_tv(factories.make_subscription("Awaiting Activation"))
		publish_all()
		return site, [tv.serial for tv in (first, second, other)]


class TestCommands(CommandCase):
	def test_a_message_to_a_site_is_signed_shown_and_counted(self):
		site, (first, second, other) = self.two_tvs()
		tvs = [self.switch_on(member) for member in (first, second, other)]
		tvs[1].can = False
		name = tv_commands.send("TV Site", site, **HELLO)
		frappe.db.commit()
		self.assertEqual(
			(row(name).state, row(name).tvs, row(name).company), ("Queued", 2, factories.COMPANY)
		)
		self.hear(lambda: row(name).state == "Done")
		found = row(name)
		self.assertEqual((found.acked, found.refused), (1, 1))
		self.assertTrue(found.sent_at)
		self.assertEqual([tv.obeyed[0].text.fr for tv in tvs[:2]], ["Bonjour à tous"] * 2)
		self.assertFalse(tvs[2].obeyed)

	def test_each_kind_reaches_one_tv(self):
		_site, (first, _second, _other) = self.two_tvs()
		tv = self.switch_on(first)
		for values in (
			{"command": "Identify"},
			{"command": "Re-scan"},
			{"command": "Update", "firmware": "4.2"},
		):
			tv_commands.send("TV Device", first.serial, **values)
		frappe.db.commit()
		self.work_until(lambda: len(tv.obeyed) == 3)
		self.assertEqual(
			[(command.do, command.firmware) for command in tv.obeyed],
			[("identify", ""), ("rescan", ""), ("update", "4.2")],
		)

	def test_a_command_to_a_model_reaches_all_of_it(self):
		_site, found = self.two_tvs()
		tvs = [self.switch_on(member) for member in found]
		name = tv_commands.send("TV Device Model", "TV-32", command="Identify")
		frappe.db.commit()
		self.work_until(lambda: all(tv.obeyed for tv in tvs))
		self.assertGreaterEqual(row(name).tvs, 3)

	def test_a_command_that_was_rolled_back_is_never_sent(self):
		_site, (first, _second, _other) = self.two_tvs()
		tv = self.switch_on(first)
		frappe.db.commit()
		name = tv_commands.send("TV Device", first.serial, command="Identify")
		frappe.db.rollback()
		self.assertIsNone(row(name))
		for _n in range(20):
			self.messenger.work()
			time.sleep(0.05)
		self.assertFalse(tv.obeyed)

	def test_a_broker_that_is_away_costs_the_request_nothing_and_the_command_waits(self):
		_site, (first, _second, _other) = self.two_tvs()
		self.mosquitto.stop()
		began = time.perf_counter()
		name = tv_commands.send("TV Device", first.serial, command="Identify")
		self.assertLess(time.perf_counter() - began, 1)
		frappe.db.commit()
		self.messenger.work()
		self.assertEqual(row(name).state, "Queued")
		self.mosquitto.start()
		tv = self.switch_on(first)
		self.work_until(lambda: tv.obeyed and row(name).state == "Sent", 30)

	def test_a_command_that_could_not_go_in_time_expires(self):
		_site, (first, _second, _other) = self.two_tvs()
		name = tv_commands.send("TV Device", first.serial, command="Identify")
		frappe.db.set_value("TV Command", name, "expires_at", add_to_date(now_datetime(), seconds=-1))
		frappe.db.commit()
		self.work_until(lambda: row(name).state == "Expired")
		self.assertTrue(row(name).error)

	def test_a_publisher_that_dies_sends_it_again_and_the_tv_does_it_once(self):
		_site, (first, _second, _other) = self.two_tvs()
		tv = self.switch_on(first)
		name = tv_commands.send("TV Device", first.serial, command="Identify")
		frappe.db.commit()
		self.work_until(lambda: tv.obeyed)
		frappe.db.set_value("TV Command", name, "state", "Queued")
		frappe.db.commit()
		self.messenger.close()
		self.work_until(lambda: row(name).state == "Sent")
		time.sleep(0.5)
		self.assertEqual(len(tv.obeyed), 1)

	def test_bad_commands_are_refused_with_their_reason(self):
		_site, (first, _second, _other) = self.two_tvs()
		unbound = delivered_tv(factories.make_subscription("Awaiting Activation")).serial
		good = {"target_type": "TV Device", "target": first.serial, **HELLO}
		for changes in (
			{"text_en": ""},
			{"text_fr": "x" * 281},
			{"command": "Format"},
			{"command": "Identify", "firmware": "1"},
			{"minutes": 0},
			{"minutes": 1441},
			{"target": unbound},
		):
			with self.assertRaises(send_command.BadCommand, msg=changes):
				tv_commands.send(**(good | changes))
		with self.assertRaises(send_command.BadCommand):
			tv_commands.send(**(good | {"target_type": "Customer"}))
		self._set({"mqtt_enabled": 0})
		with self.assertRaises(broker.BrokerNotSet):
			tv_commands.send(**good)

	def test_nobody_writes_or_keeps_a_command_by_hand(self):
		_site, (first, _second, _other) = self.two_tvs()
		doc = frappe.get_doc("TV Command", tv_commands.send("TV Device", first.serial, command="Identify"))
		doc.state = "Done"
		self.assertRaises(frappe.ValidationError, doc.save)
		values = {"doctype": "TV Command", "command": "Identify", "target_type": "TV Device"}
		values |= {"target": first.serial, "expires_at": now_datetime()}
		self.assertRaises(frappe.ValidationError, frappe.get_doc(values).insert)
		frappe.db.set_value("TV Command", doc.name, "creation", add_to_date(now_datetime(), days=-400))
		TVCommand.clear_old_logs(365)
		self.assertFalse(frappe.db.exists("TV Command", doc.name))


class TestWhoMaySend(CommandCase):
	def user(self, *roles: str) -> str:
		email = f"tv-{frappe.generate_hash(length=8)}@example.com"
		frappe.get_doc(
			{
				"doctype": "User",
				"email": email,
				"first_name": "Test",
				"send_welcome_email": 0,
				"roles": [{"role": role} for role in roles],
			}
		).insert()
		return email

	def as_user(self, user: str, call):
		frappe.set_user(user)
		try:
			return call()
		finally:
			frappe.set_user("Administrator")

	def test_the_more_screens_the_fewer_people(self):
		site, (first, _second, _other) = self.two_tvs()
		targets = (("TV Device", first.serial), ("TV Site", site), ("TV Device Model", "TV-32"))
		for role, allowed in (
			("TV Marketing", 0),
			("TV Sales", 0),
			("TV Logistics", 1),
			("TV Support", 2),
			("TV Back Office", 3),
		):
			user = self.user(role)
			for number, (target_type, target) in enumerate(targets):
				call = lambda: tv_commands.send(target_type, target, command="Identify")  # noqa: E731
				if number < allowed:
					self.as_user(user, call)
				else:
					with self.assertRaises(frappe.PermissionError, msg=(role, target_type)):
						self.as_user(user, call)

	def test_a_user_kept_to_another_company_reaches_no_screen_here(self):
		site, (first, _second, _other) = self.two_tvs()
		user = self.user("TV Back Office")
		other = "Elsewhere TV"
		# Rolled back at the end: it has no chart of accounts, so no other test may meet it.
		frappe.get_doc(
			doctype="Company", name=other, company_name=other, abbr="ETV", default_currency="EUR"
		).db_insert()
		frappe.get_doc(
			{"doctype": "User Permission", "user": user, "allow": "Company", "for_value": other}
		).insert()
		for target_type, target in (
			("TV Device", first.serial),
			("TV Site", site),
			("TV Device Model", "TV-32"),
		):
			with self.assertRaises(frappe.PermissionError, msg=target_type):
				self.as_user(user, lambda: tv_commands.send(target_type, target, command="Identify"))

	def test_a_user_sends_so_many_in_an_hour(self):
		site, _found = self.two_tvs()
		user = self.user("TV Support")
		most = guards.LIMITS["wide_commands"][0]
		for _n in range(most):
			self.as_user(user, lambda: tv_commands.send("TV Site", site, command="Identify"))
		with self.assertRaises(frappe.RateLimitExceededError):
			self.as_user(user, lambda: tv_commands.send("TV Site", site, command="Identify"))


class TestListening(CommandCase):
	def test_a_tv_is_online_while_it_is_and_seen_when_it_was(self):
		_site, (first, second, _other) = self.two_tvs()
		polite, cut = self.switch_on(first), self.switch_on(second)
		self.hear(lambda: presence(first.serial)[0] and presence(second.serial)[0])
		polite.ear.stop()
		cut.ear.vanish()
		self.hear(lambda: not presence(first.serial)[0] and not presence(second.serial)[0])
		self.assertTrue(presence(first.serial)[1] and presence(second.serial)[1])

	def test_many_messages_are_few_statements_and_strangers_none(self):
		_site, (first, _second, _other) = self.two_tvs()
		tv = self.switch_on(first)
		self.hear(lambda: presence(first.serial)[0])
		frappe.db.set_value("TV Device Status", first.serial, "last_heard", None)
		frappe.db.commit()
		statements = []
		write = listen.write
		self.addCleanup(setattr, listen, "write", write)
		listen.write = lambda changes: statements.append(changes) or write(changes)
		for _n in range(200):
			tv.ear.beat(temp="40")
			time.sleep(0.005)
		until = time.monotonic() + 4
		self.hear(lambda: time.monotonic() > until)
		self.assertLessEqual(len([found for found in statements if found]), 1)

	def test_a_serial_that_is_no_tv_makes_no_row(self):
		listen.write(listen.Changes(online_live=("NEVER-SEEN-1",), done={"TVC-NONE": 3}))
		for doctype in ("TV Device", "TV Device Status"):
			self.assertFalse(frappe.db.exists(doctype, "NEVER-SEEN-1"))

	def test_telemetry_reaches_the_fleet_by_the_hour(self):
		_site, (first, _second, _other) = self.two_tvs()
		tv = self.switch_on(first)
		self.hear(lambda: presence(first.serial)[0])
		self.assertEqual(frappe.db.get_value("TV Device Status", first.serial, "online"), 1)
		for temperature in ("41", "55", "47"):
			tv.ear.beat(temp=temperature, fw="9.1")
			time.sleep(0.2)
		until = time.monotonic() + 1
		self.hear(lambda: time.monotonic() > until)
		self.listener.flush()
		(hour,) = frappe.get_all(
			"TV Device Hour", {"device": first.serial}, ["beats", "temperature", "firmware"]
		)
		self.assertEqual((hour.temperature, hour.firmware), (55, "9.1"))

	def test_a_batch_that_cannot_be_written_comes_again(self):
		_site, (first, _second, _other) = self.two_tvs()
		self.hear(lambda: self.connection.connected)
		write = listen.write

		def fail(_changes):
			raise frappe.db.OperationalError("gone")

		listen.write = fail
		self.addCleanup(setattr, listen, "write", write)
		self.switch_on(first)
		with self.assertRaises(frappe.db.OperationalError):
			self.hear(lambda: False, 10)
		listen.write = write
		self.hear(lambda: presence(first.serial)[0])

	def test_who_is_online_in_name_only_is_found_out(self):
		_site, (first, second, _other) = self.two_tvs()
		take_presence({second.serial: True}, now=int(time.time()) - 60)
		frappe.db.commit()
		self.switch_on(first)
		self.hear(lambda: presence(first.serial)[0] and not presence(second.serial)[0], reconcile_after=3)

	def test_acknowledgements_never_exceed_the_tvs(self):
		_site, (first, _second, _other) = self.two_tvs()
		name = tv_commands.send("TV Device", first.serial, command="Identify")
		listen.write(listen.Changes(done={name: 5}, refused={name: 5}))
		self.assertEqual((row(name).acked, row(name).refused, row(name).state), (1, 0, "Done"))

	def test_two_thousand_tvs_are_written_in_a_moment(self):
		subscription = factories.make_subscription("Active", quantity=2000)
		from subscriber_tv.tests.test_publisher import many_tvs

		serials = many_tvs(subscription, 2000)
		began = time.perf_counter()
		listen.write(listen.Changes(online_live=tuple(serials)))
		self.assertLess(time.perf_counter() - began, 2)
		self.assertEqual(frappe.db.count("TV Device Status", {"name": ("in", serials), "online": 1}), 2000)
