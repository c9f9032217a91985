"""The door of a worker: what its routes give it, and what a TV hears instead when too much comes."""

import asyncio
import json

import pytest

from subscriber_tv.core.activation import enrolment
from subscriber_tv.core.devices import wire
from subscriber_tv.edge import metrics
from subscriber_tv.edge.admission import Door
from subscriber_tv.edge.config import Config

OK = wire.Answer(200, b"{}")


class Time:
	now = 1000.0

	def __call__(self):
		return self.now


@pytest.fixture
def clock():
	return Time()


def door(clock, tmp_path, **settings):
	return Door(Config(tmp_path / "edge.db", tmp_path / "keys", tmp_path / "masters", **settings), clock)


def ask(door, given=OK, path="/v1/auth", address="192.0.2.7", times=1, **headers):
	"""The answers to so many requests."""
	named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
	seen = []

	async def answer(scope, _receive):
		seen.append(scope["client"][0])
		return given

	async def run():
		scope = {"path": path, "headers": named, "client": (address, 1234)}
		return [await door.through(scope, None, answer) for _ in range(times)]

	answers = asyncio.run(run())
	return answers, seen


def test_an_idle_edge_lets_everybody_in(clock, tmp_path):
	answers, seen = ask(door(clock, tmp_path), times=20)
	assert answers == [OK] * 20 and len(seen) == 20


def test_a_full_edge_gives_slots_and_keeps_them(clock, tmp_path):
	full = door(clock, tmp_path, capacity=50)
	answers, seen = ask(full, times=100, priority="u=0")
	refused = answers[-1]
	document = json.loads(refused.body)
	assert refused.status == 503 and document["error"] == "overloaded" and len(seen) < 30
	headers = dict(refused.headers)
	assert document["retry_ms"] <= 1000 * int(headers["Retry-After"]) < document["retry_ms"] + 1000
	assert headers["Cache-Control"] == "no-store"
	clock.now += document["retry_ms"] / 1000
	ask(full, times=100, priority="u=0")
	assert ask(full, priority="u=0")[0][0].status == 503
	assert ask(full, address="192.0.2.8", x_tv_slot=document["slot"])[0][0].status == 503
	assert ask(full, x_tv_slot=document["slot"])[0] == [OK]
	assert ask(full, x_tv_slot=document["slot"])[0][0].status == 503


def test_workers_of_one_edge_know_each_others_tickets(clock, tmp_path, monkeypatch):
	(tmp_path / "slot-secret").write_bytes(b"x" * 32)
	monkeypatch.setenv("SUBSCRIBER_TV_EDGE_RUNTIME", str(tmp_path))
	one, other = door(clock, tmp_path, capacity=50), door(clock, tmp_path, capacity=50)
	document = json.loads(ask(one, times=100)[0][-1].body)
	clock.now += document["retry_ms"] / 1000
	ask(other, times=100)
	assert ask(other, x_tv_slot=document["slot"])[0] == [OK]


@pytest.mark.parametrize("path", ["/v1/health", "/v1/ready"])
def test_a_full_edge_still_tells_how_it_is(clock, tmp_path, path):
	full = door(clock, tmp_path, capacity=50)
	ask(full, times=100)
	assert ask(full, path=path)[0] == [OK]


def test_strangers_of_an_address_are_slowed_and_its_tvs_are_not(clock, tmp_path):
	guarded = door(clock, tmp_path)
	statuses = [given.status for given in ask(guarded, wire.STRANGER, times=30)[0]]
	assert statuses == [401] * 20 + [429] * 10
	assert ask(guarded)[0] == [OK]
	assert ask(guarded, wire.STRANGER, address="192.0.2.8")[0] == [wire.STRANGER]
	clock.now += 70
	assert ask(guarded, wire.STRANGER)[0] == [wire.STRANGER]


@pytest.mark.parametrize("path", ["/v1/challenge", "/v1/hello", "/v1/jwks", "/tv/"])
def test_what_anybody_may_have_outweighs_no_failure(clock, tmp_path, path):
	guarded = door(clock, tmp_path)
	for _ in range(20):
		assert ask(guarded, wire.STRANGER)[0] == [wire.STRANGER]
		ask(guarded, path=path)
	assert ask(guarded, wire.STRANGER)[0][0].status == 429


