"""The words of an order: its bytes, the signature of a request, what a status means, and the lines of files and pages.

Equal orders are equal bytes, so a repeated order is byte for byte the first one.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable

import msgspec

from subscriber_tv.core.provisioning.orders import OK, REFUSED, RETRY, REVOKE, Outcome

FORMAT = "tv-provisioning-1"

LONGEST_TEXT = 300

_TRY_LATER = frozenset({408, 425, 429})
_NO_ACCESS = frozenset({401, 403, 407})
_UNKNOWN = frozenset({404, 410})


class Message(msgspec.Struct, frozen=True):
	"""One order as a platform reads it: subject `subject` of this kind shall have exactly these entitlements.

	`order` is the idempotency key. `sequence` rises with every order of the subject; one that is not above the last carried
	out is to be left alone.
	"""

	order: str
	kind: str
	subject: str
	sequence: int
	action: str
	entitlements: tuple[str, ...]
	format: str = FORMAT


class Holding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
	"""What a platform holds about one subject; `sequence` is that of the last order it carried out, 0 if it keeps none."""

	subject: str
	entitlements: tuple[str, ...] = ()
	sequence: int = 0


class Page(msgspec.Struct, frozen=True):
	"""A page of holdings; `next` is where to go on, empty on the last one."""

	holdings: tuple[Holding, ...]
	next: str | None = None


class Acknowledged(msgspec.Struct, frozen=True):
	"""A line of an acknowledgement file."""

	order: str
	result: str
	text: str = ""


class _End(msgspec.Struct, frozen=True):
	"""Last line of a file: how many lines stand before it. A file without it is not complete."""

	end: int


class BadAnswer(ValueError):
	"""A page or file that is not what docs/provisioning.md says."""


def encode(message: Message) -> bytes:
	"""The bytes of an order."""
	return msgspec.json.encode(message)


def sign(secret: bytes, method: str, target: str, at: int, body: bytes) -> str:
	"""Value of `X-TV-Signature`: base64url HMAC-SHA256 over format, method, path with query, epoch seconds and body."""
	text = "\n".join((FORMAT, method, target, str(at), "")).encode()
	digest = hmac.new(secret, text + body, hashlib.sha256).digest()
	return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def judge(status: int, action: str, text: str = "", retry_after: int = 0) -> Outcome:
	"""What an HTTP status says about an order.

	2xx and 409 (its key was carried out before) are done, and so is revoking what the platform does not know. 4xx refuse the order,
	but 401, 403, 407 and 3xx refuse *us*, and 408, 425, 429 say when to come back. 5xx leaves open whether it was
	carried out.
	"""
	said = f"HTTP {status}" + (f": {text[:LONGEST_TEXT]}" if text else "")
	if 200 <= status < 300 or status == 409 or (status in _UNKNOWN and action == REVOKE):
		return Outcome(OK, "" if status < 300 else said)
	if status in _TRY_LATER:
		return Outcome(RETRY, said, platform=True, retry_after=retry_after, arrived=status == 408)
	if status in _NO_ACCESS or 300 <= status < 400:
		return Outcome(RETRY, said, platform=True)
	if 400 <= status < 500:
		return Outcome(REFUSED, said)
	return Outcome(RETRY, said, arrived=True, platform=True, retry_after=retry_after)


def read_page(body: bytes) -> Page:
	"""A page of holdings. Errors: BadAnswer."""
	try:
		return msgspec.json.decode(body, type=Page)
	except msgspec.MsgspecError as error:
		raise BadAnswer(f"holdings: {error}") from None


def file_of(messages: Iterable[Message]) -> bytes:
	"""The bytes of a file of orders: one a line, then how many there are."""
	lines = [encode(message) for message in messages]
	return b"\n".join((*lines, msgspec.json.encode(_End(len(lines))), b""))


def read_acknowledgements(body: bytes) -> dict[str, Outcome] | None:
	"""Outcome by order key; None while the file is not complete. Errors: BadAnswer for a line that cannot be read."""
	found = _lines(body, Acknowledged)
	if found is None:
		return None
	return {one.order: _acknowledged(one) for one in found}


def read_holdings(body: bytes) -> tuple[Holding, ...] | None:
	"""Holdings of a file; None while it is not complete. Errors: BadAnswer."""
	found = _lines(body, Holding)
	return None if found is None else tuple(found)


def _acknowledged(line: Acknowledged) -> Outcome:
	text = line.text[:LONGEST_TEXT]
	if line.result in ("done", "duplicate"):
		return Outcome(OK, text)
	if line.result == "refused":
		return Outcome(REFUSED, text)
	if line.result == "retry":
		return Outcome(RETRY, text)
	raise BadAnswer(f"result {line.result!r} is not one of done, duplicate, refused, retry")


def _lines(body: bytes, kind: type) -> list | None:
	lines = body.split(b"\n")
	if lines[-1] != b"":
		return None  # the last line is still being written
	lines = [line for line in lines if line.strip()]
	try:
		end = msgspec.json.decode(lines[-1], type=_End).end if lines else None
	except msgspec.MsgspecError:
		return None
	if end is None:
		return None
	if end != len(lines) - 1:
		raise BadAnswer(f"the last line promises {end} lines, there are {len(lines) - 1}")
	try:
		return [msgspec.json.decode(line, type=kind) for line in lines[:-1]]
	except msgspec.MsgspecError as error:
		raise BadAnswer(str(error)) from None
