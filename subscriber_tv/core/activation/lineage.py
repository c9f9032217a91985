"""Which line of questions a TV goes on from: what tells a memory that fell back from a second set.

A TV that proves itself may say the nonces of the last questions it asked here (`l`). A line that went on is named by its
last nonce, its tip. When a TV goes on from elsewhere, the tip it does not know is overtaken: one TV whose memory fell back
has lost that tip for good. Whoever comes later and still knows it was alive all the time: these are two sets. A copy may
leave `l` out or invent one; it is the original's true word that gives the two away, and no nonce can be guessed.
"""

from __future__ import annotations

from dataclasses import dataclass

UNTOLD = ""
"""The TV says nothing of its line."""
STRAIGHT = "straight"
"""It goes on from where the node last heard it, or the node never did."""
BACK = "back"
"""It goes on from before: its memory fell back, or it is a second set that shows for the first time."""
FORK = "fork"
"""It goes on from a line that was overtaken: two sets live under one name."""

# How many nonces a TV tells: those after the last answer that it got, as far as it asked again and again in vain.
TOLD = 4
# Lines that were overtaken and may still come back. The oldest stay, and the newest: a set that overtakes its own line again
# and again does not wash away the one that it overtook first.
KEPT = 4


@dataclass(frozen=True)
class Line:
	"""What a node knows of a TV's lines: the nonce counted last ("" when it never asked), and tips that were overtaken, oldest first."""

	tip: str = ""
	overtaken: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
	"""Which line a TV goes on from, and the tips that are overtaken from now on."""

	kind: str
	overtaken: tuple[str, ...]


def judge(told: tuple[str, ...], line: Line) -> Finding:
	"""What a TV shows that proves itself now and tells these nonces, newest first."""
	if not line.tip or line.tip in told:
		return Finding(STRAIGHT if told else UNTOLD, line.overtaken)
	rest = tuple(tip for tip in line.overtaken if tip not in told)
	kind = FORK if len(rest) < len(line.overtaken) else BACK
	return Finding(kind if told else UNTOLD, (*rest[: KEPT - 1], line.tip))


def spell(nonces: tuple[str, ...]) -> str:
	"""Nonces as one text, on the wire and in a node's memory."""
	return ".".join(nonces)


def read(text: str) -> tuple[str, ...]:
	"""The nonces in such a text."""
	return tuple(text.split(".")) if text else ()
