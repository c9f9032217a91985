"""An edge as those who run it see it: ready or not, its numbers, its log, and what signals do to it."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request

import pytest
from edge_process import EdgeProcess, eventually, free_port
from feed_publisher import SECRET, Publisher, Rights, credential

from subscriber_tv.core.devices import jws, wire


@pytest.fixture
def operator():
	rights = Rights()
	rights.set_state("HOTEL-000001", "Active")
	server = Publisher(rights)
	yield rights, server
	server.stop()


@pytest.fixture
def start(tmp_path):
	started = []

	def begin(*arguments, **settings):
		started.append(EdgeProcess(tmp_path, *arguments, **settings))
		return started[-1]

	yield begin
	for process in started:
		process.stop()


def is_ready(edge):
	return edge.request("GET", "/v1/ready")[0] == 200


def metrics_of(port):
	with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as response:
		lines = response.read().decode().splitlines()
	return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if line[0] != "#"}


def test_ready_is_not_healthy(start):
	edge = start(Rights())
	assert edge.request("GET", "/v1/health")[0] == 200
	assert edge.request("GET", "/v1/ready")[0] == 503
	assert edge.request("POST", "/v1/ready")[0] == 405


def starting_python_takes():
	"""Seconds that this machine needs at present to start Python with what an edge imports; a third of one when idle."""
	began = time.monotonic()
	libraries = "import asyncio, granian, msgspec, multiprocessing, sqlite3, cryptography.hazmat.primitives"
	subprocess.run([sys.executable, "-c", libraries], check=True)
	return time.monotonic() - began


def test_it_is_ready_two_seconds_after_it_was_killed(operator, server, start):
	"""The best of three; more only when the machine is so busy that starting Python alone takes long."""
	rights, publisher = operator
	edge = start(rights, publisher.url, WORKERS="2", SERVER=server)
	eventually(lambda: is_ready(edge))
	publisher.stop()
	took, allowed = [], 2.0
	while len(took) < 3 and min(took, default=9) > allowed:
		edge.kill()
		allowed = max(2.0, 5 * starting_python_takes())
		began = time.monotonic()
		edge.start()
		eventually(lambda: is_ready(edge))
		took.append(time.monotonic() - began)
		assert edge.power_on("HOTEL-000001")[0] == 200
	assert min(took) <= allowed, took


def test_workers_do_not_outlive_a_killed_main_process(operator, server, start):
	rights, publisher = operator
	edge = start(rights, publisher.url, WORKERS="2", SERVER=server)
	eventually(lambda: is_ready(edge))
	os.kill(edge.pid, signal.SIGKILL)

	def hangs_up():
		try:
			return not edge.health()
		except OSError:
			return True

	eventually(hangs_up, 8)


def test_numbers_of_all_workers(operator, server, start):
	rights, publisher = operator
	port = free_port()
	edge = start(rights, publisher.url, WORKERS="2", METRICS_PORT=str(port), SERVER=server)
	eventually(lambda: is_ready(edge))
	for _ in range(40):
		edge.power_on("HOTEL-000001")
	edge.power_on("NOBODY-0001")
	found = metrics_of(port)
	assert found['subscriber_tv_edge_requests_total{route="auth",status="200"}'] == 40
	assert found['subscriber_tv_edge_requests_total{route="auth",status="401"}'] == 1
	assert found["subscriber_tv_edge_rows"] == 1 and found["subscriber_tv_edge_ready"] == 1
	eventually(lambda: metrics_of(port)["subscriber_tv_edge_workers"] == 2)
	assert abs(found["subscriber_tv_edge_data_as_of_seconds"] - time.time()) < 10
	eventually(lambda: metrics_of(port)["subscriber_tv_edge_capacity"] >= 100)
	assert edge.request("GET", "/metrics")[0] == 404


def test_a_metrics_port_that_is_taken_keeps_no_tv_waiting(operator, start):
	rights, server = operator
	with socket.socket() as taken:
		taken.bind(("127.0.0.1", 0))
		taken.listen()
		edge = start(rights, server.url, METRICS_PORT=str(taken.getsockname()[1]))
		eventually(lambda: is_ready(edge))
		assert edge.power_on("HOTEL-000001")[0] == 200
		assert "no metrics at 127.0.0.1" in edge.log()


def test_the_log_is_json_and_tells_no_secret(operator, start):
	rights, server = operator
	edge = start(rights, server.url, ANSWERS_EVERY="0.1")
	eventually(lambda: is_ready(edge))
	secret = credential("HOTEL-000001")
	lease = json.loads(edge.power_on("HOTEL-000001")[2])["lease"]
	edge.post("/v1/assert", {"d": "HOTEL-000001", "credential": secret, "x": secret})
	edge.request("GET", f"/v1/offer/{secret}", headers={"Authorization": secret, "X-TV-Slot": secret})
	server.tamper = lambda body, signature: (body, signature[:-8] + "AAAAAAAA")
	rights.set_state("HOTEL-000002", "Active")
	eventually(lambda: "no news from the publisher" in edge.log())
	server.reply = 400
	edge.power_on("HOTEL-000001")
	eventually(lambda: "will not take batch" in edge.log())
	edge.stop()
	lines = [json.loads(line) for line in edge.log().splitlines()]
	assert {"time", "level", "logger", "pid", "edge", "message"} <= lines[0].keys()
	log = edge.log()
	fingerprint = wire.key_fingerprint(secret)
	for told in (secret, fingerprint, SECRET.decode(), lease, lease.rpartition(".")[2]):
		assert told not in log
	assert not re.search(r"eyJ[A-Za-z0-9_-]{20}", log)


class Asking:
	"""A TV that asks again and again over new connections; every answer is kept.

	As any TV it asks once more when the connection broke before the answer: a worker that ends resets those that the
	system had queued for it and that it has not accepted yet.
	"""

	def __init__(self, edge):
		self._edge = edge
		self._done = threading.Event()
		self.statuses: list[object] = []
		self.resets = 0
		self._thread = threading.Thread(target=self._ask)

	def __enter__(self):
		self._thread.start()
		return self

	def __exit__(self, *_):
		self._done.set()
		self._thread.join()

	def _ask(self):
		while not self._done.is_set():
			try:
				self.statuses.append(self._answer())
			except OSError as error:
				self.statuses.append(repr(error))

	def _answer(self) -> int:
		try:
			return self._edge.power_on("HOTEL-000001")[0]
		except (ConnectionError, http.client.RemoteDisconnected):
			self.resets += 1
			return self._edge.power_on("HOTEL-000001")[0]


def test_keys_and_configuration_are_reloaded_without_a_lost_request(operator, server, start, tmp_path):
	rights, publisher = operator
	file = tmp_path / "edge.toml"
	file.write_text("request_timeout = 1.0\n")
	edge = start(rights, publisher.url, CONFIG=str(file), WORKERS="2", SERVER=server)
	eventually(lambda: is_ready(edge))
	keys = json.loads(rights.jwks())
	keys["keys"] += jws.jwks(jws.Signer(jws.new_key()))["keys"]
	with Asking(edge) as asking:
		(tmp_path / "keys.json").write_text(json.dumps(keys))
		file.write_text("feed_wait = 2\n")
		edge.signal(signal.SIGHUP)
		eventually(lambda: "configuration and keys read anew" in edge.log())
		eventually(lambda: json.loads(edge.request("GET", "/v1/jwks")[2]) == keys, 20)
		time.sleep(6)
	assert set(asking.statuses) == {200} and len(asking.statuses) > 50
	# Those that the system had queued for a worker of granian in the instant it ended; ours share one queue.
	assert asking.resets <= (0 if server == "lean" else 2)
	assert {edge.request("GET", "/v1/jwks")[2] for _ in range(20)} == {json.dumps(keys).encode()}
	rights.set_state("HOTEL-000001", "Suspended")
	eventually(lambda: edge.power_on("HOTEL-000001")[0] == 403, 5)


@pytest.mark.parametrize(
	("wrong", "said"),
	[
		("no_such_setting = 1\n", "unknown settings: no_such_setting"),
		("this is not TOML", "edge.toml"),
		("metrics_port = 1\n", "a restart is needed to change metrics_port"),
	],
)
def test_a_wrong_configuration_changes_nothing(operator, start, tmp_path, wrong, said):
	rights, server = operator
	file = tmp_path / "edge.toml"
	file.write_text("request_timeout = 1.0\n")
	edge = start(rights, server.url, CONFIG=str(file))
	eventually(lambda: is_ready(edge))
	file.write_text(wrong)
	edge.signal(signal.SIGHUP)
	eventually(lambda: "not reloaded" in edge.log())
	assert said in edge.log()
	assert edge.power_on("HOTEL-000001")[0] == 200


def test_a_request_under_way_is_answered_before_the_end(operator, server, start):
	rights, publisher = operator
	edge = start(rights, publisher.url, REQUEST_TIMEOUT="4", SERVER=server)
	eventually(lambda: is_ready(edge))
	body = edge.question("HOTEL-000001")
	head = (
		b"POST /v1/auth HTTP/1.1\r\nHost: e\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
	)
	with edge.connect() as connection:
		connection.sendall(head % len(body) + body[:20])
		time.sleep(0.3)
		edge.signal(signal.SIGTERM)
		time.sleep(0.5)
		connection.sendall(body[20:])
		assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
	assert edge.wait() == 0


def test_uvicorn_serves(operator, start):
	pytest.importorskip("h11", reason="uvicorn is here without what it needs")
	rights, server = operator
	port = free_port()
	edge = start(rights, server.url, METRICS_PORT=str(port), SERVER="uvicorn")
	eventually(lambda: is_ready(edge))
	assert edge.power_on("HOTEL-000001")[0] == 200
	assert metrics_of(port)["subscriber_tv_edge_workers"] == 1
	edge.signal(signal.SIGHUP)
	eventually(lambda: "uvicorn cannot reload" in edge.log())
	assert edge.power_on("HOTEL-000001")[0] == 200
	edge.signal(signal.SIGTERM)
	assert edge.wait() == 0


def test_a_server_that_is_not_there_ends_the_start(start, tmp_path, monkeypatch):
	monkeypatch.setenv("SUBSCRIBER_TV_EDGE_SERVER", "apache")
	with pytest.raises(AssertionError, match="server is not one of lean, granian, uvicorn"):
		start(Rights())


def test_a_worker_that_dies_is_replaced_and_nobody_queued_is_lost(operator, start):
	rights, publisher = operator
	edge = start(rights, publisher.url, WORKERS="2")
	eventually(lambda: is_ready(edge))
	before = eventually(lambda: len(edge.workers()) == 2 and set(edge.workers()))
	with Asking(edge) as asking:
		for worker in before:
			os.kill(worker, signal.SIGKILL)
			eventually(lambda killed=worker: len(set(edge.workers()) - {killed}) == 2)
		eventually(lambda: len(asking.statuses) > 20)
	assert set(asking.statuses) == {200}
	assert asking.resets <= 2  # what a killed worker was just answering
	assert not before & set(edge.workers())
	assert "a new one begins" in edge.log()
