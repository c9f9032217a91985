"""The answers of protocol v1, whoever gives them: the desk or an edge. The one place that spells them.

Times are epoch seconds UTC. Answers to equal inputs are equal bytes; refusals that must not tell anything are constants.
The requests are in requests.py.
"""

from __future__ import annotations

import hashlib

import msgspec
from msgspec import UNSET, UnsetType

from subscriber_tv.core.devices.jws import b64url, b64url_decode

MAX_BODY = 4096
MAX_HEAD = 8192
# Seconds in which a whole request must have arrived.
REQUEST_SECONDS = 5
MAC_HEADER = "X-TV-MAC"


class Allowed(msgspec.Struct, frozen=True):
	"""The answer of a TV that may play: its signed lease, the hashes of its offer documents, and when to ask again."""

	decision: str
	lease: str
	documents: tuple[str, ...]
	time: int
	play_until: int
	ask_after: int
	n: str | UnsetType = UNSET
	hints: tuple[str, ...] | UnsetType = UNSET
	# Only in the answer to an assertion: the key of the days to come, and at the desk the place at the message broker.
	epoch: str | UnsetType = UNSET
	key: str | UnsetType = UNSET
	mqtt: dict[str, str] | UnsetType = UNSET


class Denied(msgspec.Struct, frozen=True):
	"""The answer of a known TV that may not play: a code, a text for the screen and the signed denial.

	What a node finds by itself (`binding_mismatch`) has no denial; the reply's MAC vouches for it.
	"""

	decision: str
	code: str
	text: dict[str, str]
	time: int
	ask_after: int
	denial: str | UnsetType = UNSET
	n: str | UnsetType = UNSET
	epoch: str | UnsetType = UNSET
	key: str | UnsetType = UNSET


class Conflict(msgspec.Struct, frozen=True):
	"""The answer of a genuine TV whose count does not fit: what it knew last, and a challenge to prove itself with."""

	error: str
	error_description: str
	n: str
	challenge: str
	base: str


class Answer(msgspec.Struct, frozen=True):
	"""What goes back over HTTP, whoever answers. `mac`, when there is one, is the header X-TV-MAC."""

	status: int
	body: bytes
	headers: tuple[tuple[str, str], ...] = (
		("Content-Type", "application/json"),
		("Cache-Control", "no-store"),
	)
	mac: str = ""

	def plus(self, *headers: tuple[str, str]) -> Answer:
		"""The same answer with more headers."""
		return Answer(self.status, self.body, self.headers + headers, self.mac)

	def under(self, mac: str) -> Answer:
		"""The same answer under this MAC."""
		return Answer(self.status, self.body, self.headers, mac)

	def all_headers(self) -> tuple[tuple[str, str], ...]:
		"""The headers as they go out."""
		return (*self.headers, (MAC_HEADER, self.mac)) if self.mac else self.headers


class InvalidRequest(Exception):
	"""The body is not the one form a request may have."""


def refusal(status: int, error: str, description: str) -> Answer:
	"""An error answer in the product's one shape."""
	return Answer(status, msgspec.json.encode({"error": error, "error_description": description}))


INVALID_REQUEST = refusal(400, "invalid_request", "The request is not valid.")
# Unknown serial, TV that is not bound, wrong MAC or proof: one answer, so that a serial proves nothing.
STRANGER = refusal(401, "invalid_device", "This TV is not known here. Start pairing.")
NOT_FOUND = refusal(404, "not_found", "There is nothing at this address.")
METHOD_NOT_ALLOWED = refusal(405, "method_not_allowed", "This address does not take this method.")
TIMEOUT = refusal(408, "request_timeout", "The request did not arrive in time.").plus(("Connection", "close"))
TOO_LARGE = refusal(413, "too_large", "The request is larger than 4096 bytes.").plus(("Connection", "close"))
WRONG_TYPE = refusal(415, "unsupported_media_type", "The request must be application/json.")
HEADERS_TOO_LARGE = refusal(431, "headers_too_large", "The headers are larger than 8192 bytes.").plus(
	("Connection", "close")
)
RATE_LIMITED = refusal(429, "rate_limited", "Too many requests. Ask again later.").plus(("Retry-After", "60"))
UNAVAILABLE = refusal(503, "unavailable", "The service cannot answer now. Ask again later.").plus(
	("Retry-After", "30")
)
HEARD = Answer(204, b"", (("Cache-Control", "no-store"),))

_CONFLICTS = {
	"replayed": "This request was made before. Count on, or prove yourself.",
	"resync_required": "The count is not the one known here. Prove yourself.",
}

