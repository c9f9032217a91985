"""What becomes of a record whose key is known already.

kept      comes                              then
any       the same, same version             known: nothing happens
held      the same, same version             judged anew: the limit may have been raised
rejected  anything                           judged anew, it never counted
counts    a higher version                   replaces what was kept, or cancels it
counts    the same version, cancelled        cancels it
counts    a lower version                    superseded: kept beside, does not count
counts    the same version, other content    conflict: kept beside, for a person to decide
cancelled the same version, not cancelled    superseded: the cancellation came first, or the batch came again
"""

from dataclasses import dataclass

from subscriber_tv.core.usage.record import Record

#: States of a kept record. Those of COUNTED are billed, but no run charges what is too old: such a record is held.
RECEIVED = "Received"
ACCEPTED = "Accepted"
BILLED = "Billed"
HELD = "Held"
REJECTED = "Rejected"
CONFLICT = "Conflict"
CANCELLED = "Cancelled"
REPLACED = "Replaced"
DISMISSED = "Dismissed"
STATES = (RECEIVED, ACCEPTED, BILLED, HELD, REJECTED, CONFLICT, CANCELLED, REPLACED, DISMISSED)
COUNTED = (ACCEPTED, BILLED, HELD)
#: States that wait for somebody.
OPEN = (RECEIVED, HELD, REJECTED, CONFLICT)

#: Decisions.
KNOWN = "known"
RETRY = "retry"
REPLACE = "replace"
CANCEL = "cancel"
SUPERSEDED = "superseded"
CONTRADICTS = "conflict"


@dataclass(frozen=True)
class Kept:
	"""The record that stands for a key."""

	state: str
	version: int
	fingerprint: str


def decide(kept: Kept, record: Record) -> str:
	"""One of the decisions above."""
	if kept.state in (REJECTED, RECEIVED, DISMISSED):
		return _of_uncounted(kept, record)
	if record.version > kept.version:
		return CANCEL if record.cancelled else REPLACE
	if record.version < kept.version:
		return SUPERSEDED
	if kept.state == CANCELLED:
		return KNOWN if record.cancelled else SUPERSEDED
	if record.cancelled:
		return CANCEL
	if record.fingerprint != kept.fingerprint:
		return CONTRADICTS
	return RETRY if kept.state == HELD else KNOWN


def _of_uncounted(kept: Kept, record: Record) -> str:
	"""What never counted contradicts nothing. What a person dismissed stays so until the source says something new."""
	if record.version < kept.version:
		return SUPERSEDED
	if record.cancelled:
		return CANCEL
	same = record.version == kept.version and record.fingerprint == kept.fingerprint
	return KNOWN if same and kept.state == DISMISSED else RETRY
