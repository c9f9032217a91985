"""Genuine TVs for tests of hostile input: what they ask, which of it was genuine, and what an answer to it must be."""

import json
import random
from collections import Counter
from dataclasses import dataclass, field

from subscriber_tv.core.devices import challenge, jws, mac, requests, wire

DESK = requests.DESK
# Where a TV proves itself; 200 elsewhere proves nothing.
PROVING = ("auth", "assert", "heartbeat", "stream")
OPERATIONS = (*PROVING, "challenge", "enrol", "token")
# What only a genuine TV is answered.
PROVEN = (200, 204, 403, 409)
LAST = 10**15


def spelled(document: dict) -> bytes:
	return json.dumps(document, separators=(",", ":")).encode()


@dataclass
class Set:
	"""A TV that counts by the book at every node of the one name."""

	serial: str
	masters: mac.Masters
	secret: str = ""
	pem: str = ""
	parts: str = "A" * 43
	count: int = 0

	def __post_init__(self):
		self.signer = jws.Signer(self.pem.encode()) if self.pem else None

	@property
	def thumbprint(self) -> str:
		return self.signer.kid if self.signer else wire.key_fingerprint(self.secret)

	@property
	def key(self) -> bytes:
		return self.masters.newest(self.serial, self.thumbprint)

	def asks(self, operation: str, channel: str, dice: random.Random, now: int) -> bytes:
		"""Its next question."""
		self.count += 1
		epoch, nonce = str(self.masters.current), jws.b64url(dice.randbytes(16))
		fields = {"d": self.serial, "e": epoch, "c": str(self.count), "n": nonce}
		if operation == "auth":
			m = mac.of_auth(self.key, DESK, *fields.values(), self.parts)
			return spelled({**fields, "f": self.parts, "m": m})
		if operation == "heartbeat":
			told = {"up": str(dice.randrange(10**6)), "fw": "1.0"}
			m = mac.of_heartbeat(self.key, DESK, *fields.values(), told.items())
			return spelled({**fields, "m": m, **told})
		if operation == "stream":
			asked = {"o": dice.choice(("start", "renew", "stop")), "ch": channel, "sid": "one"}
			m = mac.of_stream(self.key, DESK, *fields.values(), *asked.values())
			return spelled({**fields, "m": m, **asked})
		given = challenge.make(self.masters, DESK, self.serial, now)
		claims = {"c": fields["c"], "chal": given, "d": self.serial, "f": self.parts, "n": nonce}
		if self.signer is None:
			return spelled({**claims, "credential": self.secret})
		return spelled({"a": self.signer.sign(jws.ASSERTION, spelled({"aud": DESK, **claims}))})


@dataclass
class Crowd:
	"""All TVs of a scene, and the memory of what they asked."""

	sets: list[Set]
	stock: list[str]
	channel: str
	genuine: dict[frozenset, Set] = field(default_factory=dict)
	last: dict[str, bytes] = field(default_factory=dict)
	tally: Counter = field(default_factory=Counter)

	def asks(self, operation: str, dice: random.Random, now: int) -> bytes:
		"""A genuine question of some TV."""
		if operation == "challenge":
			return spelled({"d": dice.choice(self.sets).serial, **dice.choice(({}, {"aud": "desk"}))})
		if operation == "enrol":
			said = {"f": "A" * 43, "firmware": "1.0", "model": "Test"}
			return spelled({"serial": dice.choice(self.stock), "key": jws.b64url(dice.randbytes(32)), **said})
		if operation == "token":
			code, credential = (jws.b64url(dice.randbytes(32)) for _ in "ab")
			return spelled(
				{"grant_type": requests.DEVICE_CODE, "device_code": code, "credential": credential}
			)
		tv = dice.choice(self.sets)
		body = tv.asks(operation, self.channel, dice, now)
		self.genuine[meaning(body)] = tv
		self.last[operation] = body
		return body

	def judge(self, where: str, operation: str, body: bytes, reply) -> None:
		"""AssertionError when a reply says more than its question was worth."""
		told = f"{where} {operation} {body[:3000]!r}: {reply.status} {reply.headers} {reply.body[:400]!r}"
		assert reply.status < 500 or reply.status == 503, told
		assert not leaks(reply), told
		if operation not in PROVING or (reply.status not in PROVEN and not reply.mac):
			return
		tv = self.asker(body)
		assert tv is not None, f"a wrong answer: {told}"
		assert reply.mac == mac.of_reply(tv.key, reply.body), f"under another key: {told}"
		if reply.status == 409 and b'"base"' in reply.body:
			self._count_on(tv, int(json.loads(reply.body)["base"]))

	def asker(self, body: bytes) -> Set | None:
		"""The TV whose genuine question this is."""
		said = meaning(body)
		if said is None or said in self.genuine:
			return self.genuine.get(said)
		# Of a TV without a key store the secret itself is the proof, and nothing else in the question is under it.
		fields = dict(said)
		known = (fields.get("d"), fields.get("credential"))
		return next((tv for tv in self.sets if tv.secret and (tv.serial, tv.secret) == known), None)

	def _count_on(self, tv: Set, base: int) -> None:
		"""A TV counts on above what the node knows; one whose own proof used the numbers up is left alone."""
		tv.count = max(tv.count, base)
		if tv.count > LAST and tv in self.sets and len(self.sets) > 2:
			self.sets.remove(tv)


def meaning(body: bytes) -> frozenset | None:
	"""What a body says, whatever its order and spacing; None when it is no object of texts with each key once."""

	def once(pairs):
		if len({name for name, _ in pairs}) != len(pairs):
			raise ValueError
		return dict(pairs)

	try:
		found = json.loads(body, object_pairs_hook=once)
		return frozenset(found.items()) if all(isinstance(value, str) for value in found.values()) else None
	except (ValueError, AttributeError, TypeError, RecursionError):
		return None


# What tells of the inside: a stack, a path, a library, a query.
TELLTALE = (
	b"Traceback",
	b'File "',
	b"site-packages",
	b".py",
	b"/home/",
	b"/root/",
	b"/tmp/",
	b"/usr/",
	b"pymysql",
	b"sqlite",
	b"msgspec",
	b"werkzeug",
	b"exc_type",
	b"_server_messages",
	b"SELECT ",
	b"tabTV",
)


def leaks(reply) -> bool:
	"""Whether a reply tells of what is behind it."""
	return any(word in reply.body for word in TELLTALE)
