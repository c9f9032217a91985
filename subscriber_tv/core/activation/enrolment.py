"""Pairing as RFC 8628 has it: a TV asks for a code, staff enter it, and the TV fetches what it needs from then on.

The device code is bound to the key that asked for it: only who holds that key gets anything for it. Whether a
serial may pair at all is the stock's word, which the flows ask.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import msgspec

from subscriber_tv.core.devices import challenge, jws, mac, requests, wire

# Seconds between two questions for a token, and how many more after each that comes too soon (RFC 8628, 3.5).
INTERVAL = 5
SLOW_DOWN = 5

PENDING = "authorization_pending"
TOO_FAST = "slow_down"
DENIED = "access_denied"
EXPIRED = "expired_token"
_SAID = {
	PENDING: "The code has not been entered yet.",
	TOO_FAST: "Ask less often: five seconds more between questions.",
	DENIED: "Pairing was refused.",
	EXPIRED: "The code is too old, or none. Ask for a new one.",
}
ERRORS = {error: wire.refusal(400, error, text) for error, text in _SAID.items()}
# A TV that shows its code asks until somebody enters it: these answers are no failure of its address.
WAITING = frozenset({ERRORS[PENDING].body, ERRORS[TOO_FAST].body})


class Unproven(Exception):
	"""The TV did not show that it holds the key it names, or not just now."""


@dataclass(frozen=True)
class Enrolment:
	"""A TV that asks for a code, and holds the key it names. `key` is "" for one without a key store."""

	serial: str
	thumbprint: str
	key: str
	parts: str
	model: str
	firmware: str


@dataclass(frozen=True)
class Poll:
	"""A question for a token; what proves it can be checked once the TV of its code is known."""

	device_code: str
	token: str = ""
	secret: str = ""

	@property
	def code_hash(self) -> str:
		"""What we keep of the device code."""
		return hash_of(self.device_code)

	def is_by(self, thumbprint: str, key: str) -> bool:
		"""Whether the TV that holds this key asks."""
		if self.secret:
			return not key and mac.same(thumbprint or mac.NOBODY, wire.key_fingerprint(self.secret))
		return jws.check_proof(jws.TOKEN, thumbprint or mac.NOBODY, key, self.token)


@dataclass(frozen=True)
class Pace:
	"""How a TV polls: when it asked last (epoch seconds, 0 never) and how many seconds it must leave."""

	asked: int = 0
	interval: int = INTERVAL


class Enrolled(msgspec.Struct, frozen=True):
	"""The answer to an enrolment (RFC 8628, 3.2)."""

	device_code: str
	user_code: str
	verification_uri: str
	verification_uri_complete: str
	expires_in: int
	interval: int


class Granted(msgspec.Struct, frozen=True):
	"""What a paired TV is given: its name, its key in this epoch, and the nodes it may ask."""

	device: str
	epoch: str
	key: str
	audiences: tuple[dict[str, str], ...]
	mqtt: dict[str, str] | msgspec.UnsetType = msgspec.UNSET


def read_enrolment(body: bytes, masters: mac.Masters, now: int) -> Enrolment:
	"""Who asks for a code. Errors: wire.InvalidRequest, Unproven."""
	found = requests.enrol(body)
	if isinstance(found, requests.EnrolSecret):
		return Enrolment(found.serial, found.key, "", found.f, found.model, found.firmware)
	claims, token = found
	try:
		key = jws.point_of(claims.x, claims.y)
	except ValueError:
		raise wire.InvalidRequest from None
	thumbprint = jws.thumbprint(claims.x, claims.y)
	if not jws.check_proof(jws.ENROLMENT, thumbprint, key, token):
		raise Unproven
	if not challenge.is_fresh(masters, requests.DESK, claims.serial, claims.chal, now):
		raise Unproven
	return Enrolment(claims.serial, thumbprint, key, claims.f, claims.model, claims.firmware)


def read_poll(body: bytes) -> Poll:
	"""The question for a token in `body`. Errors: wire.InvalidRequest."""
	found = requests.token(body)
	if isinstance(found, requests.TokenSecret):
		return Poll(found.device_code, secret=found.credential)
	claims, request = found
	if claims.device_code != request.device_code:
		raise wire.InvalidRequest
	return Poll(request.device_code, token=request.a)


def pace(before: Pace, now: int) -> tuple[Pace, bool]:
	"""The pace after a question at `now`, and whether it came too soon: then five more seconds are due from here on."""
	if before.asked and now - before.asked < before.interval:
		return Pace(now, before.interval + SLOW_DOWN), True
	return Pace(now, before.interval), False


def enrolled(*, device_code: str, user_code: str, uri: str, expires_in: int) -> wire.Answer:
	"""The answer with a code. The complete address brings the code along, for a QR code."""
	complete = f"{uri}{'&' if '?' in uri else '?'}code={user_code}"
	return wire.encode(Enrolled(device_code, user_code, uri, complete, expires_in, INTERVAL))


def granted(
	masters: mac.Masters,
	serial: str,
	thumbprint: str,
	audiences: tuple[dict[str, str], ...],
	mqtt: dict[str, str] | None = None,
) -> wire.Answer:
	"""The answer to a TV whose code was entered. :param mqtt: its place at the message broker, where there is one"""
	key = mac.b64_mac(masters.newest(serial, thumbprint))
	return wire.encode(Granted(serial, str(masters.current), key, audiences, mqtt or msgspec.UNSET))


def hash_of(device_code: str) -> str:
	"""The hash under which a device code is kept."""
	return jws.b64url(hashlib.sha256(device_code.encode("ascii")).digest())
