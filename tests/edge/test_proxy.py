"""The files of deploy/edge as an operator uses them: the proxy before a real edge, the unit read by systemd."""

import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time

import pytest
from edge_process import REPOSITORY, EdgeProcess, eventually
from proxy import NGINX, Proxy

from subscriber_tv.core.devices import wire

FAILURES = 20
needs_nginx = pytest.mark.skipif(not NGINX, reason="nginx is not installed")


@pytest.fixture(scope="module")
def upstream(rights, publisher, tmp_path_factory):
	"""An edge that believes its proxy, and limits failures as it does in production."""
	folder = tmp_path_factory.mktemp("upstream")
	settings = {"TRUSTED_PROXIES": "127.0.0.1", "FAILURES_PER_MINUTE": str(FAILURES)}
	process = EdgeProcess(folder, rights, publisher.url, **settings)
	eventually(lambda: process.health()["rows"] == 4)
	yield process
	process.stop()


@pytest.fixture(scope="module")
def proxy(upstream, tmp_path_factory):
	found = Proxy(tmp_path_factory.mktemp("nginx"), upstream.port)
	yield found
	found.stop()


def status(received: bytes) -> int:
	return int(received.split(b" ", 2)[1]) if received else 0


def body(received: bytes) -> bytes:
	return received.partition(b"\r\n\r\n")[2]


