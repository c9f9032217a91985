"""A publisher for tests: a handful of TVs, signed with a throw-away key, served as production serves them."""

import json
import threading
import time
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from msgspec.structs import replace

from subscriber_tv.core.activation import compact, feed, projection, report, telemetry
from subscriber_tv.core.activation.projection import (
	BouquetFacts,
	ChannelFacts,
	ContractFacts,
	DeviceFacts,
	Facts,
	LineSpan,
	OfferFacts,
	Span,
)
from subscriber_tv.core.devices import jws, mac, wire

SECRET = b"a secret of the tests"
MASTERS = mac.Masters({1: bytes(range(32)), 2: bytes(range(32, 64))})
WEEK = 7 * 86_400
OFFER = OfferFacts(
	"HOTEL-V1",
	"Hotel",
	(BouquetFacts("BASE", "Base", "E1", (ChannelFacts("TF1", "TF1", 1), ChannelFacts("ARTE", "Arte", 7))),),
	86_400,
)


def credential(serial: str) -> str:
	"""A TV's secret, the same in every run."""
	return jws.b64url(serial.encode().ljust(32, b"."))


class Rights:
	"""The rows of the test operator, numbered as they change. Leases live `max_stale` seconds; `clock` tells the time."""

	def __init__(self, signer: jws.Signer | None = None, max_stale: int = WEEK, clock=time.time):
		self.signer = signer or jws.Signer(jws.new_key())
		self.max_stale = max_stale
		self.clock = clock
		self._facts: dict[str, tuple[Facts, int]] = {}
		self.rows: dict[str, feed.Entry] = {}
		self.seq = 0
		self.changed = threading.Condition()
		self.change(Facts(offers=(OFFER,)))

	def set_state(self, serial: str, state: str, until: int = 0) -> None:
		"""Put a TV's subscription into a state since the beginning of 2026; its rights end at `until` (epoch seconds)."""
		self._bind(DeviceFacts(serial, wire.key_fingerprint(credential(serial)), serial, "L1"), state, until)

	def set_secret(self, serial: str, secret: str) -> None:
		"""Bind a TV that has this secret; it may play."""
		self._bind(DeviceFacts(serial, wire.key_fingerprint(secret), serial, "L1"), "Active")

	def set_key(self, serial: str, signer: jws.Signer) -> None:
		"""Bind a TV that has a key of its own; it may play."""
		self._bind(DeviceFacts(serial, signer.kid, serial, "L1", key=signer.point), "Active")

	def _bind(self, device: DeviceFacts, state: str, until: int = 0) -> None:
		serial = device.serial
		contract = ContractFacts(
			serial, "Europe/Paris", (Span(state, date(2026, 1, 1)),), (LineSpan("L1", OFFER.name),)
		)
		self._facts[serial] = Facts((device,), (contract,)), until
		self.change(*self._facts[serial])

	def remove(self, serial: str) -> None:
		"""Unbind a TV."""
		self.change(Facts(removed=(serial,)))

	def sign_again(self) -> None:
		"""Sign every TV's lease anew, as the publisher does daily."""
		for facts, until in list(self._facts.values()):
			self.change(facts, until)

	def change(self, facts: Facts, until: int = 0) -> None:
		"""Compile, sign and number what these facts say; rights that are open end at `until`, where it is given."""
		now = int(self.clock())
		with self.changed:
			for unsigned in projection.compile(facts, now):
				self.seq += 1
				if until and unsigned.rights_from:
					unsigned = replace(unsigned, rights_until=until, denial_code="ended")
				signed = projection.sign(unsigned, self.signer, now, self.max_stale, "test", version=self.seq)
				self.rows[unsigned.subject] = signed.entry.numbered(self.seq)
			self.changed.notify_all()

	def page(self, kind: str, after: int, limit: int = 100_000) -> tuple[bytes, str]:
		"""The signed page of what came after a number."""
		rows = sorted((row for row in self.rows.values() if row.seq > after), key=lambda row: row.seq)
		last = len(rows) <= limit
		upto = self.seq if last else rows[limit - 1].seq
		page = feed.Page(
			kind, after, upto, int(self.clock()), last, tuple(map(compact.on_its_way, rows[:limit]))
		)
		return feed.encode_page(page, self.signer)

	def jwks(self) -> str:
		"""The public keys."""
		return json.dumps(jws.jwks(self.signer))