def test_a_tv_that_waits_for_its_code_is_no_failure(clock, tmp_path):
	guarded = door(clock, tmp_path)
	pending = enrolment.ERRORS[enrolment.PENDING]
	assert ask(guarded, pending, path="/v1/token", times=100)[0] == [pending] * 100
	invented = enrolment.ERRORS[enrolment.EXPIRED]
	statuses = [given.status for given in ask(guarded, invented, path="/v1/token", times=30)[0]]
	assert statuses == [400] * 20 + [429] * 10


def test_a_hotel_trips_nothing(clock, tmp_path):
	hotel = door(clock, tmp_path)
	for number in range(2000):
		clock.now += 0.01
		given = wire.STRANGER if number % 10 == 9 else OK
		assert ask(hotel, given)[0] == [given]


def test_a_tv_that_asks_too_often(clock, tmp_path):
	guarded = door(clock, tmp_path)
	assert [guarded.tv("HOTEL-000001") for _ in range(4)] == [None] * 4
	refused = guarded.tv("HOTEL-000001")
	assert refused.status == 429 and 1 <= int(dict(refused.headers)["Retry-After"]) <= 10
	assert guarded.tv("HOTEL-000002") is None
	clock.now += 10
	assert guarded.tv("HOTEL-000001") is None


@pytest.mark.parametrize(
	("peer", "forwarded", "address"),
	[
		("192.0.2.7", "203.0.113.9", "192.0.2.7"),
		("10.0.0.1", "203.0.113.9", "203.0.113.9"),
		("10.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"),
		("10.0.0.1", "203.0.113.9, 10.0.0.2", "203.0.113.9"),
		("10.0.0.1", "", "10.0.0.1"),
	],
)
def test_only_a_trusted_proxy_names_the_tv(clock, tmp_path, peer, forwarded, address):
	behind = door(clock, tmp_path, trusted_proxies="10.0.0.1, 10.0.0.2")
	assert ask(behind, address=peer, x_forwarded_for=forwarded)[1] == [address]


def test_workers_are_summed_and_the_dead_count(tmp_path):
	boards = metrics.Boards(tmp_path)
	mine, dead = metrics.Board.of_this_process(tmp_path), metrics.Board(tmp_path / "4194303.board")
	for board, number in ((mine, 3), (dead, 4)):
		for _ in range(number):
			board.count_answer("/v1/auth", 200, 0.002)
		board.set(metrics.CAPACITY, 500)
	for _ in range(2):
		sums, running = boards.read()
		page = metrics.text(sums, running, [("rows", "gauge", "TVs.", 5)])
		assert 'subscriber_tv_edge_requests_total{route="auth",status="200"} 7\n' in page
		assert 'subscriber_tv_edge_request_seconds_bucket{le="0.0025"} 7\n' in page
		assert 'subscriber_tv_edge_request_seconds_bucket{le="0.001"} 0\n' in page
		assert "subscriber_tv_edge_request_seconds_count 7\n" in page
		assert "subscriber_tv_edge_capacity 500\n" in page and "subscriber_tv_edge_rows 5\n" in page
		assert "subscriber_tv_edge_workers 1\n" in page
	assert not list(tmp_path.glob("4194303*"))


@pytest.mark.parametrize(
	("path", "status", "said"),
	[
		("/v1/offer/abc", 404, 'route="offer",status="404"'),
		("/tv/index.html", 200, 'route="page",status="200"'),
		("/wp-login.php", 404, 'route="other",status="404"'),
		("/v1/auth", 418, 'route="auth",status="other"'),
	],
)
def test_no_stranger_adds_a_label(path, status, said):
	board = metrics.Board()
	board.count_answer(path, status, 99.0)
	page = metrics.text(board.values(), [], [])
	assert f"subscriber_tv_edge_requests_total{{{said}}} 1\n" in page
	assert 'request_seconds_bucket{le="5.0"} 0\n' in page and 'le="+Inf"} 1\n' in page
