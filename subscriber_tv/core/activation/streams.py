"""How many streams of an account may run at once: each holds a slot for 90 seconds and renews it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from subscriber_tv.core.devices.jws import b64url

START = "start"
RENEW = "renew"
STOP = "stop"

# Seconds that a slot lasts; a TV renews it every 30.
SLOT = 90


@dataclass(frozen=True)
class Slots:
	"""The outcome: until when the stream may run (0: it may not), and what the account's slots are now."""

	until: int
	running: Mapping[str, int]


def judge(running: Mapping[str, int], operation: str, stream: str, limit: int, now: int) -> Slots:
	"""Start, renew or stop a stream.

	:param running: stream -> end of its slot (epoch seconds), of the whole account
	:param limit: slots of the account; 0 is no limit
	"""
	live = {name: until for name, until in running.items() if until > now}
	if operation == STOP:
		live.pop(stream, None)
		return Slots(now, live)
	# A stream that runs keeps its slot, however many there are: a lower limit stops nobody in the middle.
	if stream not in live and limit and len(live) >= limit:
		return Slots(0, live)
	live[stream] = now + SLOT
	return Slots(now + SLOT, live)


def account_of(subscription: str) -> str:
	"""Whose streams are counted together, without saying whose: an edge knows no subscription."""
	return b64url(hashlib.sha256(subscription.encode()).digest())[:22]
