"""Each TV counts its requests at each node; a number is worth one answer.

A captured request is worth nothing afterwards, a reply that got lost can be asked for again, and a TV that was copied
gives itself away: two sets cannot keep one count. Whoever keeps the numbers does so in one atomic step.
"""

from __future__ import annotations

import msgspec

# The furthest that a count may run ahead by itself: a TV that asks each minute needs two years for it.
JUMP = 1_000_000

ACCEPTED = "accepted"
REPEATED = "repeated"
REPLAYED = "replayed"
RESYNC = "resync_required"
TAKEN = frozenset({ACCEPTED, REPEATED})


class Verdict(msgspec.Struct, frozen=True):
	"""What becomes of a number. `base` is the last one seen before it: a TV that lost count goes on above it."""

	kind: str
	base: int = 0

	@property
	def taken(self) -> bool:
		"""Whether the request may be answered."""
		return self.kind in TAKEN


class Seen(msgspec.Struct, frozen=True):
	"""The last number that a TV used at a node, with its nonce; 0 when it never asked."""

	counter: int = 0
	nonce: str = ""


def judge(seen: Seen, counter: int, nonce: str, *, proven: bool = False) -> Verdict:
	"""What becomes of `counter`. `proven`: shown with the TV's own key and a fresh challenge, so it may run ahead at will."""
	if counter == seen.counter and nonce == seen.nonce:
		return Verdict(REPEATED, seen.counter)
	if counter <= seen.counter:
		return Verdict(REPLAYED, seen.counter)
	if counter > seen.counter + JUMP and not proven:
		return Verdict(RESYNC, seen.counter)
	return Verdict(ACCEPTED, seen.counter)
