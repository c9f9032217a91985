"""HTTP that no library would send: two lengths, chunks without end, heads and bodies that never come, junk behind a request.

Whatever comes, a node refuses or hangs up, answers no question that was not asked, and goes on answering others.
"""

import random
import threading
import time

import pytest
from nodes import replies_in
from sets import PROVEN, leaks

AGENT = b"Host: tv.example\r\nContent-Type: application/json\r\n"
JUNK = bytes(range(256)) * 20


def post(node, *lines: bytes, body: bytes = b"", line: bytes = b"", ends: bytes = b"\r\n") -> bytes:
	"""A POST to the daily question with these header lines."""
	request = line or b"POST %b HTTP/1.1" % node.paths.of("auth").encode()
	return ends.join([request, *AGENT.split(b"\r\n")[:2], *lines, b"", body])


def length(body: bytes) -> bytes:
	return b"Content-Length: %d" % len(body)


def chunked(body: bytes) -> bytes:
	return b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


CHUNKED = b"Transfer-Encoding: chunked"
# Refused whoever asks: name -> the bytes, given the node, a genuine question and another.
REFUSED = {
	"length, then chunks": lambda node, one, _two: post(node, length(one), CHUNKED, body=chunked(one)),
	"chunks, then length": lambda node, one, _two: post(node, CHUNKED, length(one), body=chunked(one)),
	"length for chunks that end early": lambda node, one, two: post(
		node,
		length(b"0\r\n\r\n" + post(node, length(two), body=two)),
		CHUNKED,
		body=b"0\r\n\r\n" + post(node, length(two), body=two),
	),
	"chunks spelled otherwise": lambda node, one, _two: post(
		node, b"Transfer-Encoding: xchunked", length(one), body=chunked(one)
	),
	"chunks twice": lambda node, one, _two: post(node, CHUNKED, CHUNKED, body=chunked(one)),
	"chunks and identity": lambda node, one, _two: post(
		node, b"Transfer-Encoding: chunked, identity", body=chunked(one)
	),
	"chunks behind a tab": lambda node, one, _two: post(
		node, b"Transfer-Encoding:\x0bchunked", length(one), body=chunked(one)
	),
	"chunks with a space before the colon": lambda node, one, _two: post(
		node, b"Transfer-Encoding : chunked", length(one), body=chunked(one)
	),
	"chunks on a folded line": lambda node, one, _two: post(
		node, b"Transfer-Encoding:\r\n chunked", length(one), body=chunked(one)
	),
	"chunks alone": lambda node, one, _two: post(node, CHUNKED, body=chunked(one)),
	"a chunk of a negative size": lambda node, one, _two: post(node, CHUNKED, body=b"-1\r\n" + one),
	"a chunk of an absurd size": lambda node, one, _two: post(node, CHUNKED, body=b"f" * 40 + b"\r\n" + one),
	"two lengths that differ": lambda node, one, _two: post(
		node, length(one), b"Content-Length: 5", body=one
	),
	"two lengths in one": lambda node, one, _two: post(node, b"Content-Length: %d, 5" % len(one), body=one),
	"a negative length": lambda node, one, _two: post(node, b"Content-Length: -1", body=one),
	"a length with a plus": lambda node, one, _two: post(node, b"Content-Length: +%d" % len(one), body=one),
	"a length in hexadecimal": lambda node, one, _two: post(
		node, b"Content-Length: 0x%x" % len(one), body=one
	),
	"a length with letters": lambda node, one, _two: post(node, b"Content-Length: %dA" % len(one), body=one),
	"a length of other digits": lambda node, one, _two: post(node, "Content-Length: ٣٠".encode(), body=one),
	"a length beyond all bounds": lambda node, one, _two: post(
		node, b"Content-Length: " + b"9" * 40, body=one
	),
	"a length of a gigabyte": lambda node, one, _two: post(node, b"Content-Length: 1000000000", body=one),
	"no length": lambda node, one, _two: post(node, body=one),
	"a NUL in a header": lambda node, one, _two: post(node, length(one), b"X: a\x00b", body=one),
	"a header without a colon": lambda node, one, _two: post(node, length(one), b"nonsense", body=one),
	"a header without a name": lambda node, one, _two: post(node, length(one), b": x", body=one),
	"a header of 100 kB": lambda node, one, _two: post(node, length(one), b"X: " + b"x" * 100_000, body=one),
	"two thousand headers": lambda node, one, _two: post(
		node, length(one), *[b"X-%d: x" % n for n in range(2000)], body=one
	),
	"an address of 100 kB": lambda node, one, _two: post(
		node, length(one), body=one, line=b"POST /%b HTTP/1.1" % (b"a" * 100_000)
	),
	"a method of 10 kB": lambda node, one, _two: post(
		node, length(one), body=one, line=b"%b / HTTP/1.1" % (b"A" * 10_000)
	),
	"another version": lambda node, one, _two: post(
		node, length(one), body=one, line=b"POST /v1/auth HTTP/3.7"
	),
	"no version": lambda node, _one, _two: b"POST /v1/auth\r\n\r\n",
	"the preface of HTTP/2": lambda node, _one, _two: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(60),
	"a hello of TLS": lambda node, _one, _two: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
	"junk": lambda node, _one, _two: JUNK,
	"empty lines": lambda node, _one, _two: b"\r\n" * 20_000,
	"bare carriage returns": lambda node, one, _two: post(node, length(one), body=one, ends=b"\r"),
}
# What may be answered, each genuine question once.
ANSWERED = {
	"two questions at once": lambda node, one, two: post(node, length(one), body=one) + post(node, length(two), body=two),
	"a question and junk": lambda node, one, _two: post(node, length(one), body=one) + JUNK,
	"a question and half of another": lambda node, one, two: post(node, length(one), body=one) + post(node, length(two), body=two)[:-20],
	"a length too short": lambda node, one, _two: post(node, b"Content-Length: 5", body=one),
	"the same length twice": lambda node, one, _two: post(node, length(one), length(one), body=one),
	"two hosts": lambda node, one, _two: post(node, b"Host: other", length(one), body=one),
	"two types": lambda node, one, _two: post(node, b"Content-Type: text/plain", length(one), body=one),
	"bare line feeds": lambda node, one, _two: post(node, length(one), body=one, ends=b"\n"),
	"an underscore for a dash": lambda node, one, _two: post(node, length(one), b"Content_Length: 5", body=one),
	"a whole address": lambda node, one, _two: post(
		node, length(one), body=one, line=b"POST http://evil.example%b HTTP/1.1" % node.paths.of("auth").encode()
	),
	"version 1.0": lambda node, one, _two: post(node, length(one), body=one, line=b"POST %b HTTP/1.0" % node.paths.of("auth").encode()),
	"expects to be told to go on": lambda node, one, _two: post(node, length(one), b"Expect: 100-continue", body=one),
}  # fmt: skip


