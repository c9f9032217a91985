"""One connection of the strict server: the same answers however the bytes arrive, and an end to whatever does not end."""

import asyncio
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriber_tv.core.devices import wire
from subscriber_tv.edge.lean import protocol
from subscriber_tv.edge.lean.protocol import IDLE, Connection, Served

BODY = json.dumps({"d": "TV-000001"}).encode()


def post(path=b"/v1/auth", body=BODY, *more, version=b"1.1"):
	lines = [b"POST %b HTTP/%b" % (path, version), b"Host: e", b"Content-Type: application/json", *more]
	return b"\r\n".join([*lines, b"Content-Length: %d" % len(body), b"", b""]) + body


class App:
	"""Answers every daily question with its path and body, and by ASGI what was asked and how."""

	def __init__(self):
		self.asked = []
		self.failed = []
		self.gate = None

	def answer_now(self, path, said, body, peer):
		self.asked.append((path, body, peer))
		return wire.Answer(200, body, (("Content-Type", "application/json"),), "M" * 43)

	def refused(self, answer, peer):
		self.failed.append(answer.status)
		return answer

	async def __call__(self, scope, receive, send):
		message = await receive()
		self.asked.append((scope["method"], scope["path"], message["body"]))
		if self.gate:
			await self.gate.wait()
		if scope["path"] == "/fails":
			raise ValueError
		body = b"asgi " + scope["path"].encode()
		headers = [(b"content-length", b"%d" % len(body))]
		if scope["path"] == "/closes":
			headers.append((b"connection", b"close"))
		await send({"type": "http.response.start", "status": 200, "headers": headers})
		await send({"type": "http.response.body", "body": body})


class Wire:
	"""The other end."""

	def __init__(self):
		self.received = b""
		self.closed = self.ended = self.aborted = False
		self.reads = True

	def get_extra_info(self, _name):
		return "192.0.2.7", 4711

	def write(self, data):
		assert not self.closed and not self.ended
		self.received += data

	def write_eof(self):
		self.ended = True

	def close(self):
		self.closed = True

	def abort(self):
		self.closed = self.aborted = True

	def is_closing(self):
		return self.closed

	def is_reading(self):
		return self.reads

	def pause_reading(self):
		self.reads = False

	def resume_reading(self):
		self.reads = True


class Talk:
	"""A connection, its application and its clock."""

	def __init__(self):
		self.app, self.wire = App(), Wire()
		self.served = Served(self.app, asyncio.get_running_loop(), 5.0)
		self.served.now = 1000.0
		self.connection = Connection(self.served)
		self.connection.connection_made(self.wire)

	async def send(self, *pieces):
		for piece in pieces:
			self.connection.data_received(piece)
			await self.settle()

	async def settle(self):
		for _ in range(20):
			await asyncio.sleep(0)

	def wait(self, seconds):
		"""Time passes, and the worker looks."""
		self.served.now += seconds
		for connection in [one for one in self.served.connections if one.deadline <= self.served.now]:
			connection.overdue()

	def statuses(self):
		return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d{3}) [A-Z]", self.wire.received)]


def talk(play):
	"""Run a coroutine function that is given a Talk."""

	async def run():
		await play(Talk())

	asyncio.run(run())


# Raw bytes, the statuses they get, and whether the connection ends with them.
CASES = {
	"question": (post(), [200], False),
	"question of 1.0": (post(version=b"1.0"), [200], True),
	"question that closes": (post(b"/v1/auth", BODY, b"Connection: close"), [200], True),
	"two questions": (post() + post(b"/v1/heartbeat"), [200, 200], False),
	"many questions": (post() * 40, [200] * 40, False),
	"a question and a page": (
		post() + b"GET /tv/ HTTP/1.1\r\nHost: e\r\n\r\n" + post(),
		[200, 200, 200],
		False,
	),
	"asgi closes": (b"GET /closes HTTP/1.1\r\nHost: e\r\n\r\n" + post(), [200], True),
	"asgi fails": (b"GET /fails HTTP/1.1\r\nHost: e\r\n\r\n" + post(), [503, 200], False),
	"nothing after close": (post(b"/v1/auth", BODY, b"Connection: close") + post(), [200], True),
	"chunks": (post(b"/v1/auth", b"", b"Transfer-Encoding: chunked") + b"0\r\n\r\n" + post(), [400], True),
	"two lengths": (post(b"/v1/auth", BODY, b"Content-Length: 3") + post(), [400], True),
	"large body": (post(body=b"x" * 4097), [413], True),
	"large head": (post(b"/v1/auth", BODY, b"X: " + b"x" * 9000), [431], True),
	"a head just small enough": (post(b"/v1/auth", BODY, b"X: " + b"x" * 8000), [200], False),
	"folded": (post(b"/v1/auth", BODY, b"X: a", b" b"), [400], True),
	"version": (post(version=b"1.2"), [505], True),
	"line feeds": (post().replace(b"\r\n", b"\n"), [400], True),
	"good then bad": (post() + b"BAD\r\n\r\n", [200, 400], True),
	"nonsense": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 3 + b"\r\n\r\n", [400], True),
	"other type": (post().replace(b"application/json", b"text/plain"), [200], False),
}


