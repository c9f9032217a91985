"""The signed HTTP adapter against a real server: what it sends, and what it makes of every way a server can fail."""

import socket
import time

import pytest

from subscriber_tv.adapters.provisioning import NotHeld
from subscriber_tv.adapters.provisioning_http import PAGE_BYTES, HttpPlatform
from subscriber_tv.core.provisioning.message import BadAnswer, Message
from subscriber_tv.core.provisioning.orders import OK, REFUSED, RETRY
from subscriber_tv.tests.provisioning_server import SECRET, Platform


@pytest.fixture
def platform():
	found = Platform()
	yield found
	found.stop()


@pytest.fixture
def client(platform):
	found = HttpPlatform(platform.address, SECRET, connect=2, read=1, total=1.5)
	yield found
	found.close()


def order(
	number: int = 1, subject: str = "AB43H-026001", action: str = "Grant", codes=("BASE", "SPORT")
) -> Message:
	return Message(f"key-{subject}-{number}", "Device", subject, number, action, codes)


def test_an_order_is_signed_carried_out_and_done(platform, client):
	(outcome,) = client.send([order()])
	assert outcome.result == OK
	assert platform.holds("Device", "AB43H-026001") == ["BASE", "SPORT"]
	(received,) = platform.received
	assert received["header"] == received["order"] == "key-AB43H-026001-1"


def test_a_repeated_order_is_a_duplicate_and_done(platform, client):
	assert [one.result for one in client.send([order(), order()])] == [OK, OK]
	assert len(platform.applied) == 1


def test_a_wrong_secret_is_a_fault_of_the_platform_not_of_the_order(platform):
	(outcome,) = HttpPlatform(platform.address, b"another").send([order()])
	assert (outcome.result, outcome.platform, outcome.arrived) == (RETRY, True, False)
	assert platform.applied == []


@pytest.mark.parametrize(
	("fault", "result", "arrived"),
	[
		(400, REFUSED, False),
		(422, REFUSED, False),
		(404, REFUSED, False),
		(429, RETRY, False),
		(500, RETRY, True),
		(503, RETRY, True),
		("after 500", RETRY, True),
		("drop", RETRY, True),
		("drip", RETRY, True),
		("redirect", RETRY, False),
	],
)
def test_what_each_fault_means(platform, client, fault, result, arrived):
	platform.faults = [fault]
	began = time.monotonic()
	(outcome,) = client.send([order()])
	assert (outcome.result, outcome.arrived) == (result, arrived)
	assert outcome.text
	assert time.monotonic() - began < 3
	# The same order again, under the same key, is right whatever had happened.
	assert client.send([order()])[0].result == OK
	assert len(platform.applied) == 1


def test_revoking_what_is_not_known_is_done(platform, client):
	platform.faults = [404]
	assert client.send([order(action="Revoke", codes=())])[0].result == OK


def test_an_endless_body_is_not_read_to_its_end(platform, client):
	platform.faults = ["huge"]
	began = time.monotonic()
	assert client.send([order()])[0].result == OK
	assert time.monotonic() - began < 1


def test_a_server_that_is_silent_is_left(platform, client):
	platform.delay = 3
	began = time.monotonic()
	(outcome,) = client.send([order()])
	assert (outcome.result, outcome.arrived) == (RETRY, True)
	assert time.monotonic() - began < 2.5


def test_nobody_there_means_surely_not_arrived():
	with socket.socket() as found:
		found.bind(("127.0.0.1", 0))
		port = found.getsockname()[1]
	(outcome,) = HttpPlatform(f"http://127.0.0.1:{port}", SECRET).send([order()])
	assert (outcome.result, outcome.arrived, outcome.platform) == (RETRY, False, True)


def test_retry_after_is_handed_on(platform, client):
	platform.faults, platform.headers = [429], {"Retry-After": "120"}
	assert client.send([order()])[0].retry_after == 120


def test_lanes_answer_in_the_order_of_the_orders(platform):
	platform.delay = 0.1
	client = HttpPlatform(platform.address, SECRET, lanes=4)
	orders = [order(subject=f"TV-{n:04}") for n in range(12)]
	platform.faults = [None, 422]
	began = time.monotonic()
	outcomes = client.send(orders)
	assert time.monotonic() - began < 0.9
	refused = [
		one.subject for one, outcome in zip(orders, outcomes, strict=True) if outcome.result == REFUSED
	]
	assert len(refused) == 1
	assert platform.holds("Device", refused[0]) is None
	client.close()


def test_connections_are_kept(platform, client):
	client.send([order(1)])
	client.send([order(2), order(3)])
	platform.faults = [422]
	client.send([order(4), order(5)])
	assert platform.connections == 1
	assert len(platform.applied) == 4


def test_holdings_come_page_by_page(platform, client):
	client.send([order(subject=f"TV-{n:04}") for n in range(7)])
	platform.page = 3
	found = list(client.holdings("Device"))
	assert [one.subject for one in found] == [f"TV-{n:04}" for n in range(7)]
	assert found[0].entitlements == ("BASE", "SPORT")
	assert found[0].sequence == 1
	assert list(client.holdings("Account")) == []


@pytest.mark.parametrize("fault", [404, 500, "drop", "drip"])
def test_holdings_that_do_not_come_are_said_so(platform, client, fault):
	platform.faults = [fault]
	with pytest.raises(NotHeld):
		list(client.holdings("Device"))


def test_a_page_is_limited(platform, client, monkeypatch):
	assert PAGE_BYTES > 1_000_000
	monkeypatch.setattr("subscriber_tv.adapters.provisioning_http.PAGE_BYTES", 50)
	client.send([order()])
	with pytest.raises(NotHeld, match="50 bytes"):
		list(client.holdings("Device"))


def test_holdings_that_are_nonsense_are_refused(platform, client, monkeypatch):
	monkeypatch.setattr(platform, "page_of", lambda query: {"holdings": [{"subject": 5}]})
	with pytest.raises(BadAnswer):
		list(client.holdings("Device"))