@pytest.fixture
def questions(scene):
	"""Two genuine questions of two TVs."""
	dice, now = random.Random(time.time_ns()), int(time.time())
	return [tv.asks("auth", scene.crowd.channel, dice, now) for tv in scene.crowd.sets[:2]]


def still_answers(scene, node):
	"""A TV is answered as if nothing had happened."""
	began = time.monotonic()
	tv = scene.crowd.sets[2]
	body = tv.asks("heartbeat", scene.crowd.channel, random.Random(time.time_ns()), int(time.time()))
	assert node.ask("heartbeat", body).status in (204, 503)
	assert time.monotonic() - began < 10


def harmless(scene, node, name, received):
	"""The replies, none of which tells or breaks anything."""
	replies = replies_in(received)
	for reply in replies:
		told = (name, reply)
		assert reply.status < 500 or reply.status in (501, 503, 505), told
		assert not leaks(reply), told
	scene.tally(f"frames of bytes, {node.name}", "refused" if not any(r.mac for r in replies) else "answered")
	return replies


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused(scene, node, questions, name):
	received = node.raw(REFUSED[name](node, *questions), 8 if node.name == "desk" else 6)
	replies = harmless(scene, node, name, received)
	assert not [reply for reply in replies if reply.mac or reply.status in PROVEN], replies
	assert len(replies) <= 1
	still_answers(scene, node)


@pytest.mark.parametrize("name", ANSWERED)
def test_no_more_is_answered_than_was_asked(scene, node, questions, name):
	received = node.raw(ANSWERED[name](node, *questions), 2)
	replies = harmless(scene, node, name, received)
	assert len(replies) <= 3
	answered = [reply.body for reply in replies if reply.mac]
	assert len(answered) == len(set(answered)) <= 2
	still_answers(scene, node)


def test_chunks_without_end(scene, node):
	"""A kilobyte each fifth of a second: refused or left alone, never kept, and nobody else waits."""
	head = post(node, CHUNKED)
	_while_others_ask(scene, node, head, lambda: b"400\r\n" + b" " * 1024 + b"\r\n")


def test_a_head_without_end(scene, node):
	_while_others_ask(scene, node, b"POST / HTTP/1.1\r\nHost: e\r\n", lambda: b"X: y\r\n")


def test_a_body_without_end(scene, node):
	_while_others_ask(scene, node, post(node, b"Content-Length: 4000"), lambda: b" ")


def _while_others_ask(scene, node, head, more):
	"""Four clients send on and on for seconds; others are answered meanwhile, and an edge hangs up in time."""
	done, took = threading.Event(), []
	clients = [threading.Thread(target=_drip, args=(node, head, more, done, took)) for _ in range(4)]
	for client in clients:
		client.start()
	try:
		time.sleep(0.5)
		still_answers(scene, node)
		if node.name == "edge":
			for client in clients:
				client.join(12)
			assert len(took) == 4, "an edge waits longer than for a whole request"
	finally:
		done.set()
		for client in clients:
			client.join()
	still_answers(scene, node)


def _drip(node, head, more, done, took):
	import socket

	began = time.monotonic()
	with socket.create_connection(node.address, timeout=30) as connection:
		try:
			connection.sendall(head)
			while not done.is_set():
				connection.sendall(more())
				connection.settimeout(0.2)
				try:
					if not connection.recv(65_536):
						break
				except TimeoutError:
					pass
		except ConnectionError:
			pass
	if not done.is_set():
		took.append(time.monotonic() - began)
