"""The bytes of an HTTP/1.1 reply."""

from __future__ import annotations

import time
from collections.abc import Iterable
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

from subscriber_tv.core.devices import wire

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}


def of_answer(answer: wire.Answer, closes: bool) -> bytes:
	"""The reply that carries an answer to anything but HEAD."""
	mac = f"x-tv-mac: {answer.mac}\r\n".encode() if answer.mac else b""
	# A 204 has no body, and so no length.
	length = b"" if answer.status == 204 else b"content-length: %d\r\n" % len(answer.body)
	begin = _begin(answer.status, answer.headers, closes)
	return b"%b%b%b%b\r\n%b" % (begin, mac, _date(int(time.time())), length, answer.body)


def of_message(
	status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes, *, closes: bool, is_head: bool
) -> bytes:
	"""The reply that an ASGI application gave; it tells its length itself."""
	lines = [b"%b: %b\r\n" % pair for pair in headers]
	if closes and not says_close(headers):
		lines.append(b"connection: close\r\n")
	return b"%b%b%b\r\n%b" % (
		_status_line(status),
		b"".join(lines),
		_date(int(time.time())),
		b"" if is_head else body,
	)


def says_close(headers: Iterable[tuple[bytes, bytes]]) -> bool:
	"""Whether a reply with these headers is the last one of its connection."""
	return any(name == b"connection" and value.lower() == b"close" for name, value in headers)


@lru_cache(maxsize=256)
def closes_after(headers: tuple[tuple[str, str], ...]) -> bool:
	"""The same of an answer."""
	return any(name.lower() == "connection" and value.lower() == "close" for name, value in headers)


@lru_cache(maxsize=256)
def _begin(status: int, headers: tuple[tuple[str, str], ...], closes: bool) -> bytes:
	lines = "".join(f"{name.lower()}: {value}\r\n" for name, value in headers).encode("latin-1")
	if closes and not closes_after(headers):
		lines += b"connection: close\r\n"
	return _status_line(status) + lines


def _status_line(status: int) -> bytes:
	return b"HTTP/1.1 %d %b\r\n" % (status, _REASONS.get(status, b""))


@lru_cache(maxsize=2)
def _date(now: int) -> bytes:
	return f"date: {formatdate(now, usegmt=True)}\r\n".encode()
