"""An outside platform for tests, over a real socket on loopback: it checks signatures by its own code, carries each key out once,
and misbehaves as told."""

import base64
import hashlib
import hmac
import json
import sys
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

SECRET = b"a secret of both sides"


class Platform:
	"""Holds entitlements by (kind, subject). `faults` are used up, one a request; None in it is a sound answer.

	Faults: a status as number (not carried out), "after 500" (carried out, answered 500), "drop" (carried out, no answer), "drip"
	(carried out, answered a byte at a time), "huge" (carried out, an endless body), "redirect".
	"""

	def __init__(self, secret: bytes = SECRET):
		self.secret = secret
		self.held: dict[tuple[str, str], dict] = {}
		self.keys: dict[str, str] = {}
		self.applied: list[dict] = []
		self.received: list[dict] = []
		self.faults: list = []
		self.delay = 0.0
		self.connections = 0
		self.headers: dict[str, str] = {}
		self.page = 1000
		self.lock = threading.Lock()
		self.broken: list[str] = []
		self._server = Server(("127.0.0.1", 0), type("Bound", (Handler,), {"platform": self}))
		self._server.daemon_threads = True
		threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

	@property
	def address(self) -> str:
		return f"http://127.0.0.1:{self._server.server_port}/v1"

	def stop(self) -> None:
		self._server.shutdown()
		self._server.server_close()

	def carry_out(self, order: dict) -> int:
		"""Status of an order: each key once, and none below what was carried out before."""
		with self.lock:
			if order["order"] in self.keys:
				return 409
			at = (order["kind"], order["subject"])
			before = self.held.get(at, {}).get("sequence", 0)
			assert order["sequence"] > before, f"out of order: {order['sequence']} after {before}"
			self.keys[order["order"]] = order["subject"]
			self.applied.append(order)
			self.held[at] = {
				"sequence": order["sequence"],
				"entitlements": order["entitlements"],
				"gone": order["action"] == "Revoke",
			}
			return 200

	def holds(self, kind: str, subject: str) -> list[str] | None:
		found = self.held.get((kind, subject))
		return None if not found or found["gone"] else found["entitlements"]

	def signed(self, handler: BaseHTTPRequestHandler, body: bytes) -> bool:
		at = handler.headers.get("X-TV-Time", "")
		text = f"tv-provisioning-1\n{handler.command}\n{handler.path}\n{at}\n".encode() + body
		mac = base64.urlsafe_b64encode(hmac.digest(self.secret, text, hashlib.sha256)).decode().rstrip("=")
		fresh = at.isdigit() and abs(time.time() - int(at)) < 300
		return fresh and hmac.compare_digest(mac, handler.headers.get("X-TV-Signature", ""))

	def page_of(self, query: dict) -> dict:
		kind, after = query["kind"][0], query.get("after", [""])[0]
		rows = sorted(
			(subject, found)
			for (what, subject), found in self.held.items()
			if what.lower() == kind and not found["gone"] and subject > after
		)
		shown = rows[: self.page]
		return {
			"holdings": [
				{"subject": subject, "entitlements": found["entitlements"], "sequence": found["sequence"]}
				for subject, found in shown
			],
			"next": shown[-1][0] if len(rows) > len(shown) else "",
		}


class Server(ThreadingHTTPServer):
	"""Keeps what a test has to know of; a client that hung up is none of it."""

	def handle_error(self, request, client_address):
		error = sys.exc_info()[1]
		if not isinstance(error, OSError):
			self.RequestHandlerClass.platform.broken.append(repr(error))


class Handler(BaseHTTPRequestHandler):
	"""Serves one platform."""

	platform: Platform
	protocol_version = "HTTP/1.1"

	def log_message(self, *args):
		pass

	def setup(self):
		self.platform.connections += 1
		super().setup()

	def do_POST(self):
		body = self.rfile.read(int(self.headers["Content-Length"]))
		if not self.platform.signed(self, body):
			return self._say(401, b"bad signature")
		order = json.loads(body)
		with self.platform.lock:
			self.platform.received.append(order | {"header": self.headers["Idempotency-Key"]})
			fault = self.platform.faults.pop(0) if self.platform.faults else None
		time.sleep(self.platform.delay)
		if isinstance(fault, int):
			return self._say(fault, b"as told")
		if fault == "redirect":
			self.platform.headers = {"Location": self.platform.address + "/elsewhere"}
			return self._say(307, b"")
		status = self.platform.carry_out(order)
		self._misbehave(fault) if fault else self._say(status, b"{}")

	def do_GET(self):
		if not self.platform.signed(self, b""):
			return self._say(401, b"bad signature")
		fault = self.platform.faults.pop(0) if self.platform.faults else None
		if isinstance(fault, int):
			return self._say(fault, b"as told")
		if fault:
			return self._misbehave(fault)
		page = self.platform.page_of(parse_qs(urlsplit(self.path).query))
		self._say(200, json.dumps(page).encode())

	def _misbehave(self, fault: str) -> None:
		if fault == "after 500":
			return self._say(500, b"")
		self.close_connection = True
		with suppress(OSError):
			if fault == "huge":
				self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
				for _n in range(200):
					self.wfile.write(b"x" * 100_000)
			if fault == "drip":
				for _n in range(200):
					self.wfile.write(b"H")
					self.wfile.flush()
					time.sleep(0.05)

	def _say(self, status: int, body: bytes) -> None:
		self.send_response(status)
		for name, value in self.platform.headers.items():
			self.send_header(name, value)
		self.send_header("Content-Length", str(len(body)))
		self.end_headers()
		self.wfile.write(body)
