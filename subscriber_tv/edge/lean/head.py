"""The head of an HTTP/1.1 request (RFC 9112), taken in one form only; what is not that form is refused, never repaired.

Refused is above all what two servers in a row may read differently: a Transfer-Encoding, a length that is not one number
given once, a folded line, a space before a colon, a line that does not end with CR LF, a control character.
"""

from __future__ import annotations

import re

import msgspec

from subscriber_tv.core.devices import wire

END = b"\r\n\r\n"
_MOST_FIELDS = 100

_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}) (/[\x21-\x7e]*|\*) HTTP/(\d)\.(\d)")
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# What may stand in no line: controls but the tab, and the ends of lines that are not CR LF.
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_BARE = re.compile(rb"(?<!\r)\n|\r[^\n]")
_LENGTH = re.compile(rb"[0-9]{1,12}")

Headers = tuple[tuple[bytes, bytes], ...]


class BadHead(Exception):
	"""The request ends here, with this answer, and the connection with it."""

	def __init__(self, answer: wire.Answer):
		super().__init__(answer.status)
		self.answer = answer


class Head(msgspec.Struct, frozen=True, gc=False):
	"""What a head says. Names of headers are in small letters."""

	method: str
	target: str
	version: str
	headers: Headers
	length: int
	keeps_alive: bool
	expects: bool

	def one(self, name: bytes) -> bytes:
		"""The value of a header that is given once; b"" else."""
		values = [value for found, value in self.headers if found == name]
		return values[0] if len(values) == 1 else b""


_BAD = wire.INVALID_REQUEST.plus(("Connection", "close"))
_VERSION = wire.refusal(505, "version_not_supported", "Only HTTP/1.1 is spoken here.").plus(
	("Connection", "close")
)
_EXPECTATION = wire.refusal(417, "expectation_failed", "This is not done here.").plus(("Connection", "close"))


def parse(data: bytes) -> Head:
	"""What a whole head, its empty line included, says. Errors: BadHead."""
	first, *lines = data[: -len(END)].split(b"\r\n")
	if len(lines) > _MOST_FIELDS:
		raise BadHead(wire.HEADERS_TOO_LARGE)
	method, target, version = _request_line(first)
	headers = tuple(map(_field, lines))
	found = dict(headers)
	_check(headers, found, version)
	return Head(
		method,
		target,
		version,
		headers,
		_length(headers, found),
		_keeps_alive(headers, version),
		_expects(found),
	)


def check_begun(data: bytes) -> None:
	"""Refuse the begin of a head that can never become one: its lines end otherwise. Errors: BadHead."""
	if _BARE.search(data):
		raise BadHead(_BAD)


def _request_line(line: bytes) -> tuple[str, str, str]:
	found = _LINE.fullmatch(line)
	if not found:
		raise BadHead(_BAD)
	if found[3] != b"1" or found[4] not in (b"0", b"1"):
		raise BadHead(_VERSION)
	return found[1].decode(), found[2].decode(), f"1.{found[4].decode()}"


def _field(line: bytes) -> tuple[bytes, bytes]:
	name, colon, value = line.partition(b":")
	if not colon or not _NAME.fullmatch(name) or _CONTROL.search(value):
		raise BadHead(_BAD)
	return name.lower(), value.strip(b" \t")


def _check(headers: Headers, found: dict[bytes, bytes], version: str) -> None:
	names = [name for name, _ in headers]
	if b"transfer-encoding" in found or names.count(b"host") > 1:
		raise BadHead(_BAD)
	if version == "1.1" and b"host" not in found:
		raise BadHead(_BAD)


def _length(headers: Headers, found: dict[bytes, bytes]) -> int:
	length = found.get(b"content-length")
	if length is None:
		return 0
	if sum(name == b"content-length" for name, _ in headers) > 1 or not _LENGTH.fullmatch(length):
		raise BadHead(_BAD)
	if int(length) > wire.MAX_BODY:
		raise BadHead(wire.TOO_LARGE)
	return int(length)


def _keeps_alive(headers: Headers, version: str) -> bool:
	said = {
		option.strip().lower()
		for name, value in headers
		if name == b"connection"
		for option in value.split(b",")
	}
	return b"close" not in said and (version == "1.1" or b"keep-alive" in said)


def _expects(found: dict[bytes, bytes]) -> bool:
	expected = found.get(b"expect")
	if expected is not None and expected.lower() != b"100-continue":
		raise BadHead(_EXPECTATION)
	return expected is not None
