"""The requests of protocol v1, each taken in one form only.

A request is one flat JSON object of strings, at most 4 kB: an unknown key, a key given twice, an escape, a wrong type
or a value of another shape is `InvalidRequest`. Letters are those of docs/device-protocol.md: `d` serial, `e` epoch, `c`
counter, `n` nonce, `f` binding hash, `t` time, `m` MAC, `a` a token signed by the TV.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Annotated, Generic, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType, inspect

from subscriber_tv.core.devices import jws
from subscriber_tv.core.devices.wire import MAX_BODY, InvalidRequest

Serial = Annotated[str, Meta(pattern=r"\A[A-Z0-9-]{6,32}\Z")]
# 32 bytes, or the SHA-256 of some: 43 characters of base64url either way.
Hash = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{43}\Z")]
Nonce = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{22}\Z")]
Epoch = Annotated[str, Meta(pattern=r"\A[1-9][0-9]{0,8}\Z")]
Counter = Annotated[str, Meta(pattern=r"\A[1-9][0-9]{0,15}\Z")]
Moment = Annotated[str, Meta(pattern=r"\A[1-9][0-9]{0,10}\Z")]
Audience = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9._-]{1,40}\Z")]
Label = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9 ._+/()-]{1,64}\Z")]
Told = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9 ._:+/()%,-]{1,32}\Z")]
Stream = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{1,32}\Z")]
Proof = Annotated[
	str, Meta(pattern=r"\A[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{86}\Z", max_length=jws.MAX_PROOF)
]
# The nonces of the last questions at this node, newest first (core.activation.lineage).
Line = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{22}(\.[A-Za-z0-9_-]{22}){0,3}\Z")]
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
DESK = "desk"
# The key of a token; no value is followed by a colon.
_A_TOKEN = re.compile(rb'"a"\s*:')


class _Flat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
	"""A request: every field is a string."""


class Auth(_Flat):
	"""May I play? Authenticated by the MAC."""

	d: Serial
	e: Epoch
	c: Counter
	n: Nonce
	f: Hash
	m: Hash
	t: Moment | UnsetType = UNSET


class Heartbeat(_Flat):
	"""How a TV is: seconds since its start, degrees Celsius, errors counted, dBm, firmware, channel."""

	d: Serial
	e: Epoch
	c: Counter
	n: Nonce
	m: Hash
	up: Told | UnsetType = UNSET
	temp: Told | UnsetType = UNSET
	err: Told | UnsetType = UNSET
	rssi: Told | UnsetType = UNSET
	fw: Told | UnsetType = UNSET
	ch: Told | UnsetType = UNSET

	def told(self) -> dict[str, str]:
		"""The fields that say how it is."""
		pairs = ((name, getattr(self, name)) for name in ("up", "temp", "err", "rssi", "fw", "ch"))
		return {name: value for name, value in pairs if value is not UNSET}


class StreamSlot(_Flat):
	"""A stream of channel `ch` starts, goes on or stops; `sid` is the TV's own name of it, `pin` the proof of its PIN."""

	d: Serial
	e: Epoch
	c: Counter
	n: Nonce
	m: Hash
	o: Literal["start", "renew", "stop"]
	ch: Label
	sid: Stream
	pin: Hash | UnsetType = UNSET


class Challenge(_Flat):
	"""A TV is about to prove itself, to this node or (`aud`) to the desk through it."""

	d: Serial
	aud: Literal["desk"] | UnsetType = UNSET


class Signed(_Flat):
	"""A token that the TV signed; the request is in its claims."""

	a: Proof


class Claims(_Flat):
	"""What an assertion says: which node it is for, the count to go on from, and the node's challenge."""

	aud: Audience
	c: Counter
	chal: Hash
	d: Serial
	f: Hash
	n: Nonce
	l: Line | UnsetType = UNSET


class Secret(_Flat):
	"""The assertion of a TV without a key store: its secret instead of a signature."""

	d: Serial
	credential: Hash
	c: Counter
	chal: Hash
	f: Hash
	n: Nonce
	l: Line | UnsetType = UNSET


class Enrol(_Flat):
	"""What a TV asks a pairing code with: its public key is x and y."""

	aud: Literal["desk"]
	chal: Hash
	f: Hash
	firmware: Label
	model: Label
	serial: Serial
	x: Hash
	y: Hash


class EnrolSecret(_Flat):
	"""The same of a TV without a key store; `key` is the SHA-256 of its secret, which stays in the TV."""

	serial: Serial
	key: Hash
	f: Hash
	firmware: Label
	model: Label


class Token(_Flat):
	"""A TV asks whether its pairing code was entered."""

	grant_type: Literal["urn:ietf:params:oauth:grant-type:device_code"]
	device_code: Hash
	a: Proof


class TokenClaims(_Flat):
	"""What the token in `Token.a` says."""

	aud: Literal["desk"]
	device_code: Hash


class TokenSecret(_Flat):
	"""The same of a TV without a key store."""

	grant_type: Literal["urn:ietf:params:oauth:grant-type:device_code"]
	device_code: Hash
	credential: Hash


_Request = TypeVar("_Request", bound=_Flat)


