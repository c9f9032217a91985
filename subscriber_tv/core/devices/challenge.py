"""Challenges: proof that an assertion was made just now, without anybody remembering that it was asked for.

A challenge is the time and a MAC over it, the TV's serial and the node's name, under a key that every node holds. It
says nothing about whether such a TV exists. What is proven with it can be used once: the counter sees to that.
"""

from __future__ import annotations

import hmac

from subscriber_tv.core.devices.jws import b64url, b64url_decode
from subscriber_tv.core.devices.mac import Masters

# Seconds from being given to being too old.
LIFE = 120
# A challenge of another node may be dated a little ahead of this one's clock.
AHEAD = 30
_MAC_BYTES = 24
_LENGTH = 43


def make(masters: Masters, audience: str, serial: str, now: int) -> str:
	"""A challenge for the TV of this serial at `now` (epoch seconds UTC)."""
	return b64url(_spell(masters.challenges()[0], audience, serial, now))


def is_fresh(masters: Masters, audience: str, serial: str, challenge: str, now: int) -> bool:
	"""Whether this challenge was made for this TV at this node, at most two minutes ago."""
	try:
		given = b64url_decode(challenge)
	except ValueError:
		return False
	if len(challenge) != _LENGTH:
		return False
	made = int.from_bytes(given[:8], "big")
	# Every key is tried, whatever the first one says.
	genuine = [
		hmac.compare_digest(_spell(key, audience, serial, made), given) for key in masters.challenges()
	]
	return any(genuine) and -AHEAD <= now - made <= LIFE


def _spell(key: bytes, audience: str, serial: str, moment: int) -> bytes:
	mac = hmac.digest(key, f"{audience}\n{serial}\n{moment}".encode("ascii"), "sha256")
	return moment.to_bytes(8, "big") + mac[:_MAC_BYTES]
