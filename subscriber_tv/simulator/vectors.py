"""Test vectors of protocol v1: known keys, the bytes of each question, and the bytes of its answer.

`python -m subscriber_tv vectors FOLDER` writes them. Every key here is a small number or a run of bytes that anybody can
compute: none may ever be used. Signatures are deterministic (RFC 6979), so the files are the same each time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import structs

from subscriber_tv.core.activation import counter, enrolment, lineage, parental, prove, respond, streams
from subscriber_tv.core.activation.decide import Row
from subscriber_tv.core.activation.feed import DEVICE
from subscriber_tv.core.activation.node import Answered
from subscriber_tv.core.activation.projection import Unsigned, sign
from subscriber_tv.core.devices import challenge, jws, mac, requests, wire
from subscriber_tv.core.devices.jws import b64url
from subscriber_tv.core.devices.root import sign_keys

NOW = 1_800_000_000
WEEK = 7 * 86_400
AUDIENCE = "edge-south"
SERIAL = "LG55-000001"
SMALL = "SMALL-000001"
MASTERS = mac.Masters({1: bytes(range(32)), 2: bytes(range(32, 64))})
OPERATOR = jws.Signer(jws.key_of_number(11), repeatable=True)
ROOT = jws.Signer(jws.key_of_number(12), repeatable=True)
TV_KEY = jws.Signer(jws.key_of_number(13), repeatable=True)
SECRET = b64url(bytes(range(64, 96)))
PIN = "1234"
PARTS = mac.binding("CHIP-0001", "CARD-0001", "LG 55UT640S", "3.21")
NONCE = b64url(bytes(range(16)))
OTHER_NONCE = b64url(bytes(range(16, 32)))
DEVICE_CODE = b64url(bytes(range(96, 128)))

Answer = Callable[[bytes, "Node", int], Answered]


class Node:
	"""A node of which everything is known."""

	audience = AUDIENCE
	masters = MASTERS

	def __init__(self, row: Row | None, seen: counter.Seen):
		self._row = row
		self._seen = seen
		self._running: dict[str, int] = {}
		self.guesses = parental.Guesses()

	def row(self, serial: str) -> Row | None:
		"""The one row."""
		return self._row if self._row and self._row.serial == serial else None

	def documents(self, offers: Sequence[str]) -> Sequence[str]:
		"""One document per offer, addressed by its name's hash."""
		return [wire.document_address(name.encode()) for name in offers]

	def channels(self, offers: Sequence[str]) -> dict[str, int]:
		"""One channel for everybody, and one that is not."""
		return {"TF1": 0, "NIGHT": 18} if offers else {}

	def count(self, _serial: str, number: int, nonce: str, proven: bool) -> counter.Verdict:
		"""By the rule."""
		verdict = counter.judge(self._seen, number, nonce, proven=proven)
		self._seen = counter.Seen(number, nonce) if verdict.taken else self._seen
		return verdict

	def place(self, serial: str) -> None:
		"""Known at the desk alone."""
		return None

	def line(self, _serial: str) -> lineage.Line:
		"""The last nonce; nothing was overtaken."""
		return lineage.Line(self._seen.nonce)

	def overtake(self, _serial: str, tips: tuple[str, ...]) -> None:
		"""No case asks twice."""

	def slots(self, row: Row, request: requests.StreamSlot, now: int) -> streams.Slots:
		"""By the rule."""
		return streams.judge(self._running, request.o, request.sid, row.streams, now)


@dataclass(frozen=True)
class Case:
	"""A question, the state it meets and the answer it gets."""

	name: str
	path: str
	request: bytes
	state: dict[str, Any]
	answer: wire.Answer

	def document(self) -> dict[str, Any]:
		"""The case as the file has it."""
		return {
			"name": self.name,
			"request": {"method": "POST", "path": self.path, "body": self.request.decode()},
			"state": self.state,
			"reply": {
				"status": self.answer.status,
				"headers": dict(self.answer.all_headers()),
				"body": self.answer.body.decode(),
			},
		}


def vectors() -> dict[str, Any]:
	"""The whole file."""
	return {
		"about": "Test vectors of the TV protocol v1. Every key in here is public: use none.",
		"now": NOW,
		"audience": AUDIENCE,
		"keys": _keys(),
		"derived": _derived(),
		"cases": [case.document() for case in _cases()],
		"signed_keys": sign_keys(jws.jwks(OPERATOR), ROOT, NOW, 7)["signed"],
	}


def spell(document: dict[str, Any]) -> bytes:
	"""Compact JSON."""
	return json.dumps(document, separators=(",", ":")).encode()


