"""Hints, commands and presence through a real broker: once, in time, and back after it was gone."""

import json
import time

from mqtt_sets import FAR, ONE, SIGNER, TWO, eventually, order, publisher, say, settle

from subscriber_tv.adapters.mqtt import Broker, Connection
from subscriber_tv.core.devices import jws
from subscriber_tv.core.mqtt import payloads, spread, topics


def test_a_hint_makes_the_tv_ask_and_one_it_knows_does_not(broker, app, tv):
	found = tv(ONE, version=0)
	topic = broker.topic("d", ONE.serial, "ent")
	assert say(app, topic, payloads.hint(7, 0), retain=True) == [(topic, "taken")]
	eventually(lambda: found.asked)
	found.version = 7
	say(app, topic, payloads.hint(7, 0), retain=True)
	settle()
	assert len(found.asked) == 1


def test_a_retained_hint_reaches_a_tv_that_comes_later(broker, app, tv):
	say(app, broker.topic("d", TWO.serial, "ent"), payloads.hint(9, 0), retain=True)
	found = tv(TWO, version=0)
	eventually(lambda: found.asked)


def test_a_command_is_done_once_and_acknowledged(broker, app, tv, listener):
	found = tv(ONE)
	topic = broker.topic("d", ONE.serial, "cmd")
	payload = order(f"d/{ONE.serial}", id="TVC-ONCE", do="message", text=payloads.Texts("Bonjour", "Hello"))
	for _again in range(3):
		say(app, topic, payload)
	said = eventually(lambda: [one for one in listener.received() if one.topic.endswith("/ack")])
	assert payloads.read_acknowledgement(said[0].payload) == payloads.Acknowledgement("TVC-ONCE", "done")
	listener.done(said)
	settle()
	assert [command.text.en for command in found.obeyed] == ["Hello"]


def test_nothing_unsigned_or_for_somebody_else_is_obeyed_even_from_the_publisher(broker, app, tv):
	found = tv(ONE)
	topic = broker.topic("d", ONE.serial, "cmd")
	stranger = jws.Signer(jws.new_key(), SIGNER.kid)
	now = int(time.time())
	claims = payloads.Command("op", "TVC-X", f"d/{ONE.serial}", now, now + 600, "update")
	for payload in (
		jws.unverified_claims(payloads.sign_command(claims, SIGNER).decode()),
		payloads.sign_command(claims, stranger),
		order(f"d/{TWO.serial}", id="TVC-Y"),
		SIGNER.sign(jws.LEASE, b"{}").encode(),
		b"",
	):
		say(app, topic, payload)
	settle()
	assert not found.obeyed and not found.asked


def test_presence_by_last_will(broker, tv, listener):
	polite, cut = tv(ONE), tv(FAR)
	states: dict[str, bytes] = {}

	def hear(serial) -> bytes | None:
		for one in listener.received():
			listener.done([one])
			states[topics.parse(broker.operator, one.topic).id] = one.payload
		return states.get(serial)

	eventually(lambda: hear(ONE.serial) == hear(FAR.serial) == b"online")
	polite.ear.stop()
	eventually(lambda: hear(ONE.serial) == b"offline")
	cut.ear.vanish()
	eventually(lambda: hear(FAR.serial) == b"offline")


def test_telemetry_comes_unretained(broker, tv, listener):
	found = tv(ONE)

	def beaten() -> list:
		# A heartbeat carries no promise, so one may be lost.
		found.ear.beat(temp="41", fw="3.21")
		time.sleep(0.1)
		return [one for one in listener.received() if one.topic.endswith("/hb")]

	beat = eventually(beaten)[0]
	assert json.loads(beat.payload) == {"temp": "41", "fw": "3.21"} and not beat.retained


def test_an_expired_message_reaches_nobody(broker, app, tv):
	found = tv(ONE)
	found.ear.vanish()
	topic = broker.topic("d", ONE.serial, "cmd")
	say(app, topic, order(f"d/{ONE.serial}", id="TVC-SHORT"), within=1.2)
	say(app, topic, order(f"d/{ONE.serial}", id="TVC-LONG"))
	time.sleep(2.5)
	again = tv(ONE)
	eventually(lambda: again.obeyed)
	settle()
	assert [command.id for command in again.obeyed] == ["TVC-LONG"]


