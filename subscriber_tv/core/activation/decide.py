"""May this TV, which has proven itself, play now? The one decision, taken alike in the desk and on every edge."""

from __future__ import annotations

import zlib

import msgspec

from subscriber_tv.core.devices.jws import unverified_claims

ALLOW = "allow"
DENY = "deny"
STRANGER = "stranger"
UNAVAILABLE = "unavailable"
# A genuine TV whose count does not fit: not an answer to its question.
CONFLICT = "conflict"
BINDING_MISMATCH = "binding_mismatch"

# Seconds after which a refused TV asks again by itself; a power-on or a key press asks at once.
ASK_AGAIN = {
	"suspended": 300,
	"not_started": 300,
	"ended": 3600,
	"quarantined": 300,
	BINDING_MISMATCH: 3600,
}


class Row(msgspec.Struct, frozen=True):
	"""What the projection says about one TV. Times are epoch seconds UTC.

	Rights are open in [rights_from, rights_until); rights_from 0 means never, rights_until 0 means open-ended.
	`denial` is the signed text for the time outside. `state` is for the reader and decides nothing.
	"""

	serial: str
	key_hash: str
	state: str
	rights_from: int
	rights_until: int
	lease: str
	lease_expires: int
	denial: str
	offers: tuple[str, ...]
	play_seconds: int
	version: int
	# The TV's public key (see jws.point_of), "" for one without a key store; `key_hash` is its thumbprint.
	key: str = ""
	# What the TV said of its parts when it was paired; "" when that binds nothing.
	fp: str = ""
	# Whose streams are counted together, and how many may run at once; 0 is no limit.
	account: str = ""
	streams: int = 0
	# From which age on channels are locked (0: none are), and the verifier of the PIN that opens them ("": none does).
	lock: int = 0
	pin: str = ""


class Decision(msgspec.Struct, frozen=True):
	"""The outcome. `code` is the denial's code, or for a stranger the reason that only our own records see."""

	kind: str
	code: str = ""
	row: Row | None = None
	play_until: int = 0
	ask_after: int = 0


def judge(row: Row, now: int) -> Decision:
	"""Decide for the TV whose projection row this is, at `now` (epoch seconds UTC)."""
	return _allowed(row, now) if _is_open(row, now) else _denied(row, now)


def mismatch(row: Row, now: int) -> Decision:
	"""The refusal of a TV whose parts are not those it was paired with."""
	return Decision(DENY, BINDING_MISMATCH, row, ask_after=now + ASK_AGAIN[BINDING_MISMATCH])


def _is_open(row: Row, now: int) -> bool:
	return 0 < row.rights_from <= now and (not row.rights_until or now < row.rights_until)


def _allowed(row: Row, now: int) -> Decision:
	if not row.lease or row.lease_expires <= now:
		# The rights are open but nothing was signed for so long that even the lease ran out: a fault, not a refusal.
		return Decision(UNAVAILABLE, "lease_expired", row)
	play_until = min(now + row.play_seconds, row.lease_expires, row.rights_until or row.lease_expires)
	return Decision(ALLOW, "", row, play_until, _renewal(row.serial, now, play_until))


def _renewal(serial: str, now: int, play_until: int) -> int:
	"""A moment between 50 % and 80 % of the play time, spread over the TVs so that they never ask together."""
	share = 50 + zlib.crc32(f"{serial}:{now}".encode()) % 31
	return now + max(1, (play_until - now) * share // 100)


def _denied(row: Row, now: int) -> Decision:
	code = denial_code(row.denial)
	if code not in ASK_AGAIN:
		return Decision(UNAVAILABLE, "denial_missing", row)
	return Decision(DENY, code, row, ask_after=now + ASK_AGAIN[code])


def denial_code(denial: str) -> str:
	"""The code that a stored denial carries, so that what we say and what was signed can never differ; "" for none."""
	try:
		return str(msgspec.json.decode(unverified_claims(denial))["code"])
	except (msgspec.MsgspecError, ValueError, KeyError, TypeError):
		return ""
