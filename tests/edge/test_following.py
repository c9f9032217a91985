"""How an edge follows its publisher, loses it, and is not fooled."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from edge_process import EdgeProcess, enrolment, eventually
from feed_publisher import MASTERS, Publisher, Rights, credential

from subscriber_tv.core.devices import jws, mac, requests, wire


@pytest.fixture
def operator():
	"""Rights of one playing TV, and their publisher."""
	rights = Rights()
	rights.set_state("HOTEL-000001", "Active")
	server = Publisher(rights)
	yield rights, server
	server.stop()


@pytest.fixture
def start(tmp_path):
	"""Starts edges and stops them at the end."""
	started = []

	def begin(*arguments, **settings):
		started.append(EdgeProcess(tmp_path, *arguments, **settings))
		return started[-1]

	yield begin
	for process in started:
		process.stop()


def status_is(edge, serial, status):
	return lambda: edge.power_on(serial)[0] == status


def test_a_change_arrives_by_itself(operator, start):
	rights, server = operator
	edge = start(rights, server.url)
	eventually(status_is(edge, "HOTEL-000001", 200))
	rights.set_state("HOTEL-000001", "Suspended")
	eventually(status_is(edge, "HOTEL-000001", 403), 2)
	rights.set_state("HOTEL-000001", "Active")
	eventually(status_is(edge, "HOTEL-000001", 200), 2)
	rights.remove("HOTEL-000001")
	eventually(status_is(edge, "HOTEL-000001", 401), 2)
	assert edge.health()["rows"] == 0
	assert server.snapshots == 1


def test_without_its_publisher_only_the_age_changes(operator, start):
	rights, server = operator
	edge = start(rights, server.url)
	eventually(status_is(edge, "HOTEL-000001", 200))
	before, health = json.loads(edge.power_on("HOTEL-000001")[2]), edge.health()
	server.stop()
	eventually(lambda: edge.health()["age_seconds"] >= health["age_seconds"] + 3)
	after = json.loads(edge.power_on("HOTEL-000001")[2])
	assert (after["lease"], after["documents"]) == (before["lease"], before["documents"])
	assert edge.health()["seq"] == health["seq"]
	rights.set_state("HOTEL-000001", "Suspended")
	again = Publisher(rights, server.port)
	try:
		eventually(status_is(edge, "HOTEL-000001", 403), 20)
		assert edge.health()["age_seconds"] <= 2
	finally:
		again.stop()


def test_it_starts_from_its_own_file(operator, start):
	rights, server = operator
	edge = start(rights, server.url)
	eventually(status_is(edge, "HOTEL-000001", 200))
	edge.stop()
	server.stop()
	edge.start()
	assert edge.power_on("HOTEL-000001")[0] == 200
	assert edge.health()["status"] == "ok"


def test_a_damaged_file_is_fetched_again(operator, start):
	rights, server = operator
	edge = start(rights, server.url)
	eventually(status_is(edge, "HOTEL-000001", 200))
	edge.stop()
	(edge.folder / "edge.db").write_bytes(b"not what SQLite wrote" * 1000)
	edge.start()
	eventually(status_is(edge, "HOTEL-000001", 200))
	assert "is damaged" in edge.log() and server.snapshots == 2


def test_before_its_first_snapshot_nobody_is_a_stranger(start):
	edge = start(Rights())
	assert edge.power_on("HOTEL-000001")[0] == 503
	status, _, body = edge.request("GET", "/v1/health")
	assert (status, json.loads(body)["status"]) == (200, "empty")
	assert edge.request("GET", "/v1/ready")[::2] == (503, b'{"ready":false}')


def test_a_changed_page_is_refused(operator, start):
	rights, server = operator
	edge = start(rights, server.url)
	eventually(status_is(edge, "HOTEL-000001", 200))
	seq = edge.health()["seq"]
	server.tamper = lambda body, signature: (body.replace(b"HOTEL-000002", b"HOTEL-000003"), signature)
	rights.set_state("HOTEL-000002", "Active")
	eventually(lambda: "the body is not the one that was signed" in edge.log())
	assert edge.health()["seq"] == seq
	assert edge.power_on("HOTEL-000002")[0] == 401
	server.tamper = lambda body, signature: (body, signature)
	eventually(status_is(edge, "HOTEL-000002", 200))


def test_a_page_of_another_key_is_refused(operator, start):
	rights, server = operator
	edge = start(rights, server.url)
	eventually(status_is(edge, "HOTEL-000001", 200))
	rights.signer = jws.Signer(jws.new_key())
	rights.set_state("HOTEL-000002", "Active")
	eventually(lambda: "the signature is not the publisher's" in edge.log())
	assert edge.power_on("HOTEL-000002")[0] == 401


def test_a_publisher_that_lost_numbers_is_followed_by_snapshot(operator, start):
	rights, server = operator
	for number in range(2, 6):
		rights.set_state(f"HOTEL-00000{number}", "Active")
	edge = start(rights, server.url)
	eventually(lambda: edge.health()["rows"] == 5)
	restored = Rights(rights.signer)
	restored.set_state("HOTEL-000009", "Active")
	server.rights = restored
	# The long poll that is under way still waits for the old rights.
	with rights.changed:
		rights.changed.notify_all()
	eventually(lambda: edge.health()["rows"] == 1)
	assert edge.power_on("HOTEL-000009")[0] == 200
	assert edge.power_on("HOTEL-000001")[0] == 401
	assert edge.health()["seq"] == restored.seq


def test_a_wrong_secret_opens_nothing(operator, start, tmp_path):
	rights, server = operator
	other = tmp_path / "other"
	other.write_text("not the secret")
	edge = start(rights, server.url, FEED_SECRET_FILE=str(other))
	eventually(lambda: server.refused)
	assert edge.health()["status"] == "empty"


def test_several_workers_answer_alike(operator, start):
	rights, server = operator
	edge = start(rights, server.url, WORKERS="2")
	eventually(status_is(edge, "HOTEL-000001", 200))
	rights.set_state("HOTEL-000001", "Suspended")
	eventually(status_is(edge, "HOTEL-000001", 403))
	assert {edge.power_on("HOTEL-000001")[0] for _ in range(20)} == {403}


class Erp(BaseHTTPRequestHandler):
	"""An ERP that gives one pairing code, and whatever status the serial's last digits say."""

	def do_POST(self):
		request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
		status = int(request["serial"][-3:]) if self.path.endswith(".enrol") else 400
		body = b'{"user_code":"BCDF-GHJK"}' if status == 200 else wire.STRANGER.body
		if status == 500:
			body = b"<html>Traceback"
		self.send_response(status)
		self.send_header("Content-Type", "text/html" if status == 500 else "application/json")
		self.send_header("Content-Length", str(len(body)))
		self.end_headers()
		self.wfile.write(body)

	def log_message(self, *_):
		pass


