"""A TV that was asked to come back shows its ticket when it does, once."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from subscriber_tv.simulator.http import Service

ANSWERS = [
	(503, {"error": "overloaded", "retry_ms": 1, "slot": "T1"}),
	(503, {"error": "unavailable"}),
	(200, {}),
]


class Full(BaseHTTPRequestHandler):
	"""Gives one ticket, and notes what it is shown."""

	protocol_version = "HTTP/1.1"
	shown: list[str | None]

	def do_POST(self):
		self.rfile.read(int(self.headers["Content-Length"]))
		status, document = ANSWERS[len(self.shown)]
		self.shown.append(self.headers.get("X-TV-Slot"))
		body = json.dumps(document).encode()
		self.send_response(status)
		self.send_header("Content-Length", str(len(body)))
		self.end_headers()
		self.wfile.write(body)

	def log_message(self, *_):
		pass


@pytest.fixture
def server():
	Full.shown = []
	found = HTTPServer(("127.0.0.1", 0), Full)
	Thread(target=found.serve_forever, daemon=True).start()
	yield found
	found.shutdown()
	found.server_close()


def test_a_ticket_is_shown_once(server):
	service = Service(f"http://127.0.0.1:{server.server_port}")
	replies = [service.post("/v1/auth", {}) for _ in ANSWERS]
	service.close()
	assert [reply.status for reply in replies] == [503, 503, 200]
	assert Full.shown == [None, "T1", None]