def test_publishing_never_waits_and_the_queue_is_bounded(broker):
	broker.stop()
	try:
		began = time.perf_counter()
		lost = Connection(
			Broker("127.0.0.1", broker.port, broker.users.publisher, "x", ca=broker.ca), queue=50
		)
		taken = [
			lost.publish(broker.topic("d", ONE.serial, "cmd"), b"x", within=0.5, key=n) for n in range(80)
		]
		assert time.perf_counter() - began < 0.2
		assert taken == [True] * 50 + [False] * 30
		assert eventually(lambda: (found := lost.outcomes()) and found) == [(n, "expired") for n in range(50)]
		lost.close()
	finally:
		broker.start()


def test_all_come_back_after_the_broker_does_and_nothing_is_lost(broker, tv):
	app = publisher(broker)
	assert app.wait_connected(10)
	found = tv(ONE)
	broker.stop()
	eventually(lambda: not app.connected)
	topic = broker.topic("d", ONE.serial, "cmd")
	for n in range(20):
		assert app.publish(topic, order(f"d/{ONE.serial}", id=f"TVC-{n}"), within=60, key=n)
	broker.start()
	outcomes = []
	eventually(lambda: outcomes.extend(app.outcomes()) or len(outcomes) == 20, 30)
	assert {outcome for _key, outcome in outcomes} == {"taken"}
	eventually(lambda: len(found.obeyed) == 20, 30)
	app.close()


def test_what_a_dying_broker_had_not_taken_is_sent_again(broker):
	app = publisher(broker)
	assert app.wait_connected(10)
	broker.freeze()
	topic = broker.topic("d", ONE.serial, "cmd")
	for n in range(20):
		assert app.publish(topic, b"x", within=60, key=n)
	time.sleep(1)  # all are in the broker's socket now, and nobody reads them
	broker.kill()
	broker.start()
	outcomes = []
	eventually(lambda: outcomes.extend(app.outcomes()) or len(outcomes) == 20, 30)
	assert sorted(outcomes) == [(n, "taken") for n in range(20)]
	app.close()


def test_two_thousand_hints_at_once_are_taken_and_asked_about_over_their_spread(broker, app, tv):
	"""One TV really hears its own; the questions of all are those that each TV's rule gives."""
	rate, serials = 100, [f"HOTEL-{n:06}" for n in range(1, 2001)]
	pace = spread.Pace(rate)
	seconds = pace.spread(len(serials), 0.0)
	found = tv(ONE)
	began = time.perf_counter()
	for serial in serials:
		assert app.publish(
			broker.topic("d", serial, "ent"),
			payloads.hint(2 * 10**6, seconds),
			within=60,
			retain=True,
			key=serial,
		)
	queued = time.perf_counter() - began
	outcomes = []
	eventually(lambda: outcomes.extend(app.outcomes()) or len(outcomes) == 2000, 30)
	assert {outcome for _key, outcome in outcomes} == {"taken"}
	assert queued < 1
	asked = [0] * (seconds + 1)
	for serial in serials:
		asked[int(spread.moment(serial, 2 * 10**6, seconds))] += 1
	assert max(asked) <= rate
	assert pace.spread(2000, 1.0) is None, "and the next many wait until these are through"
	due = eventually(lambda: found.ear._asks_at)
	assert abs(due - time.time() - spread.moment(ONE.serial, 2 * 10**6, seconds)) < 5


def test_two_processes_of_one_name_give_way_to_each_other_more_and_more(broker):
	"""Mosquitto 2.0.11 ends the older of the two without a word."""
	both = [publisher(broker, draw=lambda: 0.99) for _n in range(2)]
	try:
		assert both[0].wait_connected(10) and both[1].wait_connected(10)
		time.sleep(8)
		assert sum(one.generation for one in both) <= 7
	finally:
		for one in both:
			one.close()