def _keys() -> dict[str, Any]:
	return {
		"masters": {str(epoch): b64url(key) for epoch, key in MASTERS.keys.items()},
		"tv": {"serial": SERIAL, "private_number": 13, "jwk": TV_KEY.jwk, "jkt": TV_KEY.kid},
		"small_tv": {"serial": SMALL, "credential": SECRET, "jkt": wire.key_fingerprint(SECRET)},
		"operator": {"private_number": 11, "jwks": jws.jwks(OPERATOR)},
		"root": {"private_number": 12, "jwk": ROOT.jwk},
	}


def _derived() -> dict[str, Any]:
	return {
		"K_mac": {str(epoch): b64url(_key(epoch)) for epoch in MASTERS.keys},
		"K_mac_small_tv": b64url(MASTERS.newest(SMALL, wire.key_fingerprint(SECRET))),
		"binding": {"parts": ["CHIP-0001", "CARD-0001", "LG 55UT640S", "3.21"], "f": PARTS},
		"challenge": challenge.make(MASTERS, AUDIENCE, SERIAL, NOW),
		"pin": {"pin": PIN, "verifier": parental.verifier(SERIAL, PIN)},
		"challenge_for_the_desk": challenge.make(MASTERS, requests.DESK, SERIAL, NOW),
	}


def _key(epoch: int = 2) -> bytes:
	return mac.tv_key(MASTERS.keys[epoch], SERIAL, TV_KEY.kid)


def _row(
	code: str = "", serial: str = SERIAL, key_hash: str = TV_KEY.kid, key: str = TV_KEY.point, **changes: Any
) -> Row:
	unsigned = Unsigned(
		DEVICE,
		serial,
		"",
		key_hash=key_hash,
		rights_from=0 if code else NOW - 86_400,
		offers=("HOTEL-V1",),
		play_seconds=86_400,
		denial_code=code,
		key=key,
		account=b64url(bytes(16)),
		streams=1,
		fp="" if code else PARTS,
	)
	return structs.replace(sign(unsigned, OPERATOR, NOW, WEEK, "operator.example", 7).entry.row(), **changes)


def _auth(c: int = 43, n: str = NONCE, *, e: int = 2, t: str = "", audience: str = AUDIENCE) -> bytes:
	fields = {"d": SERIAL, "e": str(e), "c": str(c), "n": n, "f": PARTS}
	m = mac.of_auth(
		_key(e) if e in MASTERS.keys else bytes(32), audience, SERIAL, str(e), str(c), n, PARTS, t
	)
	return spell({**fields, **({"t": t} if t else {}), "m": m})


def _cases() -> list[Case]:
	return [*_fast(), *_slow(), *_beats(), *_pairing()]


def _case(name: str, path: str, answer: Answer, body: bytes, row: Row | None, seen: counter.Seen) -> Case:
	state = {
		"paired": row is not None,
		"rights": "none" if row is None else "open" if row.rights_from else "closed",
		"last_counter": str(seen.counter),
		"last_nonce": seen.nonce,
	}
	return Case(name, f"/v1/{path}", body, state, answer(body, Node(row, seen), NOW).answer)


def _fast() -> list[Case]:
	seen = counter.Seen(42, OTHER_NONCE)
	last = counter.Seen(43, NONCE)
	asked: list[tuple[str, bytes, Row | None, counter.Seen]] = [
		("allowed", _auth(), _row(), seen),
		("allowed, clock wrong", _auth(t="1700000000"), _row(), seen),
		("allowed, epoch before", _auth(e=1), _row(), seen),
		("suspended", _auth(), _row("suspended"), seen),
		("parts changed", _auth(), _row(fp="B" * 43), seen),
		("reply was lost", _auth(), _row(), last),
		("replayed", _auth(n=OTHER_NONCE), _row(), last),
		("count ran away", _auth(c=2_000_000), _row(), last),
		("unknown TV", _auth(), None, counter.Seen()),
		("made for another node", _auth(audience="edge-north"), _row(), seen),
		("epoch unknown", _auth(e=3), _row(), seen),
		("key given twice", _auth()[:-1] + b',"c":"44"}', _row(), seen),
	]
	return [_case(f"auth: {name}", "auth", respond.auth, *rest) for name, *rest in asked]


