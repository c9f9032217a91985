"""What the operator signs for a TV, spelled in one way: the claims of leases and denials."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import UNSET, UnsetType

from subscriber_tv.core.devices import jws


class Confirmation(msgspec.Struct, frozen=True):
	"""Whose a lease is (RFC 7800): the thumbprint of the TV's key, or the hash of its secret."""

	jkt: str


class Lease(msgspec.Struct, frozen=True):
	"""The claims of a lease. Times are epoch seconds UTC; `ver` never falls for a TV and a key of the operator.

	`lim`: how many streams its subscription may run at once, when that is limited. `bind`: what the TV must say of its
	parts, where these are bound. `mqtt`: 1 where the operator has a message broker; a TV that was told no place there asks the desk.
	`lock`: from which age on its channels are locked, where they are.
	"""

	iss: str
	sub: str
	aud: str
	iat: int
	exp: int
	ver: int
	cnf: Confirmation
	offers: tuple[str, ...]
	lim: int | UnsetType = UNSET
	bind: str | UnsetType = UNSET
	mqtt: int | UnsetType = UNSET
	lock: int | UnsetType = UNSET


class Denial(msgspec.Struct, frozen=True):
	"""The claims of a denial: a code, and the text for the screen by language."""

	iss: str
	sub: str
	aud: str
	iat: int
	ver: int
	code: str
	text: dict[str, str]


def channel_ages(tokens: Iterable[str]) -> dict[str, int]:
	"""The channels of signed offer documents that we keep ourselves, and for which age on each is; 0 is for everybody."""
	claims = (msgspec.json.decode(jws.unverified_claims(token)) for token in tokens)
	return {
		channel["code"]: channel.get("age", 0)
		for document in claims
		for bouquet in document["bouquets"]
		for channel in bouquet["channels"]
	}
