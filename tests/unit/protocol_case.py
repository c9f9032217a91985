"""A node in memory and a TV that speaks protocol v1 by the book, for tests of the core alone."""

import json
from dataclasses import dataclass, field

from msgspec.structs import replace

from subscriber_tv.core.activation import counter, lineage, parental, prove, respond, streams
from subscriber_tv.core.activation.decide import Row
from subscriber_tv.core.devices import jws, mac

NOW = 1_800_000_000
DAY = 86_400
SERIAL = "LG55-000001"
MASTERS = mac.Masters({1: bytes(range(32)), 2: bytes(range(32, 64))})
OPERATOR = jws.Signer(jws.new_key())
PARTS = mac.binding("chip", "card", "LG 55", "3.21")


def denial(code):
	return OPERATOR.sign(jws.DENIAL, json.dumps({"code": code}).encode())


def row_of(tv, **fields):
	"""A row that lets this TV play."""
	found = Row(
		serial=tv.serial,
		key_hash=tv.thumbprint,
		state="Active",
		rights_from=NOW - DAY,
		rights_until=0,
		lease="the.signed.lease",
		lease_expires=NOW + 7 * DAY,
		denial="",
		offers=("HOTEL-V1",),
		play_seconds=DAY,
		version=4,
		key=tv.point,
	)
	return replace(found, **fields)


class MemoryNode:
	"""A node whose rows and counts are dictionaries."""

	def __init__(self, audience="south", masters=MASTERS):
		self.audience = audience
		self.masters = masters
		self.rows = {}
		self.seen = {}
		self.running = {}
		self.overtaken = {}
		self.guesses = parental.Guesses()
		self.counted = 0

	def row(self, serial):
		return self.rows.get(serial)

	def documents(self, offers):
		return [f"hash-of-{name}" for name in offers]

	def channels(self, offers):
		return {"TF1": 0, "ARTE": 0, "NIGHT": 18, "ACTION": 12} if offers else {}

	def count(self, serial, number, nonce, proven):
		self.counted += 1
		verdict = counter.judge(self.seen.get(serial, counter.Seen()), number, nonce, proven=proven)
		if verdict.taken:
			self.seen[serial] = counter.Seen(number, nonce)
		return verdict

	def place(self, serial):
		return None

	def line(self, serial):
		return lineage.Line(self.seen.get(serial, counter.Seen()).nonce, self.overtaken.get(serial, ()))

	def overtake(self, serial, tips):
		self.overtaken[serial] = tips

	def slots(self, row, request, now):
		account = row.account or row.serial
		found = streams.judge(self.running.get(account, {}), request.o, request.sid, row.streams, now)
		self.running[account] = dict(found.running)
		return found


@dataclass
class PaperTv:
	"""A TV with a key of its own, or (`secret`) without a key store."""

	serial: str = SERIAL
	signer: jws.Signer = field(default_factory=lambda: jws.Signer(jws.new_key()))
	secret: str = ""
	parts: str = PARTS

	@property
	def thumbprint(self):
		from subscriber_tv.core.devices.wire import key_fingerprint

		return key_fingerprint(self.secret) if self.secret else self.signer.kid

	@property
	def point(self):
		return "" if self.secret else self.signer.point

	def key(self, epoch=2, masters=MASTERS):
		return mac.tv_key(masters.keys[epoch], self.serial, self.thumbprint)

	def auth(self, c=1, n="A" * 22, audience="south", e="2", t="", key=None, **changes):
		key = key or self.key(int(e))
		m = mac.of_auth(key, audience, self.serial, e, str(c), n, self.parts, t)
		body = {"d": self.serial, "e": e, "c": str(c), "n": n, "f": self.parts, "m": m}
		return spelled({**body, **({"t": t} if t else {}), **changes})

	def heartbeat(self, c=1, n="A" * 22, audience="south", **told):
		m = mac.of_heartbeat(self.key(), audience, self.serial, "2", str(c), n, told.items())
		return spelled({"d": self.serial, "e": "2", "c": str(c), "n": n, "m": m, **told})

	def stream(self, o, c=1, n="A" * 22, ch="TF1", sid="one", audience="south", pin=""):
		if pin:
			pin = parental.proof(parental.verifier(self.serial, pin), audience, self.serial, str(c), n)
		m = mac.of_stream(self.key(), audience, self.serial, "2", str(c), n, o, ch, sid, pin)
		body = {"d": self.serial, "e": "2", "c": str(c), "n": n, "m": m, "o": o, "ch": ch, "sid": sid}
		return spelled({**body, **({"pin": pin} if pin else {})})

	def assertion(self, chal, c=1, n="A" * 22, audience="south", signer=None, **changes):
		claims = {"aud": audience, "c": str(c), "chal": chal, "d": self.serial, "f": self.parts, "n": n}
		if self.secret:
			del claims["aud"]
			return spelled({**claims, "credential": self.secret, **changes})
		return spelled({"a": (signer or self.signer).sign(jws.ASSERTION, spelled({**claims, **changes}))})

	def prove(self, node, c=1, n="A" * 22, now=NOW, **changes):
		"""Ask for a challenge and show the assertion."""
		chal = said(prove.give_challenge(spelled({"d": self.serial}), node, now))["challenge"]
		return prove.assertion(self.assertion(chal, c, n, node.audience, **changes), node, now)


def spelled(document):
	return json.dumps(document, separators=(",", ":")).encode()


def said(answered):
	return json.loads(answered.answer.body)


def ask(node, body, now=NOW):
	return respond.auth(body, node, now)