class _Reader(Generic[_Request]):
	"""Reads one kind of request as its Meta patterns say: by one pattern over all values, which costs a third."""

	def __init__(self, kind: type[_Request]):
		fields = inspect.type_info(kind).fields
		self._names = tuple(field.name for field in fields)
		# The same kind without patterns: what it decodes is shown to nobody before the one pattern fits.
		loose = [
			(field.name, str) if field.required else (field.name, str | UnsetType, UNSET) for field in fields
		]
		self._decode = msgspec.json.Decoder(
			msgspec.defstruct(kind.__name__, loose, bases=(kind,), frozen=True, forbid_unknown_fields=True)
		).decode
		pattern = "\n".join(_pattern(field) for field in fields if field.required)
		pattern += "".join(f"(?:\n{_pattern(field)})?" for field in fields if not field.required)
		self._fits = re.compile(pattern).fullmatch

	def read(self, body: bytes) -> _Request:
		"""The request in `body`. Errors: InvalidRequest."""
		request = _decoded(self._decode, body)
		values = [value for name in self._names if (value := getattr(request, name)) is not UNSET]
		lines = "\n".join(values)
		# No value holds the line's end that parts them, so each stands before its own part of the pattern.
		if (
			body.count(b'"') != 4 * len(values)
			or lines.count("\n") != len(values) - 1
			or not self._fits(lines)
		):
			raise InvalidRequest
		return request


def _pattern(field: inspect.Field) -> str:
	kind = field.type
	if isinstance(kind, inspect.LiteralType):
		return f"(?:{'|'.join(map(re.escape, kind.values))})"
	return f"(?:{kind.pattern.removeprefix(_BEGIN).removesuffix(_END)})"


_BEGIN, _END = r"\A", r"\Z"
_auth = _Reader(Auth)
_heartbeat = _Reader(Heartbeat)
_stream = _Reader(StreamSlot)
_challenge = msgspec.json.Decoder(Challenge)
_signed = msgspec.json.Decoder(Signed)
_claims = msgspec.json.Decoder(Claims)
_secret = msgspec.json.Decoder(Secret)
_enrol = msgspec.json.Decoder(Enrol)
_enrol_secret = msgspec.json.Decoder(EnrolSecret)
_token = msgspec.json.Decoder(Token)
_token_claims = msgspec.json.Decoder(TokenClaims)
_token_secret = msgspec.json.Decoder(TokenSecret)


def auth(body: bytes) -> Auth:
	"""The power-on in `body`. Errors, here and below: InvalidRequest."""
	return _auth.read(body)


def heartbeat(body: bytes) -> Heartbeat:
	"""The heartbeat in `body`."""
	return _heartbeat.read(body)


def stream(body: bytes) -> StreamSlot:
	"""The stream request in `body`."""
	return _stream.read(body)


def challenge(body: bytes) -> Challenge:
	"""The wish for a challenge in `body`."""
	return _read(_challenge, body)


def assertion(body: bytes) -> tuple[Claims, str] | Secret:
	"""The assertion in `body`: its claims with the token that nobody has verified yet, or one with a secret."""
	if not _is_signed(body):
		return _read(_secret, body)
	token = _read(_signed, body).a
	return _read(_claims, jws.unverified_claims(token)), token


def enrol(body: bytes) -> tuple[Enrol, str] | EnrolSecret:
	"""The enrolment in `body`, likewise."""
	if not _is_signed(body):
		return _read(_enrol_secret, body)
	token = _read(_signed, body).a
	return _read(_enrol, jws.unverified_claims(token)), token


def token(body: bytes) -> tuple[TokenClaims, Token] | TokenSecret:
	"""The question for a token in `body`, likewise."""
	try:
		return _read(_token_secret, body)
	except InvalidRequest:
		request = _read(_token, body)
		return _read(_token_claims, jws.unverified_claims(request.a)), request


def serial_in(body: bytes) -> str:
	"""The serial that a request which was answered names; "" when it names none."""
	for read in (auth, heartbeat, stream, assertion, enrol):
		try:
			found = read(body)
		except InvalidRequest:
			continue
		request = found[0] if isinstance(found, tuple) else found
		return getattr(request, "d", "") or getattr(request, "serial", "")
	return ""


def _is_signed(body: bytes) -> bool:
	return bool(_A_TOKEN.search(body))


def _given(request: msgspec.Struct) -> Iterator[str]:
	return (field for field in request.__struct_fields__ if getattr(request, field) is not UNSET)


def _read(decoder: msgspec.json.Decoder[_Request], body: bytes) -> _Request:
	request = _decoded(decoder.decode, body)
	if body.count(b'"') != 4 * sum(1 for _ in _given(request)):
		raise InvalidRequest
	return request


def _decoded(decode: Callable[[bytes], _Request], body: bytes) -> _Request:
	# Every valid value is plain ASCII without quote or backslash. With escapes refused, each string shows exactly two
	# quotes, so counting them proves that no key stands there twice (the decoder would take the last one).
	if len(body) > MAX_BODY or b"\\" in body:
		raise InvalidRequest
	try:
		return decode(body)
	except (msgspec.MsgspecError, ValueError, RecursionError):
		raise InvalidRequest from None
