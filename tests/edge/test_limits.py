"""The limits of an edge as in production, over real sockets: what trips them, and whom they never hold up.

Addresses are those that a trusted proxy tells, as there is only one on loopback.
"""

import json

import pytest
from edge_process import EdgeProcess, eventually
from feed_publisher import Publisher, Rights, credential

from subscriber_tv.core.activation.limits import FAILURES_A_MINUTE, TV_A_MINUTE
from subscriber_tv.core.devices import jws

VICTIM = "VICTIM-000001"
HOTEL = [f"HOTEL-{number:06}" for number in range(500)]
WRONG = jws.b64url(bytes(32))


@pytest.fixture(scope="module")
def edge(tmp_path_factory):
	rights = Rights()
	for serial in (VICTIM, *HOTEL):
		rights.set_state(serial, "Active")
	publisher = Publisher(rights)
	limits = {"TV_PER_MINUTE": str(TV_A_MINUTE), "FAILURES_PER_MINUTE": str(FAILURES_A_MINUTE)}
	process = EdgeProcess(
		tmp_path_factory.mktemp("limits"), rights, publisher.url, TRUSTED_PROXIES="127.0.0.1", **limits
	)
	eventually(lambda: process.health()["rows"] == len(HOTEL) + 1)
	yield process
	process.stop()
	publisher.stop()


def ask(edge, serial, address, secret=None, number=1):
	"""Status of one power-on from an address."""
	question = edge.question(serial, secret, number)
	return edge.post("/v1/auth", question, **{"X-Forwarded-For": address})[0]


def test_strangers_from_everywhere_cannot_lock_a_tv_out(edge):
	"""They name its serial with wrong keys, wrong proofs and broken bodies, from its own address too."""
	own = "192.0.2.7"
	addresses = [f"203.0.113.{number}" for number in range(1, 21)] + [own]
	seen = set()
	for round_ in range(30):
		for address in addresses:
			if round_ % 3 == 0:
				seen.add(ask(edge, VICTIM, address, WRONG, number=round_ + 1))
			else:
				broken = {"d": VICTIM} if round_ % 3 == 1 else {"a": "A.A." + "A" * 86}
				seen.add(edge.post("/v1/assert", broken, **{"X-Forwarded-For": address})[0])
	assert seen == {400, 401, 429}
	# As often as a TV may ask, from where it stands and from elsewhere; and it may ask for nothing less than before.
	for number, address in enumerate((own, own, "198.51.100.1", own), start=1):
		assert ask(edge, VICTIM, address, number=number) == 200
	assert ask(edge, VICTIM, own, number=5) == 429


def test_a_hotel_behind_one_address_trips_nothing(edge):
	"""500 TVs ask, and five that are not paired keep asking among them: each hears what is so, and nobody has to wait."""
	address, answers, strangers = "192.0.2.8", [], []
	for number, serial in enumerate(HOTEL):
		answers.append(ask(edge, serial, address))
		if number % 10 == 0:
			strangers.append(ask(edge, f"UNPAIRED-{number // 10 % 5}", address, credential("X")))
	assert answers == [200] * 500
	assert len(strangers) == 50 and set(strangers) == {401}


def test_one_tv_that_never_stops_is_asked_to_wait_alone(edge):
	address, other = "192.0.2.9", HOTEL[7]
	answers = [ask(edge, HOTEL[5], address, number=number) for number in range(2, 12)]
	# It asked once before, in its hotel.
	assert answers.count(200) <= 4 and answers[-1] == 429
	assert ask(edge, other, address, number=2) == 200


def test_a_refusal_for_too_many_failures_tells_no_more_than_another(edge):
	address = "192.0.2.10"
	for _ in range(FAILURES_A_MINUTE):
		ask(edge, "NOBODY-0001", address)
	told = []
	for serial in ("NOBODY-0001", VICTIM):
		body = edge.question(serial, WRONG, 99)
		told.append(edge.post("/v1/auth", body, **{"X-Forwarded-For": address}))
	assert [status for status, _, _ in told] == [429, 429]
	assert told[0][2] == told[1][2] and json.loads(told[0][2])["error"] == "rate_limited"
	assert not any("x-tv-mac" in {name.lower() for name in headers} for _, headers, _ in told)