def test_enrolment_is_carried_to_the_erp(start):
	erp = HTTPServer(("127.0.0.1", 0), Erp)
	Thread(target=erp.serve_forever, daemon=True).start()
	edge = start(Rights(), ERP_URL=f"http://127.0.0.1:{erp.server_port}")

	def enrol(serial):
		return edge.post("/v1/enrol", enrolment(serial))

	try:
		poll = {"grant_type": requests.DEVICE_CODE, "device_code": "A" * 43, "credential": "A" * 43}
		assert edge.post("/v1/token", poll)[::2] == (400, wire.STRANGER.body)
		assert enrol("HOTEL-000200")[::2] == (200, b'{"user_code":"BCDF-GHJK"}')
		assert enrol("HOTEL-000401")[::2] == (401, wire.STRANGER.body)
		status, _, body = enrol("HOTEL-000500")
		assert (status, body) == (503, wire.UNAVAILABLE.body)
	finally:
		erp.shutdown()
		erp.server_close()
	assert enrol("HOTEL-000200")[0] == 503


def test_nothing_in_its_files_opens_anything(operator, start):
	rights, server = operator
	edge = start(rights, server.url)
	eventually(status_is(edge, "HOTEL-000001", 200))
	edge.stop()
	content = b"".join(path.read_bytes() for path in edge.folder.glob("edge*.db*"))
	thumbprint = wire.key_fingerprint(credential("HOTEL-000001"))
	assert jws.b64url_decode(thumbprint) in content
	key = MASTERS.newest("HOTEL-000001", thumbprint)
	for secret in (
		credential("HOTEL-000001").encode(),
		jws.b64url_decode(credential("HOTEL-000001")),
		jws.b64url(key).encode(),
		key,
		*MASTERS.keys.values(),
	):
		assert secret not in content


def test_counts_survive_a_kill_and_are_shared_by_workers(operator, start):
	rights, server = operator
	edge = start(rights, server.url, WORKERS="2")
	eventually(status_is(edge, "HOTEL-000001", 200))
	questions = [edge.question("HOTEL-000001") for _ in range(30)]
	assert {edge.post("/v1/auth", question)[0] for question in questions} == {200}
	assert {edge.post("/v1/auth", question)[0] for question in questions[:-1]} == {409}
	edge.kill()
	edge.start()
	assert {edge.post("/v1/auth", question)[0] for question in questions[:-1]} == {409}
	assert edge.post("/v1/auth", questions[-1])[0] == 200


def test_a_new_epoch_is_taken_while_it_runs(operator, start):
	rights, server = operator
	edge = start(rights, server.url)
	tv = edge.tv("HOTEL-000001")
	eventually(lambda: tv.power_on().kind == "playing")
	assert tv.memory.epoch == "2"
	fresh = edge.folder / "masters.new"
	fresh.write_bytes(mac.write_masters({**MASTERS.keys, 3: bytes(32)}))
	fresh.replace(edge.folder / "masters.json")
	eventually(lambda: tv.power_on().hints == ("rotate",))
	fresh.write_text("not masters")
	fresh.replace(edge.folder / "masters.json")
	eventually(lambda: tv.power_on().kind == "playing" and "the masters stay as they were" in edge.log())
	fresh.write_bytes(mac.write_masters({3: bytes(32), 4: bytes(range(32))}))
	fresh.replace(edge.folder / "masters.json")
	eventually(lambda: tv.power_on().kind == "playing" and tv.memory.epoch == "4")