def _slow() -> list[Case]:
	seen = counter.Seen(42, OTHER_NONCE)
	given = challenge.make(MASTERS, AUDIENCE, SERIAL, NOW)
	old = challenge.make(MASTERS, AUDIENCE, SERIAL, NOW - 121)
	small = {"d": SMALL, "credential": SECRET, "c": "1", "f": PARTS, "n": NONCE}
	small["chal"] = challenge.make(MASTERS, AUDIENCE, SMALL, NOW)
	small_row = _row(serial=SMALL, key_hash=wire.key_fingerprint(SECRET), key="")
	asked: list[tuple[str, bytes, Row | None, counter.Seen]] = [
		("allowed", _assertion(given), _row(), seen),
		("allowed, telling its last questions", _assertion(given, told=(OTHER_NONCE,)), _row(), seen),
		("suspended", _assertion(given), _row("suspended"), seen),
		("count too low", _assertion(given, c=42), _row(), seen),
		("challenge too old", _assertion(old), _row(), seen),
		("unknown TV", _assertion(given), None, counter.Seen()),
		("TV without a key store", spell(small), small_row, counter.Seen()),
	]
	cases = [_case(f"assert: {name}", "assert", prove.assertion, *rest) for name, *rest in asked]
	wish = spell({"d": SERIAL})
	return [_case("challenge", "challenge", prove.give_challenge, wish, _row(), seen), *cases]


def _assertion(given: str, c: int = 500, told: tuple[str, ...] = ()) -> bytes:
	line = {"l": lineage.spell(told)} if told else {}
	claims = {"aud": AUDIENCE, "c": str(c), "chal": given, "d": SERIAL, "f": PARTS, **line, "n": NONCE}
	return spell({"a": TV_KEY.sign(jws.ASSERTION, spell(claims))})


def _beats() -> list[Case]:
	seen = counter.Seen(42, OTHER_NONCE)
	told = {"up": "3600", "temp": "41.5", "err": "0", "rssi": "-61", "fw": "3.21", "ch": "TF1"}
	fields = {"d": SERIAL, "e": "2", "c": "43", "n": NONCE}
	m = mac.of_heartbeat(_key(), AUDIENCE, SERIAL, "2", "43", NONCE, told.items())
	cases = [
		_case("heartbeat", "heartbeat", respond.heartbeat, spell({**fields, "m": m, **told}), _row(), seen)
	]
	for name, channel in (("start", "TF1"), ("start", "CANAL"), ("stop", "TF1")):
		m = mac.of_stream(_key(), AUDIENCE, SERIAL, "2", "43", NONCE, name, channel, "s1")
		body = spell({**fields, "m": m, "o": name, "ch": channel, "sid": "s1"})
		cases.append(_case(f"stream: {name} {channel}", "stream", respond.stream, body, _row(), seen))
	locked = _row(lock=16, pin=parental.verifier(SERIAL, PIN))
	for name, pin in (("no PIN", ""), ("wrong PIN", "4321"), ("right PIN", PIN)):
		shown = parental.proof(parental.verifier(SERIAL, pin), AUDIENCE, SERIAL, "43", NONCE) if pin else ""
		m = mac.of_stream(_key(), AUDIENCE, SERIAL, "2", "43", NONCE, "start", "NIGHT", "s1", shown)
		asked = {"o": "start", "ch": "NIGHT", "sid": "s1", **({"pin": shown} if pin else {})}
		body = spell({**fields, "m": m, **asked})
		cases.append(_case(f"stream: locked, {name}", "stream", respond.stream, body, locked, seen))
	return cases


def _pairing() -> list[Case]:
	claims = {
		"aud": requests.DESK,
		"chal": challenge.make(MASTERS, requests.DESK, SERIAL, NOW),
		"f": PARTS,
		"firmware": "3.21",
		"model": "LG 55UT640S",
		"serial": SERIAL,
		"x": TV_KEY.jwk["x"],
		"y": TV_KEY.jwk["y"],
	}
	enrol = spell({"a": TV_KEY.sign(jws.ENROLMENT, spell(claims))})
	enrolment.read_enrolment(enrol, MASTERS, NOW)
	code = enrolment.enrolled(
		device_code=DEVICE_CODE, user_code="BCDF-GHJK", uri="https://operator.example/tv", expires_in=900
	)
	token = TV_KEY.sign(jws.TOKEN, spell({"aud": requests.DESK, "device_code": DEVICE_CODE}))
	poll = spell({"grant_type": requests.DEVICE_CODE, "device_code": DEVICE_CODE, "a": token})
	nodes = (
		{"aud": "desk", "url": "https://operator.example"},
		{"aud": AUDIENCE, "url": "https://tv.example"},
	)
	granted = enrolment.granted(MASTERS, SERIAL, TV_KEY.kid, nodes)
	state = {"paired": False, "rights": "none"}
	return [
		Case("enrol", "/v1/enrol", enrol, state, code),
		*(
			Case(f"token: {error}", "/v1/token", poll, state, answer)
			for error, answer in enrolment.ERRORS.items()
		),
		Case("token: granted", "/v1/token", poll, {"paired": True, "rights": "open"}, granted),
	]
