"""Random histories of questions, honest and not, to hold two nodes against each other: equal state, equal bytes.

The same seed makes the same history. Whoever asks is one of a few TVs that every node of the comparison knows alike.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from subscriber_tv.core.activation import lineage, parental, prove, respond
from subscriber_tv.core.activation.node import Answered
from subscriber_tv.core.devices import challenge, jws, mac, wire

# Who answers what.
ANSWERS: dict[str, Callable[..., Answered]] = {
	"auth": respond.auth,
	"assert": prove.assertion,
	"challenge": prove.give_challenge,
	"heartbeat": respond.heartbeat,
	"stream": respond.stream,
}
_WEIGHTS = {"auth": 12, "assert": 3, "challenge": 1, "heartbeat": 3, "stream": 4}
PINS = ("1234", "0000")
PARTS = mac.binding("chip", "card", "model", "1.0")


@dataclass
class Someone:
	"""A TV of a history: with a key, or with a secret; and how far it believes to have counted."""

	serial: str
	signer: jws.Signer | None = None
	secret: str = ""
	count: int = 0
	last: bytes = b""
	nonces: list[str] = field(default_factory=list)

	@property
	def thumbprint(self) -> str:
		"""By what its key is known."""
		return self.signer.kid if self.signer else wire.key_fingerprint(self.secret)


@dataclass
class History:
	"""Questions without end. `audience` and `masters` are those of the nodes that are asked."""

	tvs: list[Someone]
	masters: mac.Masters
	audience: str
	now: int
	channels: tuple[str, ...] = ("TF1",)
	seed: int = 0
	_dice: random.Random = field(init=False)

	def __post_init__(self):
		self._dice = random.Random(self.seed)

	def questions(self) -> Iterator[tuple[str, bytes, int]]:
		"""Operation, body and moment of one question after the other."""
		while True:
			self.now += self._dice.choice((0, 0, 0, 1, 1, 7, 45, 130))
			operation = self._dice.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
			tv = self._dice.choice(self.tvs)
			body = (
				tv.last if tv.last and self._dice.random() < 0.1 else self._spoilt(self._ask(operation, tv))
			)
			tv.last = body
			yield operation, body, self.now

	def _ask(self, operation: str, tv: Someone) -> bytes:
		if operation == "challenge":
			return _spelled({"d": tv.serial, **self._dice.choice(({}, {"aud": "desk"}))})
		if operation == "assert":
			return self._assertion(tv)
		audience = self._rarely("elsewhere", self.audience)
		epoch = str(self._dice.choice((*self.masters.valid, *self.masters.valid, self.masters.current + 1)))
		fields = {"d": tv.serial, "e": epoch, "c": self._count(tv), "n": self._nonce()}
		tv.nonces.append(fields["n"])
		key = self.masters.of(epoch, tv.serial, tv.thumbprint)
		if operation == "auth":
			f = self._rarely("B" * 43, PARTS)
			t = self._rarely(str(self.now + 1000), self._rarely(str(self.now), ""))
			m = mac.of_auth(key, audience, *fields.values(), f, t)
			return _spelled({**fields, "f": f, "m": m, **({"t": t} if t else {})})
		if operation == "heartbeat":
			told = {"up": "60", "fw": "1.0"}
			m = mac.of_heartbeat(key, audience, *fields.values(), told.items())
			return _spelled({**fields, "m": m, **told})
		asked = {
			"o": self._dice.choice(("start", "start", "renew", "stop")),
			"ch": self._rarely("NOWHERE", self._dice.choice(self.channels)),
			"sid": self._dice.choice(("one", "two", "three")),
		}
		if pin := self._dice.choice(("", "", *PINS)):
			known = verifier(tv.serial, pin)
			asked["pin"] = parental.proof(known, audience, tv.serial, fields["c"], fields["n"])
		return _spelled(
			{**fields, "m": mac.of_stream(key, audience, *fields.values(), *asked.values()), **asked}
		)

	def _assertion(self, tv: Someone) -> bytes:
		audience = self._rarely("elsewhere", self.audience)
		made = self.now - self._dice.choice((0, 0, 0, 119, 120, 121))
		given = challenge.make(self.masters, self.audience, tv.serial, made)
		claims = {"c": self._count(tv), "chal": given, "d": tv.serial, "f": PARTS, "n": self._nonce()}
		if told := self._line(tv):
			claims["l"] = told
		if tv.signer is None:
			return _spelled({**claims, "credential": self._rarely("A" * 43, tv.secret)})
		typ = self._rarely(jws.TOKEN, jws.ASSERTION)
		return _spelled({"a": tv.signer.sign(typ, _spelled({"aud": audience, **claims}))})

	def _line(self, tv: Someone) -> str:
		"""Some of the nonces that it used, or none."""
		used = tv.nonces[-6:]
		return lineage.spell(
			tuple(self._dice.sample(used, min(len(used), self._dice.randrange(lineage.TOLD + 1))))
		)

	def _count(self, tv: Someone) -> str:
		tv.count += self._dice.choice((1, 1, 1, 1, 1, 2, 0, 0, -1, 999_999, 1_000_001))
		tv.count = min(max(tv.count, 1), 10**15)
		return str(tv.count)

	def _nonce(self) -> str:
		return jws.b64url(self._dice.choice((self._dice.randbytes(16), bytes(16))))

	def _spoilt(self, body: bytes) -> bytes:
		"""The question, or rarely one with a byte too many, too few or another one."""
		if self._dice.random() > 0.06:
			return body
		at = self._dice.randrange(len(body))
		return self._dice.choice(
			(
				body[:at] + bytes([self._dice.randrange(256)]) + body[at + 1 :],
				body[:at],
				body + body,
				body[:at] + body[at + 1 :],
			)
		)

	def _rarely(self, one: str, other: str) -> str:
		return one if self._dice.random() < 0.08 else other


@lru_cache(maxsize=256)
def verifier(serial: str, pin: str) -> str:
	"""The verifier of a TV's PIN, worked out once."""
	return parental.verifier(serial, pin)


def compare(history: History, nodes: tuple, questions: int) -> dict[str, int]:
	"""Ask each node every question; AssertionError at the first that is answered differently. Returns how many of each.

	`nodes`: what gives a node for a moment, of each side.
	"""
	outcomes: dict[str, int] = {}
	stream = history.questions()
	for number in range(questions):
		operation, body, now = next(stream)
		answers = [ANSWERS[operation](body, node(now), now) for node in nodes]
		first = _said(answers[0])
		for other in answers[1:]:
			found = _said(other)
			assert found == first, f"question {number}, {operation} {body!r}: {first} and {found}"
		outcome = f"{operation} {answers[0].answer.status} {answers[0].line}".rstrip()
		outcomes[outcome] = outcomes.get(outcome, 0) + 1
	return outcomes


def _said(answered: Answered) -> tuple:
	"""What one side said, and what it found."""
	decision = answered.decision
	return answered.answer, decision.kind, decision.code, answered.line, answered.stream


def _spelled(document: dict[str, str]) -> bytes:
	return json.dumps(document, separators=(",", ":")).encode()