@pytest.mark.parametrize("case", CASES)
def test_the_same_answers_however_the_bytes_arrive(case):
	data, statuses, ends = CASES[case]

	async def play_split(pieces):
		one = Talk()
		await one.send(*pieces)
		assert one.statuses() == statuses, pieces
		assert one.wire.ended == ends and one.wire.received.count(b"connection: close") == ends
		return [asked[1:] for asked in one.app.asked]

	async def run():
		whole = await play_split([data])
		step = max(1, len(data) // 400)
		for cut in range(1, len(data), step):
			assert await play_split([data[:cut], data[cut:]]) == whole
		if len(data) < 1500:
			assert await play_split([data[at : at + 1] for at in range(len(data))]) == whole

	asyncio.run(run())


@given(
	st.lists(st.sampled_from([post(), post(b"/v1/stream", b"{}"), post(b"/v1/auth", b"")]), max_size=5),
	st.data(),
)
def test_any_cut_of_any_pipeline_is_answered_in_order(questions, data):
	stream = b"".join(questions)
	cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
	pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]

	async def play(one):
		await one.send(*(piece for piece in pieces if piece))
		assert one.statuses() == [200] * len(questions)
		assert [body for _path, body, _peer in one.app.asked] == [
			q.partition(b"\r\n\r\n")[2] for q in questions
		]

	talk(play)


@given(st.binary(max_size=200), st.booleans())
def test_whatever_comes_is_answered_or_cut_off(noise, after):
	async def play(one):
		await one.send((post() if after else b"") + noise)
		one.wait(6)
		await one.settle()
		one.wait(2)
		one.wait(IDLE + 1)
		assert one.wire.closed
		assert set(one.statuses()) <= {200, 400, 408, 413, 417, 431, 505}

	talk(play)


def test_a_daily_question_goes_the_short_way_and_says_where_it_comes_from():
	async def play(one):
		await one.send(post(b"/v1/stream"))
		assert one.app.asked == [("/v1/stream", BODY, "192.0.2.7")]
		head, _, body = one.wire.received.partition(b"\r\n\r\n")
		assert body == BODY and b"x-tv-mac: " + b"M" * 43 in head.split(b"\r\n")
		assert b"content-length: %d" % len(BODY) in head and b"\r\ndate: " in head

	talk(play)


@pytest.mark.parametrize("dripped", [b"POST /v1/au", post()[:-1], post()[: -len(BODY)]])
def test_what_stops_half_way_has_its_time_and_no_more(dripped):
	async def play(one):
		await one.send(dripped)
		one.wait(4)
		assert not one.wire.closed and not one.wire.ended
		one.wait(2)
		assert one.statuses() == [408]
		one.wait(2)
		assert one.wire.closed

	talk(play)


def test_who_connects_and_says_nothing_is_hung_up_on():
	async def play(one):
		one.wait(protocol.FIRST - 1)
		assert not one.wire.closed
		one.wait(2)
		assert one.wire.closed and one.wire.received == b""

	talk(play)


def test_a_worker_that_was_busy_holds_that_against_nobody():
	async def play(one):
		clock = [5000.0]
		one.served.loop = type("Loop", (), {"time": lambda _self: clock[0]})()
		one.served.look()
		await one.send(post()[:-1])
		clock[0] += 60
		one.served.look()
		assert not one.wire.ended
		for _ in range(60):
			clock[0] += 0.1
			one.served.look()
		assert one.statuses() == [408]

	talk(play)


