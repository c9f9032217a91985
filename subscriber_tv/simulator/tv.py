"""One television: its keys, its count, what it remembers, and the rules by which it plays or does not.

It speaks protocol v1 as docs/device-protocol.md has it. It believes only what stands under its own MAC, and plays only by
what the operator signed for it: a lease opens, a denial closes, and neither counts when it is for another TV or older
than what the TV already knew. Without an answer it plays on until the last answer's `play_until`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from subscriber_tv.core.activation import lineage, parental
from subscriber_tv.core.devices import jws, mac, requests, wire
from subscriber_tv.core.devices import root as root_key
from subscriber_tv.simulator.http import NoAnswer, Reply, Service
from subscriber_tv.simulator.memory import Memory, recall, remember

PLAYING = "playing"
BARKER = "barker"
PAIRING = "pairing"
RETRY = "retry"
FAKE = "fake"

# How often a TV tries to prove itself before it waits: a challenge may be late, a count too low.
PROOFS = 3


@dataclass(frozen=True)
class Screen:
	"""What the viewer gets after a power-on. `code` is the denial's, or the error's."""

	kind: str
	code: str = ""
	text: str = ""
	status: int = 0
	documents: tuple[str, ...] = ()
	hints: tuple[str, ...] = ()
	# Seconds that the node asked to be left alone.
	wait: float = 0.0


class Tv:
	"""A TV. `flash` is the file that survives a power cut; without one it forgets.

	`credential` makes it a model without a key store, with this secret. `root` is the public half of the operator's root key,
	as built into TVs: without it the TV believes the first key set that it is given. `clock` may be wrong: the TV never
	believes a moment before the last authentic one.
	"""

	def __init__(
		self,
		serial: str,
		service: Service,
		credential: str = "",
		flash: Path | None = None,
		verifier: jws.Verifier | None = None,
		language: str = "fr",
		model: str = "Simulated",
		firmware: str = "1.0",
		root: dict[str, str] | None = None,
		clock: Callable[[], float] = time.time,
	):
		self.serial = serial
		self.service = service
		self.language = language
		self.model = model
		self.firmware = firmware
		self._flash = flash
		self._verifier = verifier
		self._root = root
		self._clock = clock
		self._signer: jws.Signer | None = None
		self._audience = ""
		self.memory = recall(flash)
		if credential and credential != self.memory.credential:
			self.memory = Memory(credential=credential)
		elif not self.memory.credential and not self.memory.private_key:
			self.memory.private_key = jws.new_key().decode()
		self._remember()

	@property
	def parts(self) -> str:
		"""What it says of its parts: `f` of its requests."""
		return mac.binding(f"CHIP-{self.serial}", "", self.model, self.firmware)

	@property
	def thumbprint(self) -> str:
		"""By what its key is known."""
		if self.memory.credential:
			return wire.key_fingerprint(self.memory.credential)
		return self._own_key().kid

	@property
	def now(self) -> int:
		"""What time the TV believes it is."""
		return max(int(self._clock()), self.memory.floor)

	@property
	def may_play(self) -> bool:
		"""Whether the last answer lets it play, without another one."""
		return self.now < self.memory.play_until

	@property
	def wants_place(self) -> bool:
		"""Whether its lease tells of a message broker at which it was told no place."""
		if self.memory.mqtt or not self.memory.lease:
			return False
		return bool(json.loads(jws.unverified_claims(self.memory.lease)).get("mqtt"))

	# Asking

	def learn_place(self, desk: Service) -> Screen:
		"""Prove itself to the desk, which alone tells a TV its place at the broker; the TV's own node stays what it was."""
		node = self.service, self._audience
		self.move_to(desk, requests.DESK)
		try:
			return self._ask_slow("")
		finally:
			self.move_to(*node)

	def move_to(self, service: Service, audience: str = "") -> None:
		"""Ask another node from now on; its name, when the TV knows it."""
		self.service, self._audience = service, audience

	def power_on(self) -> Screen:
		"""Ask whether to play, and obey."""
		try:
			screen, challenge = self._ask_fast() if self.memory.key else (None, "")
			return screen or self._ask_slow(challenge)
		except NoAnswer as error:
			return Screen(self._meanwhile, "no_answer", str(error))

	@property
	def _meanwhile(self) -> str:
		return PLAYING if self.may_play else RETRY

	def question(self, audience: str = "") -> dict[str, str]:
		"""The next power-on, as it is sent: one more is counted."""
		audience = audience or self.audience()
		fields = self._counted(audience)
		m = mac.of_auth(self._key(), audience, self.serial, *fields.values(), self.parts)
		return {"d": self.serial, **fields, "f": self.parts, "m": m}

	def prove(self, challenge: str = "", audience: str = "") -> dict[str, str]:
		"""The next assertion, as it is sent."""
		audience = audience or self.audience()
		challenge = challenge or self.challenge()
		line = lineage.spell(tuple(self.memory.lines.get(audience, ())))
		number, nonce = self._next(audience)
		claims = {"c": number, "chal": challenge, "d": self.serial, "f": self.parts, "n": nonce}
		claims |= {"l": line} if line else {}
		if self.memory.credential:
			return {**claims, "credential": self.memory.credential}
		return {"a": self._own_key().sign(jws.ASSERTION, _json({"aud": audience, **claims}))}

	def audience(self) -> str:
		"""The name of the node that answers; asked once."""
		if not self._audience:
			self._audience = str(self.service.get(self.service.paths.hello).document.get("aud", ""))
			if not self._audience:
				raise NoAnswer("nobody says hello")
		return self._audience

	def challenge(self, audience: str = "") -> str:
		"""A challenge of this node, or through it of the desk."""
		wish = {"d": self.serial, **({"aud": audience} if audience else {})}
		reply = self._post("challenge", wish)
		if reply.status != 200:
			raise NoAnswer(f"no challenge: HTTP {reply.status}")
		return str(reply.document.get("challenge", ""))

	def enrol(self) -> Reply:
		"""Ask for a pairing code, showing that it holds its key; of a secret only the hash leaves the TV."""
		said = {"f": self.parts, "firmware": self.firmware, "model": self.model, "serial": self.serial}
		if self.memory.credential:
			reply = self._post("enrol", {**said, "key": self.thumbprint})
		else:
			point = {axis: self._own_key().jwk[axis] for axis in "xy"}
			claims = {"aud": requests.DESK, "chal": self.challenge(requests.DESK), **said, **point}
			reply = self._post("enrol", {"a": self._own_key().sign(jws.ENROLMENT, _json(claims))})
		if reply.status == 200:
			self.memory.device_code = reply.document["device_code"]
			self._remember()
		return reply

	def poll(self) -> Reply:
		"""Ask whether the code was entered; once it is, the TV has its key."""
		code = self.memory.device_code
		request = {"grant_type": requests.DEVICE_CODE, "device_code": code}
		if self.memory.credential:
			request["credential"] = self.memory.credential
		else:
			claims = {"aud": requests.DESK, "device_code": code}
			request["a"] = self._own_key().sign(jws.TOKEN, _json(claims))
		reply = self._post("token", request)
		if reply.status == 200:
			self.memory.key, self.memory.epoch = reply.document["key"], reply.document["epoch"]
			self.memory.mqtt = reply.document.get("mqtt", {})
			self._remember()
		return reply

	def heartbeat(self, **told: str) -> Reply:
		"""Say how it is."""
		fields = self._counted(self.audience())
		m = mac.of_heartbeat(self._key(), self.audience(), self.serial, *fields.values(), told.items())
		reply = self._post("heartbeat", {"d": self.serial, **fields, "m": m, **told})
		return self._settle(fields["n"], reply)

	def stream(self, operation: str, channel: str, name: str, pin: str = "") -> Reply:
		"""Start, renew or stop a stream; `pin` opens a channel that is locked for the young."""
		fields = self._counted(self.audience())
		asked = {"o": operation, "ch": channel, "sid": name}
		if pin:
			known = parental.verifier(self.serial, pin)
			asked["pin"] = parental.proof(known, self.audience(), self.serial, fields["c"], fields["n"])
		m = mac.of_stream(self._key(), self.audience(), self.serial, *fields.values(), *asked.values())
		return self._settle(fields["n"], self._post("stream", {"d": self.serial, **fields, "m": m, **asked}))

	def channels(self, document_hash: str) -> list[dict[str, Any]]:
		"""The bouquets of an offer document, verified against its hash and signature."""
		reply = self.service.get(self.service.paths.offer + document_hash)
		claims = self._keys().verify(jws.OFFER, reply.text)
		if wire.document_address(claims) != document_hash:
			raise jws.BadSignature
		return json.loads(claims)["bouquets"]

	# Obeying

	def _ask_fast(self) -> tuple[Screen | None, str]:
		"""The daily way; no screen, and perhaps a challenge, when it must prove itself."""
		request = self.question()
		reply = self._settle(request["n"], self._post("auth", request))
		if reply.status == 401:
			return None, ""
		if reply.status == 409 and self._is_authentic(reply, self.memory.key, request["n"]):
			self.memory.count_from(self._audience, reply.document.get("base"))
			return None, reply.document["challenge"]
		return self._obey(reply, request["n"], self.memory.key), ""

	def _ask_slow(self, challenge: str) -> Screen:
		"""Prove itself, and take the key that comes back."""
		for _attempt in range(PROOFS):
			request = self.prove(challenge)
			nonce = request.get("n") or json.loads(jws.unverified_claims(request["a"]))["n"]
			reply = self._settle(nonce, self._post("assert", request))
			if reply.status != 409:
				break
			self.memory.count_from(self._audience, reply.document.get("base"))
			challenge = str(reply.document.get("challenge", ""))
		key = str(reply.document.get("key", ""))
		screen = self._obey(reply, nonce, key)
		if screen.kind in (PLAYING, BARKER):
			self.memory.key, self.memory.epoch = key, str(reply.document["epoch"])
			self.memory.mqtt = reply.document.get("mqtt", self.memory.mqtt)
			self._remember()
		return screen

	def _obey(self, reply: Reply, nonce: str, key: str) -> Screen:
		if reply.status in (200, 403):
			try:
				if not self._is_authentic(reply, key, nonce):
					raise jws.BadSignature
				return self._allowed(reply) if reply.status == 200 else self._denied(reply)
			except (jws.BadSignature, root_key.Untrusted, KeyError, TypeError, ValueError):
				return Screen(FAKE, "bad_signature", status=reply.status)
		error = str(reply.document.get("error", ""))
		if reply.status == 401:
			return Screen(PAIRING, error, status=401)
		is_for_now = reply.status == 429 or reply.status >= 500
		kind = self._meanwhile if is_for_now else RETRY
		return Screen(kind, error or str(reply.status), status=reply.status, wait=_wait(reply))

	def _is_authentic(self, reply: Reply, key: str, nonce: str) -> bool:
		"""Whether a reply stands under this key and answers this question."""
		try:
			expected = mac.of_reply(jws.b64url_decode(key), reply.text.encode())
		except ValueError:
			return False
		return bool(key) and mac.same(expected, reply.mac) and reply.document.get("n") == nonce

	def _allowed(self, reply: Reply) -> Screen:
		answer = reply.document
		claims = self._genuine(jws.LEASE, answer["lease"])
		if not claims["iat"] - 300 <= answer["time"] < claims["exp"] or answer["play_until"] > claims["exp"]:
			raise jws.BadSignature
		# Somebody else's lease, however genuine, opens nothing here.
		if claims["cnf"]["jkt"] != self.thumbprint or claims.get("bind", self.parts) != self.parts:
			raise jws.BadSignature
		self.memory.lease = answer["lease"]
		self.memory.play_until = answer["play_until"]
		self._note(answer)
		return Screen(
			PLAYING, status=200, documents=tuple(answer["documents"]), hints=tuple(answer.get("hints", ()))
		)

	def _denied(self, reply: Reply) -> Screen:
		answer = reply.document
		# What a node finds by itself is not signed ahead; the MAC vouches for it.
		claims = self._genuine(jws.DENIAL, answer["denial"]) if "denial" in answer else answer
		if claims is answer and answer["code"] != "binding_mismatch":
			raise jws.BadSignature
		self.memory.lease = ""
		self.memory.play_until = 0
		self._note(answer)
		# The text comes from the signed part, not from beside it.
		return Screen(BARKER, claims["code"], claims["text"][self.language], status=403)

	def _note(self, answer: dict[str, Any]) -> None:
		self.memory.ask_after = answer["ask_after"]
		self.memory.floor = max(self.memory.floor, answer["time"])
		self._remember()

	def _genuine(self, typ: str, token: str) -> dict[str, Any]:
		claims = json.loads(self._keys().verify(typ, token))
		if claims["sub"] != self.serial or claims["aud"] != "tv":
			raise jws.BadSignature
		key = jws.key_id(token)
		if key == self.memory.signed_by and claims["ver"] < self.memory.version:
			raise jws.BadSignature
		self.memory.version, self.memory.signed_by = claims["ver"], key
		return claims

	# Counting

	def _counted(self, audience: str) -> dict[str, str]:
		"""Epoch, number and nonce of the next question, in the order of the MAC."""
		number, nonce = self._next(audience)
		return {"e": self.memory.epoch, "c": number, "n": nonce}

	def _next(self, audience: str) -> tuple[str, str]:
		"""The next number at a node, and a nonce; in flash before they are used."""
		found = self.memory.count(audience)
		self._remember()
		return found

	def _settle(self, nonce: str, reply: Reply) -> Reply:
		"""Note whether the question with this nonce was counted: by that the TV is known when it proves itself."""
		counted = reply.status in (200, 204, 403) or "running" in reply.document
		self.memory.settle(self._audience, nonce, counted)
		return reply

	def _key(self) -> bytes:
		return jws.b64url_decode(self.memory.key)

	def _own_key(self) -> jws.Signer:
		if self._signer is None:
			self._signer = jws.Signer(self.memory.private_key.encode())
		return self._signer

	def _keys(self) -> jws.Verifier:
		if self._verifier is None:
			key_set = self.service.get(self.service.paths.jwks).document
			if self._root:
				key_set = root_key.trusted_keys(key_set, self._root, self.now)
			self._verifier = jws.Verifier(key_set)
		return self._verifier

	def _post(self, operation: str, document: dict[str, str]) -> Reply:
		return self.service.post(self.service.paths.of(operation), document)

	def _remember(self) -> None:
		if self._flash:
			remember(self.memory, self._flash)


def _wait(reply: Reply) -> float:
	"""Seconds that a node wants to be left alone: to the millisecond where it says so."""
	told = reply.document.get("retry_ms")
	if isinstance(told, int):
		return told / 1000
	after = next((value for name, value in reply.headers.items() if name.lower() == "retry-after"), "")
	return float(after) if after.isdigit() else 0.0


def _json(claims: dict[str, str]) -> bytes:
	return json.dumps(claims, separators=(",", ":")).encode()