DENIAL_TEXTS: dict[str, dict[str, str]] = {
	"suspended": {
		"fr": "Votre abonnement est suspendu. Contactez votre opérateur pour le rétablir.",
		"en": "Your subscription is suspended. Please contact your operator to restore it.",
	},
	"ended": {
		"fr": "Votre abonnement a pris fin. Contactez votre opérateur pour vous réabonner.",
		"en": "Your subscription has ended. Please contact your operator to subscribe again.",
	},
	"not_started": {
		"fr": "Votre abonnement n'a pas encore commencé.",
		"en": "Your subscription has not started yet.",
	},
	"quarantined": {
		"fr": "Ce téléviseur est bloqué par précaution. Contactez votre opérateur.",
		"en": "This TV is blocked as a precaution. Please contact your operator.",
	},
	"binding_mismatch": {
		"fr": "Ce téléviseur a été modifié depuis son association. Contactez votre opérateur.",
		"en": "This TV has changed since it was paired. Please contact your operator.",
	},
}


def check_content(content_type: str | None, content_encoding: str | None, length: int) -> Answer | None:
	"""The refusal that a request's headers already deserve, or None. Nothing is ever inflated."""
	if length > MAX_BODY:
		return TOO_LARGE
	media_type, _, parameter = (content_type or "").lower().partition(";")
	if media_type.strip() != "application/json" or parameter.strip() not in ("", "charset=utf-8"):
		return WRONG_TYPE
	return WRONG_TYPE if content_encoding and content_encoding.lower() != "identity" else None


def key_fingerprint(credential: str) -> str:
	"""What we keep of a credential: base64url of the SHA-256 of its 32 bytes. The same as `EnrolSecret.key`."""
	try:
		secret = b64url_decode(credential)
	except ValueError:
		# 43 characters whose last one carries stray bits spell no 32 bytes; same work, and it matches no key.
		secret = credential.encode()
	return b64url(hashlib.sha256(secret).digest())


def encode(document: msgspec.Struct) -> Answer:
	"""A 200 answer with this document."""
	return Answer(200, msgspec.json.encode(document))


def document_address(claims: bytes) -> str:
	"""The hash by which an offer document is asked for: of what it says, so signing it again changes nothing."""
	return b64url(hashlib.sha256(claims).digest())


def offer_document(token: str) -> Answer:
	"""The signed offer document of a hash, as it is: it can never change, so it may be kept for ever."""
	headers = (
		("Content-Type", "application/jwt"),
		("Cache-Control", "public, max-age=31536000, immutable"),
	)
	return Answer(200, token.encode("ascii"), headers)


def conflict(error: str, nonce: str, challenge: str, base: int) -> Answer:
	"""A 409 answer: `base` is the last number seen."""
	return Answer(409, msgspec.json.encode(Conflict(error, _CONFLICTS[error], nonce, challenge, str(base))))


def challenge(given: str) -> Answer:
	"""A challenge, on its way to a TV."""
	return Answer(200, msgspec.json.encode({"challenge": given}))


def hello(audience: str, now: int) -> Answer:
	"""Who answers here, and what time it is (epoch seconds UTC)."""
	return Answer(200, msgspec.json.encode({"aud": audience, "time": now}))


def slot(nonce: str, until: int) -> Answer:
	"""A stream may run until then (epoch seconds UTC), or has stopped."""
	return Answer(200, msgspec.json.encode({"until": until, "n": nonce}))


def not_entitled(nonce: str) -> Answer:
	"""The TV may not watch this channel now."""
	error = {
		"error": "not_entitled",
		"error_description": "This channel is not part of the offer.",
		"n": nonce,
	}
	return Answer(403, msgspec.json.encode(error))


def parental_locked(nonce: str, opens: bool) -> Answer:
	"""The channel is not for the young, and no right PIN was shown; `opens`: whether one would open it now."""
	error = {
		"error": "parental_locked",
		"error_description": "This channel is locked for young viewers.",
		"n": nonce,
		"pin": opens,
	}
	return Answer(403, msgspec.json.encode(error))


def stream_limit(nonce: str, running: list[str]) -> Answer:
	"""As many streams run as the account may have; these are they."""
	error = {
		"error": "stream_limit",
		"error_description": "As many streams run as the subscription allows.",
		"n": nonce,
		"running": running,
	}
	return Answer(409, msgspec.json.encode(error))


def encode_denied(denied: Denied) -> Answer:
	"""A 403 answer with this denial."""
	return Answer(403, msgspec.json.encode(denied))