def test_dripping_wins_no_time():
	async def play(one):
		for byte in post()[:-1]:
			await one.send(bytes([byte]))
			one.wait(0.1)
			if one.wire.ended:
				break
		assert one.statuses() == [408] and one.app.asked == []

	talk(play)


def test_an_idle_connection_is_kept_for_a_while():
	async def play(one):
		await one.send(post())
		one.wait(IDLE - 1)
		assert not one.wire.closed
		await one.send(post())
		one.wait(IDLE - 1)
		assert one.statuses() == [200, 200] and not one.wire.closed
		one.wait(2)
		assert one.wire.closed and one.statuses() == [200, 200]

	talk(play)


def test_whoever_takes_no_replies_is_asked_nothing_more_and_cut_off():
	async def play(one):
		one.connection.pause_writing()
		await one.send(post())
		assert one.app.asked == [] and not one.wire.reads
		one.connection.resume_writing()
		await one.settle()
		assert len(one.app.asked) == 1 and one.wire.reads
		one.connection.pause_writing()
		one.wait(6)
		assert one.wire.aborted

	talk(play)


def test_a_flood_waits_its_turn():
	async def play(one):
		one.connection.data_received(post() * 100)
		assert len(one.app.asked) == protocol._IN_A_ROW and not one.wire.reads
		await one.settle()
		await one.settle()
		assert len(one.app.asked) == 100 and one.wire.reads

	talk(play)


def test_nothing_is_read_while_the_application_thinks():
	async def play(one):
		one.app.gate = asyncio.Event()
		await one.send(b"GET /slow HTTP/1.1\r\nHost: e\r\n\r\n" + post())
		assert not one.wire.reads and one.statuses() == []
		one.wait(100)
		assert not one.wire.closed
		one.app.gate.set()
		await one.settle()
		assert one.statuses() == [200, 200] and one.wire.reads

	talk(play)


def test_who_hangs_up_while_the_application_thinks_is_forgotten():
	async def play(one):
		one.app.gate = asyncio.Event()
		await one.send(b"GET /slow HTTP/1.1\r\nHost: e\r\n\r\n")
		one.connection.connection_lost(None)
		await one.settle()
		assert not one.served.connections and not one.served.tasks

	talk(play)


def test_who_only_stops_sending_still_gets_the_answer():
	async def play(one):
		one.app.gate = asyncio.Event()
		await one.send(b"GET /slow HTTP/1.1\r\nHost: e\r\n\r\n")
		assert one.connection.eof_received() is True
		one.app.gate.set()
		await one.settle()
		assert one.statuses() == [200] and one.wire.ended

	talk(play)


def test_a_client_is_told_to_go_on_once():
	async def play(one):
		data = post(b"/v1/auth", BODY, b"Expect: 100-continue")
		await one.send(data[: -len(BODY)], BODY[:3], BODY[3:])
		assert one.statuses() == [100, 200]

	talk(play)


def test_head_is_answered_without_a_body():
	async def play(one):
		await one.send(b"HEAD /tv/ HTTP/1.1\r\nHost: e\r\n\r\n")
		assert one.wire.received.endswith(b"\r\n\r\n") and b"content-length: 9" in one.wire.received

	talk(play)


def test_a_worker_that_ends_says_so_and_lets_go_of_who_is_idle():
	async def play(one):
		await one.send(post())
		one.served.ending = True
		await one.send(post())
		assert one.wire.ended and one.wire.received.count(b"connection: close") == 1
		other = Talk()
		other.connection.end_soon()
		assert other.wire.closed
		half = Talk()
		await half.send(post()[:-1])
		half.connection.end_soon()
		assert not half.wire.closed
		await half.send(post()[-1:])
		assert half.statuses() == [200]

	talk(play)


def test_after_the_last_reply_only_so_much_more_is_taken():
	async def play(one):
		await one.send(b"BAD\r\n\r\n")
		for _ in range(5):
			await one.send(b"x" * 60_000)
		assert one.wire.aborted and one.statuses() == [400]

	talk(play)
