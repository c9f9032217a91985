"""What the operator signs for a TV, spelled in one way: the claims of leases and denials."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType


class Confirmation(msgspec.Struct, frozen=True):
	"""Whose a lease is (RFC 7800): the thumbprint of the TV's key, or the hash of its secret."""

	jkt: str


class Lease(msgspec.Struct, frozen=True):
	"""The claims of a lease. Times are epoch seconds UTC; `ver` never falls for a TV and a key of the operator.

	`lim`: how many streams its subscription may run at once, when that is limited. `bind`: what the TV must say of its
	parts, where these are bound. `mqtt`: 1 where the operator has a message broker; a TV that was told no place there asks the desk.
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


class Denial(msgspec.Struct, frozen=True):
	"""The claims of a denial: a code, and the text for the screen by language."""

	iss: str
	sub: str
	aud: str
	iat: int
	ver: int
	code: str
	text: dict[str, str]
