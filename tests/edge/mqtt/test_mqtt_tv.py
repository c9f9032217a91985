"""A whole TV between a real edge and a real broker: what it plays is what the edge says, whatever the broker brings."""

import time

import pytest
from feed_publisher import credential
from mqtt_sets import eventually, say, settle
from mqtt_sets import publisher as app_at

from subscriber_tv.core.devices import jws
from subscriber_tv.core.mqtt import payloads
from subscriber_tv.core.mqtt.broker_files import Member
from subscriber_tv.simulator.http import Service
from subscriber_tv.simulator.mqtt import Ear, Place
from subscriber_tv.simulator.tv import BARKER, PLAYING, Tv

PAID, CUT = "HOTEL-000001", "HOTEL-000002"


class Watched:
	"""A TV with its ear at the broker, and every screen that came of what it heard there."""

	def __init__(self, serial, edge, rights, broker):
		self.tv = Tv(serial, Service(f"http://127.0.0.1:{edge.port}"), credential(serial))
		self.first = self.tv.power_on()
		self.screens, self.obeyed = [], []
		verifier = jws.Verifier(rights.jwks())
		place = Place(
			"127.0.0.1", broker.port, broker.operator, broker.password(serial), site="TVL-1", ca=broker.ca
		)
		self.ear = Ear(
			serial,
			place,
			version=lambda: self.tv.memory.version,
			verifier=lambda: verifier,
			ask=lambda: self.screens.append(self.tv.power_on()),
			obey=lambda command: self.obeyed.append(command) or True,
		)

	def rights(self) -> tuple[str, int]:
		return self.tv.memory.lease, self.tv.memory.play_until


@pytest.fixture
def watched(edge, rights, broker):
	made = []

	def make(serial) -> Watched:
		found = Watched(serial, edge, rights, broker)
		made.append(found)
		assert found.ear.start(), broker.log()
		return found

	yield make
	for found in made:
		found.ear.stop()


@pytest.fixture
def forger(broker):
	"""Has the app's own password at the broker, and no key of the operator's."""
	broker.stop()
	broker.tell(Member(serial, "TVL-1") for serial in (PAID, CUT))
	broker.start()
	connection = app_at(broker)
	assert connection.wait_connected(10)
	yield connection
	connection.close()


def forged(serial: str, others_lease: str) -> list[tuple[str, bytes]]:
	now = int(time.time())
	command = payloads.Command("operator", "TVC-1", f"d/{serial}", now, now + 600, "update")
	return [
		("ent", b'{"v":99,"spread":0,"decision":"allow"}'),
		("ent", b'{"decision":"allow","play_until":9999999999}'),
		("ent", others_lease.encode()),
		("cmd", others_lease.encode()),
		("cmd", b'{"do":"update"}'),
		("cmd", payloads.sign_command(command, jws.Signer(jws.new_key()))),
		("ent", payloads.hint(2**50, 0)),
	]


def test_a_suspended_tv_stays_dark_and_a_paid_one_lit_whatever_is_forged(watched, forger, broker):
	dark, lit = watched(CUT), watched(PAID)
	assert (dark.first.kind, lit.first.kind) == (BARKER, PLAYING)
	lease = lit.tv.memory.lease
	for found, screen in ((dark, BARKER), (lit, PLAYING)):
		for leaf, payload in forged(found.tv.serial, lease):
			say(forger, broker.topic("d", found.tv.serial, leaf), payload)
		eventually(lambda found=found: found.screens)
		settle()
		assert [one.kind for one in found.screens] == [screen], "one question, and the edge's answer to it"
		assert not found.obeyed
	assert dark.rights() == ("", 0)


def test_a_forged_hint_alone_does_not_touch_what_a_tv_holds(watched, forger, broker, edge):
	"""With the edge gone as well, there is nobody to ask: the lease it has is the lease it keeps."""
	lit = watched(PAID)
	before = lit.rights()
	edge.stop()
	try:
		say(forger, broker.topic("d", PAID, "ent"), payloads.hint(2**51, 0))
		eventually(lambda: lit.screens)
		assert lit.screens[0].kind == PLAYING and lit.rights() == before
	finally:
		edge.start()


def test_a_real_change_shows_at_the_hint(watched, forger, broker, rights, publisher, edge):
	dark = watched(CUT)
	becomes(CUT, "Active", rights, edge)
	try:
		assert not dark.rights()[0]
		say(forger, broker.topic("site", "TVL-1", "cmd"), payloads.hint(2**52, 0))
		eventually(lambda: dark.screens)
		assert dark.screens[-1].kind == PLAYING and dark.rights()[0]
	finally:
		# The next server's edge serves the same operator.
		becomes(CUT, "Suspended", rights, edge)


def becomes(serial, state, rights, edge) -> None:
	"""The contract changes, and the edge has heard of it."""
	before = edge.health()["seq"]
	rights.set_state(serial, state)
	eventually(lambda: edge.health()["seq"] > before)
