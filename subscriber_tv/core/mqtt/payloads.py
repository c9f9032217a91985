"""What is in a message: its shape, its limits, its bytes. Strictly read: whatever is not exactly this is BadPayload.

Nothing here grants a right. A hint says no more than "ask", a command is signed by the operator's key and named for
whom it is, and what TVs say is information.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta

from subscriber_tv.core.devices import jws
from subscriber_tv.core.mqtt.spread import LONGEST

MAX_PACKET = 8192
"""Bytes of a whole packet: what the broker is set to refuse beyond."""

MAX_HINT = 100
MAX_ACKNOWLEDGEMENT = 200
MAX_HEARTBEAT = 2048
MAX_TEXT = 280
"""Characters of a message on screen, in each language."""

LONGEST_LIFE = 86_400
"""Seconds: a command that waited longer than a day has lost its meaning."""

MESSAGE, RESCAN, UPDATE, IDENTIFY = "message", "rescan", "update", "identify"
COMMANDS = (MESSAGE, RESCAN, UPDATE, IDENTIFY)

ONLINE, OFFLINE = b"online", b"offline"
DONE, REFUSED = "done", "refused"

# What a heartbeat may tell: uptime, temperature, errors, signal, firmware, channel. Anything else is dropped.
MEASURES = ("up", "temp", "err", "rssi", "fw", "ch")

Number = Annotated[int, Meta(ge=0, le=2**53)]
Hash = Annotated[str, Meta(pattern=r"\A([A-Za-z0-9_-]{43})?\Z")]
Name = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9-]{1,40}\Z")]
Text = Annotated[str, Meta(max_length=MAX_TEXT)]
Measure = Annotated[str, Meta(max_length=32)]


class BadPayload(ValueError):
	"""Not a message of this kind."""


class Hint(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
	"""Your rights may have changed: ask, within `spread` seconds, unless you know version `v` already.

	:param eh: not your rights but a document of your offers changed, to the one with this hash: ask unless you have it
	"""

	v: Number
	spread: Annotated[int, Meta(ge=0, le=LONGEST)]
	eh: Hash = ""


class Texts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
	"""A message on screen in both languages."""

	fr: Text
	en: Text


class Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
	"""Claims of a command: who says it (`iss`), its name, to whose address, when until (epoch seconds), and what to do.

	:param to: kind and id of the address, such as `d/AB43H-026001`, `site/TVL-00001` or `g/AB43H`
	:param spread: seconds over which the TVs it is for do it
	:param firmware: the version to update to; empty: whatever is current
	"""

	iss: Annotated[str, Meta(max_length=140)]
	id: Name
	to: Annotated[str, Meta(max_length=80)]
	iat: Number
	exp: Number
	do: Literal["message", "rescan", "update", "identify"]
	spread: Annotated[int, Meta(ge=0, le=LONGEST)] = 0
	text: Texts | None = None
	firmware: Annotated[str, Meta(max_length=32)] = ""


class Acknowledgement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
	"""A TV did, or could not do, the command of this name."""

	id: Name
	s: Literal["done", "refused"]


Found = TypeVar("Found")


def hint(version: int, spread: int, document: str = "") -> bytes:
	"""The bytes of a hint, about rights or about an offer document with this hash. Errors: BadPayload when it breaks a limit."""
	return _written(Hint(version, spread, document), Hint, MAX_HINT)


def read_hint(payload: bytes) -> Hint:
	"""Errors: BadPayload."""
	return _read(payload, Hint, MAX_HINT)


def sign_command(command: Command, signer: jws.Signer) -> bytes:
	"""The token of a command, which is the message's payload. Errors: BadPayload when it breaks a limit."""
	if command.exp - command.iat > LONGEST_LIFE:
		raise BadPayload("a command lives a day at most")
	try:
		return signer.sign(jws.COMMAND, _written(command, Command, jws.MAX_TOKEN[jws.COMMAND])).encode()
	except ValueError as error:
		raise BadPayload(str(error)) from None


def read_command(payload: bytes, verifier: jws.Verifier) -> Command:
	"""The claims of a command that the operator signed. Errors: BadPayload, whatever is wrong with it."""
	try:
		claims = verifier.verify(jws.COMMAND, payload.decode("ascii"))
	except (UnicodeDecodeError, jws.BadSignature):
		raise BadPayload("not signed by the operator") from None
	return _read(claims, Command, jws.MAX_TOKEN[jws.COMMAND])


def acknowledgement(command: str, outcome: str) -> bytes:
	"""The bytes by which a TV says what became of a command. Errors: BadPayload."""
	return _written(Acknowledgement(command, outcome), Acknowledgement, MAX_ACKNOWLEDGEMENT)


def read_acknowledgement(payload: bytes) -> Acknowledgement:
	"""Errors: BadPayload."""
	return _read(payload, Acknowledgement, MAX_ACKNOWLEDGEMENT)


def read_state(payload: bytes) -> bool:
	"""Whether a TV says that it is there. Errors: BadPayload."""
	if payload not in (ONLINE, OFFLINE):
		raise BadPayload("neither online nor offline")
	return payload == ONLINE


def read_heartbeat(payload: bytes) -> dict[str, str]:
	"""What a TV measured, as text; what nobody asked for is dropped. Errors: BadPayload."""
	found = _read(payload, dict[str, Measure], MAX_HEARTBEAT)
	return {name: found[name] for name in MEASURES if name in found}


def _written(document: Found, kind: type[Found], most: int) -> bytes:
	"""Encoded, and read once as the receiver will, so that nothing leaves that nobody could read."""
	payload = msgspec.json.encode(document)
	_read(payload, kind, most)
	return payload


def _read(payload: bytes, kind: type[Found], most: int) -> Found:
	if len(payload) > most:
		raise BadPayload(f"{len(payload)} bytes are more than {most}")
	try:
		return msgspec.json.decode(payload, type=kind)
	except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
		raise BadPayload(str(error)) from None
