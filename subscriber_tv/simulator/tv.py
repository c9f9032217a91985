"""One television: its serial, its secret, what it remembers, and the rules by which it plays or does not.

It believes only what is signed: a lease opens, a denial closes, and neither counts when it is for another TV or older
than what the TV already knew. Without an answer it plays on until the last answer's `play_until`.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from subscriber_tv.core.devices import jws, wire
from subscriber_tv.simulator.http import NoAnswer, Reply, Service

PLAYING = "playing"
BARKER = "barker"
PAIRING = "pairing"
RETRY = "retry"
FAKE = "fake"


@dataclass
class Memory:
	"""What a TV keeps in flash. Times are epoch seconds UTC by the server's clock."""

	credential: str = ""
	lease: str = ""
	# The highest version of rights seen, and the key that signed it: an operator with a new key counts anew.
	version: int = 0
	key: str = ""
	play_until: int = 0
	ask_after: int = 0


@dataclass(frozen=True)
class Screen:
	"""What the viewer gets after a power-on. `code` is the denial's, or the error's."""

	kind: str
	code: str = ""
	text: str = ""
	status: int = 0
	documents: tuple[str, ...] = ()


class Tv:
	"""A TV. `flash` is the file that survives a power cut; without one it forgets."""

	def __init__(
		self,
		serial: str,
		service: Service,
		credential: str = "",
		flash: Path | None = None,
		verifier: jws.Verifier | None = None,
		language: str = "fr",
	):
		self.serial = serial
		self.service = service
		self.language = language
		self._flash = flash
		self._verifier = verifier
		self.memory = _recall(flash)
		if credential or not self.memory.credential:
			self.memory.credential = credential or jws.b64url(secrets.token_bytes(32))
			self._remember()

	def power_on(self) -> Screen:
		"""Ask whether to play, and obey."""
		nonce = secrets.token_urlsafe(12)
		request = {"serial": self.serial, "credential": self.memory.credential, "n": nonce}
		try:
			reply = self.service.post(self.service.paths.power_on, request)
		except NoAnswer as error:
			return Screen(PLAYING if self.memory.play_until else RETRY, "no_answer", str(error))
		return self._obey(reply, nonce)

	def enrol(self, model: str = "", firmware: str = "") -> Reply:
		"""Ask for a pairing code; only the credential's hash leaves the TV."""
		request = {"serial": self.serial, "key": wire.key_fingerprint(self.memory.credential)}
		if model:
			request["model"] = model
		if firmware:
			request["firmware"] = firmware
		return self.service.post(self.service.paths.enrol, request)

	def channels(self, document_hash: str) -> list[dict[str, Any]]:
		"""The bouquets of an offer document, verified against its hash and signature."""
		reply = self.service.get(self.service.paths.offer + document_hash)
		claims = self._keys().verify(jws.OFFER, reply.text)
		if wire.document_address(claims) != document_hash:
			raise jws.BadSignature
		return json.loads(claims)["bouquets"]

	def _obey(self, reply: Reply, nonce: str) -> Screen:
		if reply.status in (200, 403):
			try:
				return self._allowed(reply, nonce) if reply.status == 200 else self._denied(reply, nonce)
			except (jws.BadSignature, KeyError, TypeError, ValueError):
				return Screen(FAKE, "bad_signature", status=reply.status)
		error = str(reply.document.get("error", ""))
		if reply.status == 401:
			return Screen(PAIRING, error, status=401)
		return Screen(RETRY, error or str(reply.status), status=reply.status)

	def _allowed(self, reply: Reply, nonce: str) -> Screen:
		answer = reply.document
		claims = self._genuine(jws.LEASE, answer["lease"], answer, nonce)
		if not claims["iat"] - 300 <= answer["time"] < claims["exp"] or answer["play_until"] > claims["exp"]:
			raise jws.BadSignature
		self.memory.lease = answer["lease"]
		self.memory.play_until = answer["play_until"]
		self.memory.ask_after = answer["ask_after"]
		self._remember()
		return Screen(PLAYING, status=200, documents=tuple(answer["documents"]))

	def _denied(self, reply: Reply, nonce: str) -> Screen:
		answer = reply.document
		claims = self._genuine(jws.DENIAL, answer["denial"], answer, nonce)
		self.memory.lease = ""
		self.memory.play_until = 0
		self.memory.ask_after = answer["ask_after"]
		self._remember()
		# The text comes from the signed part, not from beside it.
		return Screen(BARKER, claims["code"], claims["text"][self.language], status=403)

	def _genuine(self, typ: str, token: str, answer: dict[str, Any], nonce: str) -> dict[str, Any]:
		claims = json.loads(self._keys().verify(typ, token))
		if claims["sub"] != self.serial or claims["aud"] != "tv" or answer.get("n") != nonce:
			raise jws.BadSignature
		key = jws.key_id(token)
		if key == self.memory.key and claims["ver"] < self.memory.version:
			raise jws.BadSignature
		self.memory.version, self.memory.key = claims["ver"], key
		return claims

	def _keys(self) -> jws.Verifier:
		if self._verifier is None:
			self._verifier = jws.Verifier(self.service.get(self.service.paths.jwks).document)
		return self._verifier

	def _remember(self) -> None:
		if self._flash:
			fresh = self._flash.with_suffix(".new")
			with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
				json.dump(asdict(self.memory), file)
			fresh.replace(self._flash)


def _recall(flash: Path | None) -> Memory:
	if flash and flash.exists():
		return Memory(**json.loads(flash.read_text()))
	return Memory()