@needs_nginx
class TestProxy:
	def test_a_tv_is_answered_over_tls(self, upstream, proxy):
		with proxy.connect() as connection:
			assert connection.version() == "TLSv1.3"
		received = proxy.post("/v1/auth", upstream.question("HOTEL-000001"))
		assert status(received) == 200 and b"x-tv-mac" in received.lower()

	@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
	def test_older_tls_is_refused(self, proxy):
		with proxy.connect(maximum_version=ssl.TLSVersion.TLSv1_2) as connection:
			assert connection.version() == "TLSv1.2"
		with pytest.raises((ssl.SSLError, ConnectionError)):
			proxy.connect(minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1)

	def test_what_is_not_tls_is_refused(self, proxy):
		with socket.create_connection(("127.0.0.1", proxy.port), 3) as connection:
			connection.sendall(b"GET /v1/hello HTTP/1.1\r\nHost: e\r\n\r\n")
			received = connection.recv(65_536)
		assert (status(received), body(received)) == (400, wire.INVALID_REQUEST.body)

	@pytest.mark.parametrize(
		"lines",
		[
			[b"Content-Length: {n}", b"Transfer-Encoding: chunked"],
			[b"Transfer-Encoding: chunked", b"Content-Length: {n}"],
			[b"Transfer-Encoding: chunked"],
			[b"Transfer-Encoding: xchunked", b"Content-Length: {n}"],
			[b"Transfer-Encoding: chunked, identity"],
			[b"Transfer-Encoding : chunked", b"Content-Length: {n}"],
			[b"Transfer-Encoding:\x0bchunked", b"Content-Length: {n}"],
			[b"Content-Length: {n}", b"Content-Length: 5"],
			[b"Content-Length: {n}, 5"],
			[b"Content-Length: +{n}"],
			[b"Content-Length: -1"],
			[b"Content-Length: {n}", b"X: a\x00b"],
		],
	)
	def test_smuggling_is_refused_at_the_proxy(self, upstream, proxy, lines):
		"""The second question lies in the body of the first: it must reach nobody, and the first gets no answer either."""
		hidden = self._post(upstream.question("HOTEL-000001"))
		chunks = b"0\r\n\r\n" + hidden
		lines = [line.replace(b"{n}", b"%d" % len(chunks)) for line in lines]
		received = proxy.raw(self._head(*lines) + chunks)
		assert status(received) in (0, 400, 501) and received.count(b"HTTP/1.") <= 1
		assert b"x-tv-mac" not in received.lower()
		follow = proxy.post("/v1/auth", upstream.question("HOTEL-000001"))
		assert status(follow) == 200 and follow.count(b"HTTP/1.") == 1

	@staticmethod
	def _head(*lines: bytes) -> bytes:
		return b"\r\n".join(
			[b"POST /v1/auth HTTP/1.1", b"Host: tv", b"Content-Type: application/json", *lines, b"", b""]
		)

	def _post(self, question: bytes) -> bytes:
		return self._head(b"Content-Length: %d" % len(question)) + question

	def test_too_large_is_said_as_the_edge_says_it(self, upstream, proxy):
		for received, refusal in (
			(proxy.post("/v1/auth", b" " * 4097), wire.TOO_LARGE),
			(proxy.post("/v1/auth", b"", b"Content-Length: 1000000000"), wire.INVALID_REQUEST),
			(proxy.post("/v1/auth", b"{}", b"X: " + b"x" * 20_000), wire.HEADERS_TOO_LARGE),
			(proxy.raw(b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: e\r\n\r\n"), wire.HEADERS_TOO_LARGE),
			(proxy.raw(b"POST /v1/auth HTTP/1.1\r\n\r\n"), wire.INVALID_REQUEST),
			(proxy.raw(bytes(range(128, 256)) * 4 + b"\r\n\r\n"), wire.INVALID_REQUEST),
			(proxy.raw(b"GET /said/unavailable HTTP/1.1\r\nHost: e\r\n\r\n"), wire.NOT_FOUND),
		):
			assert (status(received), body(received)) == (refusal.status, refusal.body)
		assert status(proxy.post("/v1/auth", upstream.question("HOTEL-000001"))) == 200

	@pytest.mark.parametrize("sent", [b"POST /v1/auth HTTP/1.1\r\nHost: e\r\nX: ", b"body"])
	def test_what_stops_half_way_is_hung_up_on(self, upstream, proxy, sent):
		data = self._head(b"Content-Length: 300") + b'{"d"' if sent == b"body" else sent
		began = time.monotonic()
		received = proxy.raw(data, seconds=12)
		assert status(received) in (0, 408) and time.monotonic() - began < 9
		assert status(proxy.post("/v1/auth", upstream.question("HOTEL-000001"))) == 200

	def test_bodies_that_drip_do_not_reach_the_edge(self, upstream, proxy):
		done = threading.Event()

		def drip():
			with proxy.connect() as connection:
				connection.sendall(self._head(b"Content-Length: 4000"))
				while not done.wait(0.2):
					connection.sendall(b" ")

		clients = [threading.Thread(target=drip) for _ in range(30)]
		for client in clients:
			client.start()
		try:
			time.sleep(1.0)
			began = time.monotonic()
			assert status(proxy.post("/v1/auth", upstream.question("HOTEL-000001"))) == 200
			assert time.monotonic() - began < 3
		finally:
			done.set()
			for client in clients:
				client.join()

	def test_failures_count_for_the_tvs_own_address(self, upstream, proxy):
		"""Whatever a sender writes into X-Forwarded-For, its failures are its own, and hold nobody else up."""
		bad, neighbour = "127.0.0.2", "127.0.0.3"
		forged = [
			proxy.post(
				"/v1/auth", self._unknown(), b"X-Forwarded-For: 198.51.100.%d" % number, source=bad, seconds=5
			)
			for number in range(FAILURES + 5)
		]
		assert [status(received) for received in forged] == [401] * FAILURES + [429] * 5
		assert status(proxy.post("/v1/auth", self._unknown(), source=neighbour)) == 401
		for source in (bad, neighbour):
			assert status(proxy.post("/v1/auth", upstream.question("HOTEL-000001"), source=source)) == 200

	@staticmethod
	def _unknown() -> bytes:
		return b'{"d":"NOBODY-0001","e":"2","c":"1","n":"%b","f":"%b","m":"%b"}' % (
			b"A" * 22,
			b"A" * 43,
			b"A" * 43,
		)


@needs_nginx
def test_while_the_edge_is_away_tvs_are_asked_back(rights, tmp_path):
	edge = EdgeProcess(tmp_path, rights)
	folder = tmp_path / "nginx"
	folder.mkdir()
	proxy = Proxy(folder, edge.port)
	try:
		question = edge.question("HOTEL-000001")
		assert status(proxy.post("/v1/auth", question)) == 503  # nothing in its file yet
		edge.kill()
		received = proxy.post("/v1/auth", question)
		assert (status(received), body(received)) == (503, wire.UNAVAILABLE.body)
		head = received.lower()
		assert b"retry-after: 30" in head and b"content-type: application/json" in head
		edge.start()
		eventually(
			lambda: body(
				proxy.raw(b"GET /v1/hello HTTP/1.1\r\nHost: e\r\nConnection: close\r\n\r\n")
			).startswith(b'{"aud"')
		)
	finally:
		proxy.stop()
		edge.stop()


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_the_unit_is_one(tmp_path):
	text = (REPOSITORY / "deploy" / "edge" / "subscriber-tv-edge.service").read_text()
	program = "/opt/subscriber-tv-edge/bin/python"
	assert text.count(program) == 1
	unit = tmp_path / "subscriber-tv-edge.service"
	unit.write_text(text.replace(program, sys.executable).replace("file:///usr/share", "file:/usr/share"))
	command = ["systemd-analyze", "verify", "--man=no", unit]
	done = subprocess.run(command, capture_output=True, text=True, timeout=60)
	said = [line for line in (done.stdout + done.stderr).splitlines() if unit.name in line]
	assert (done.returncode, said) == (0, []), done.stderr
