"""What the TVs send, spelled before the clock starts, and the check of what they are answered.

Questions are numbered for each audience, over all rounds. The TVs take turns in an order that visits the whole table
without pattern; a TV asks again only when all others have, with its next number. So each question is another TV's: its
key, its count, its row.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass

from benchmarks.device_auth.fleet import MASTERS, Fleet
from subscriber_tv.core.devices import challenge, jws, mac

AUTH, ASSERTION, ECHO = "auth", "assert", "echo"
# A prime that divides no size of fleet in use.
_STRIDE = 104_729
_EPOCH = str(MASTERS.current)


def tv_of(turn: int, tvs: int) -> int:
	"""Which TV's turn it is."""
	return turn * _STRIDE % tvs


@dataclass(frozen=True)
class Question:
	"""Who asks, under which nonce, and the body."""

	tv: int
	nonce: str
	body: bytes


class Desk:
	"""Spells the questions of a fleet to one audience."""

	def __init__(self, fleet: Fleet, audience: str):
		self._fleet = fleet
		self._audience = audience

	def question(self, kind: str, turn: int) -> Question:
		"""The question whose turn it is."""
		tv = tv_of(turn, len(self._fleet))
		counter = str(1 + turn // len(self._fleet))
		spell = self._assertion if kind == ASSERTION else self._auth
		return spell(tv, counter, jws.b64url(os.urandom(16)))

	def again(self, tv: int, counter: int) -> Question:
		"""A question of this TV with this number, under a nonce of its own."""
		return self._auth(tv, str(counter), jws.b64url(os.urandom(16)))

	def _auth(self, tv: int, counter: str, nonce: str) -> Question:
		serial = self._fleet.serial(tv)
		key = MASTERS.newest(serial, self._fleet.thumbprint(tv))
		m = mac.of_auth(key, self._audience, serial, _EPOCH, counter, nonce, mac.NOBODY)
		body = f'{{"d":"{serial}","e":"{_EPOCH}","c":"{counter}","n":"{nonce}","f":"{mac.NOBODY}","m":"{m}"}}'
		return Question(tv, nonce, body.encode())

	def _assertion(self, tv: int, counter: str, nonce: str) -> Question:
		serial, signer = self._fleet.serial(tv), self._fleet.signer(tv)
		given = challenge.make(MASTERS, self._audience, serial, int(time.time()))
		claims = {
			"aud": self._audience,
			"c": counter,
			"chal": given,
			"d": serial,
			"f": mac.NOBODY,
			"n": nonce,
		}
		token = signer.sign(jws.ASSERTION, json.dumps(claims, separators=(",", ":")).encode())
		return Question(tv, nonce, b'{"a":"%b"}' % token.encode())


def posted(host: str, path: str, body: bytes, headers: tuple[str, ...] = ()) -> bytes:
	"""The body as a request of HTTP."""
	lines = (f"POST {path} HTTP/1.1", f"Host: {host}", "Content-Type: application/json", *headers)
	return "\r\n".join((*lines, f"Content-Length: {len(body)}", "", "")).encode() + body


class Checker:
	"""Whether an answer is the right one: under the TV's own MAC, to its question, with its own lease, signed."""

	def __init__(self, fleet: Fleet, public_keys: bytes):
		self._fleet = fleet
		self._verifier = jws.Verifier(public_keys)

	def problem(self, question: Question, body: bytes, reply_mac: str) -> str:
		"""What is wrong with a 200; "" when nothing is."""
		serial = self._fleet.serial(question.tv)
		key = MASTERS.newest(serial, self._fleet.thumbprint(question.tv))
		if reply_mac != mac.of_reply(key, body):
			return "the MAC is not the TV's"
		document = json.loads(body)
		if document["n"] != question.nonce:
			return "the answer is to another question"
		try:
			lease = json.loads(self._verifier.verify(jws.LEASE, document["lease"]))
		except jws.BadSignature:
			return "the lease is not signed"
		if (
			lease["sub"] != serial
			or lease["exp"] <= time.time()
			or lease["offers"] != ["HOTEL-V1", "SPORT-V1"]
		):
			return "the lease is not the TV's"
		return "" if document["decision"] == "allow" else "denied"