class QuietServer(ThreadingHTTPServer):
	"""Says nothing when an edge hangs up in the middle of a long poll."""

	daemon_threads = True

	def handle_error(self, request, client_address):
		pass


class Publisher:
	"""Serves `Rights` on a loopback port; `tamper` may change a page on its way out.

	Counted answers are kept as the real one keeps them: each number of an edge once. `reply` is what its sender hears.
	"""

	def __init__(self, rights: Rights, port: int = 0, limit: int = 100_000):
		self.rights = rights
		self.limit = limit
		self.tamper = lambda body, signature: (body, signature)
		self.snapshots = 0
		self.refused = 0
		self.asked: list[dict[str, str]] = []
		self.received: list[report.Batch] = []
		self.heard: list[telemetry.Batch] = []
		self.counted: dict[tuple[str, int], report.Batch] = {}
		self.reply = 200
		self.gone = False
		self._server = QuietServer(("127.0.0.1", port), _handler(self))
		self.port = self._server.server_port
		threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

	@property
	def url(self) -> str:
		return f"http://127.0.0.1:{self.port}"

	def stop(self) -> None:
		"""Be gone: the port refuses, and what is still connected gets no answer."""
		self.gone = True
		self._server.shutdown()
		self._server.server_close()

	def answer(self, target: str, authorization: str | None) -> tuple[int, bytes, str]:
		if not feed.authorized(authorization, SECRET, target, int(self.rights.clock())):
			self.refused += 1
			return 401, b"", ""
		parts = urlsplit(target)
		given = {name: values[0] for name, values in parse_qs(parts.query).items()}
		self.asked.append(given)
		query = {name: int(value) for name, value in given.items() if name != "edge"}
		if parts.path == feed.SNAPSHOT_PATH:
			self.snapshots += 1
			return 200, *self.tamper(*self.rights.page(feed.SNAPSHOT, query["after"], self.limit))
		if query["after"] > self.rights.seq:
			return 409, b"", ""
		with self.rights.changed:
			self.rights.changed.wait_for(lambda: self.rights.seq > query["after"], query["wait"])
		return 200, *self.tamper(*self.rights.page(feed.DELTA, query["after"]))

	def take(self, target: str, authorization: str | None, body: bytes) -> int:
		"""The status that a report is answered."""
		now = int(self.rights.clock())
		if not feed.authorized(authorization, SECRET, target, now, method="POST", body=body):
			self.refused += 1
			return 401
		if target == telemetry.TELEMETRY_PATH:
			if self.reply not in (400, 413):
				self.heard.append(telemetry.decode(body))
			return self.reply
		batch = report.decode(body)
		self.received.append(batch)
		if self.reply not in (400, 413):
			self.counted.setdefault((batch.edge, batch.number), batch)
		return self.reply

	def count(self, serial: str) -> int:
		"""How many answers of this serial were counted."""
		rows = [row for batch in list(self.counted.values()) for row in batch.rows]
		return sum(row.count for row in rows if row.serial == serial)


def _handler(publisher: Publisher):
	class Handler(BaseHTTPRequestHandler):
		protocol_version = "HTTP/1.1"

		def do_GET(self):
			status, body, signature = publisher.answer(self.path, self.headers.get("Authorization"))
			if publisher.gone:
				self.close_connection = True
				return
			self.send_response(status)
			self.send_header("Content-Length", str(len(body)))
			self.send_header(feed.SIGNATURE_HEADER, signature)
			self.end_headers()
			self.wfile.write(body)

		def do_POST(self):
			body = self.rfile.read(int(self.headers["Content-Length"]))
			if publisher.gone:
				self.close_connection = True
				return
			self.send_response(publisher.take(self.path, self.headers.get("Authorization"), body))
			self.send_header("Content-Length", "0")
			self.end_headers()

		def log_message(self, *_):
			pass

	return Handler
