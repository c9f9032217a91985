"""Raw bytes over a real socket: what each server makes of requests that no library would send."""

import json
import re
import socket
import time

import pytest

QUESTION = json.dumps(
	{"d": "HOTEL-000001", "e": "2", "c": "1", "n": "A" * 22, "f": "A" * 43, "m": "A" * 43}
).encode()
# The application asked by granian takes what hyper takes; ours is stricter.
STRICTER = {
	"no host",
	"two hosts",
	"chunked page",
	"other version",
	"line feeds",
	"whole address",
	"same length twice",
}


def post(*more, body=QUESTION, first=b"POST /v1/auth HTTP/1.1", host=(b"Host: e",)):
	lines = [first, *host, b"Content-Type: application/json", *more]
	return b"\r\n".join([*lines, b"Content-Length: %d" % len(body), b"", b""]) + body


def get(*lines, first=b"GET /v1/hello HTTP/1.1"):
	return b"\r\n".join([first, b"Host: e", *lines, b"", b""])


CLOSE = b"Connection: close"
CASES = {
	"question": (post(CLOSE), [401]),
	"two questions": (post() + post(CLOSE), [401, 401]),
	"question and page": (post() + get() + post(CLOSE), [401, 200, 401]),
	"old version": (post(first=b"POST /v1/auth HTTP/1.0"), [401]),
	"other version": (post(CLOSE, first=b"POST /v1/auth HTTP/1.2"), [505]),
	"no version": (b"GET /v1/hello\r\n\r\n", [400]),
	"chunked": (post(b"Transfer-Encoding: chunked", CLOSE), [400]),
	"chunked page": (get(b"Transfer-Encoding: chunked", CLOSE) + b"0\r\n\r\n", [400]),
	"odd coding": (post(b"Transfer-Encoding: xchunked", CLOSE), [400]),
	"two lengths": (post(b"Content-Length: 5", CLOSE), [400]),
	"same length twice": (post(b"Content-Length: %d" % len(QUESTION), CLOSE), [400]),
	"signed length": (get(b"Content-Length: +1", CLOSE), [400]),
	"negative length": (get(b"Content-Length: -1", CLOSE), [400]),
	"folded": (post(b"X: a", b" b", CLOSE), [400]),
	"space before colon": (post(b"X : a", CLOSE), [400]),
	"no colon": (post(b"X", CLOSE), [400]),
	"nul": (post(b"X: a\x00b", CLOSE), [400]),
	"no host": (post(CLOSE, host=()), [400]),
	"two hosts": (post(b"Host: f", CLOSE), [400]),
	"line feeds": (post(CLOSE).replace(b"\r\n", b"\n"), [400]),
	"whole address": (get(CLOSE, first=b"GET http://e/v1/hello HTTP/1.1"), [400]),
	"small letters": (post(CLOSE, first=b"post /v1/auth HTTP/1.1"), [405]),
	"no length": (b"POST /v1/auth HTTP/1.1\r\nHost: e\r\nConnection: close\r\n\r\n", [400]),
	"too large": (post(CLOSE, body=b" " * 4097), [413]),
	"announced too large": (post(CLOSE).replace(b"Length: ", b"Length: 999999"), [413]),
	"a page in small pieces": (get(CLOSE), [200]),
	"tls": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", [400]),
}


def statuses(received: bytes) -> list[int]:
	return [int(found) for found in re.findall(rb"HTTP/1\.[01] (\d{3}) [A-Z]", received)]


@pytest.mark.parametrize("case", CASES)
def test_raw_bytes_get_one_answer_on_any_server(edge, server, case):
	data, expected = CASES[case]
	received = edge.raw(data, 3)
	if server != "lean" and case in STRICTER:
		# What it takes, it answers as anything else, and never more often than it was asked.
		assert len(statuses(received)) <= len(expected) and not set(statuses(received)) & {500, 502, 504}
	else:
		assert statuses(received) == expected, received
	assert edge.power_on("HOTEL-000001")[0] == 200


@pytest.mark.parametrize("case", ["question", "question and page", "chunked", "two lengths", "folded"])
def test_pieces_change_nothing(edge, case):
	data, expected = CASES[case]
	for size in (1, 7, 60):
		with edge.connect() as connection:
			connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
			received = b""
			try:
				for start in range(0, len(data), size):
					connection.sendall(data[start : start + size])
				while more := connection.recv(65_536):
					received += more
			except (ConnectionError, TimeoutError):
				pass  # refused before it was through
			assert statuses(received) in (expected, [])


def test_a_stream_without_end_is_cut_off(edge):
	sent = 0
	with edge.connect() as connection:
		connection.sendall(post(b"Transfer-Encoding: chunked")[: -len(QUESTION)])
		try:
			while sent < 200_000_000:
				sent += connection.send(b"1000\r\n" + b"x" * 4096 + b"\r\n")
		except OSError:
			pass
	assert sent < 20_000_000
	assert edge.power_on("HOTEL-000001")[0] == 200


def test_a_head_that_drips_is_cut_off(edge):
	"""REQUEST_TIMEOUT is one second in tests."""
	with edge.connect() as connection:
		began = time.monotonic()
		connection.sendall(b"POST /v1/auth HTTP/1.1\r\n")
		try:
			while time.monotonic() - began < 8:
				connection.sendall(b"X: y\r\n")
				time.sleep(0.1)
		except OSError:
			pass
		assert time.monotonic() - began < 5


def test_a_flood_of_questions_on_one_connection_is_answered_in_order(edge):
	paths = [b"/v1/hello" if number % 7 == 0 else b"/v1/auth" for number in range(300)]
	data = b"".join(
		get() if path == b"/v1/hello" else post(first=b"POST %b HTTP/1.1" % path) for path in paths
	)
	received = edge.raw(data + get(CLOSE), 10)
	assert statuses(received) == [*(200 if path == b"/v1/hello" else 401 for path in paths), 200]
