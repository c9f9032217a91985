"""The parental lock of a TV: channels that are not for the young open with a PIN, or, where none was set, not at all.

Ages are those of the French signs (-10, -12, -16, -18; Arcom's "signalétique jeunesse"). The PIN never travels and is kept
nowhere: TV and operator derive the same verifier from it, and the TV proves that it knows it, anew for each question.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass

from subscriber_tv.core.activation.limits import Limiter
from subscriber_tv.core.devices.jws import b64url, b64url_decode

# A channel's age, and the age from which a TV is locked; 0 is for everybody, and no lock.
AGES = (0, 10, 12, 16, 18)
# Work for each guess of whoever holds a verifier. A PIN of four digits stays a PIN of four digits.
ROUNDS = 10_000
# Wrong PINs of one TV: so many at once, and one more every three minutes.
GUESSES = 5
_GUESSES_A_MINUTE = 1 / 3
_PIN = re.compile(r"\A[0-9]{4,8}\Z")


class BadPin(ValueError):
	"""A PIN is 4 to 8 digits."""


@dataclass(frozen=True)
class Lock:
	"""The lock of one TV: from which age on, and the PIN's verifier; "" when no PIN opens it."""

	age: int = 0
	verifier: str = ""

	def holds(self, age: int) -> bool:
		"""Whether a channel for this age on is locked."""
		return bool(self.age) and age >= self.age


class Guesses:
	"""How many wrong PINs a node takes from a TV. Times are epoch seconds."""

	def __init__(self, limiter: type[Limiter] = Limiter):
		self._limiter = limiter(_GUESSES_A_MINUTE, GUESSES)

	def is_open(self, serial: str, now: int) -> bool:
		"""Whether this TV may try a PIN now."""
		return not self._limiter.wait(serial, now)

	def note_wrong(self, serial: str, now: int) -> None:
		"""A wrong one was tried."""
		self._limiter.note(serial, now)


def verifier(serial: str, pin: str) -> str:
	"""What is kept of a TV's PIN (43 characters). Errors: BadPin."""
	if not _PIN.match(pin):
		raise BadPin("A PIN is 4 to 8 digits.")
	salt = b"tv-pin-1\n" + serial.encode()
	return b64url(hashlib.pbkdf2_hmac("sha256", pin.encode(), salt, ROUNDS))


def proof(verifier: str, audience: str, d: str, c: str, n: str) -> str:
	"""What a TV shows for its PIN: good for one question to one node."""
	text = f"tv-pin-1\n{audience}\n{d}\n{c}\n{n}".encode("ascii")
	return b64url(hmac.digest(b64url_decode(verifier), text, "sha256"))


def is_right(lock: Lock, shown: str, audience: str, d: str, c: str, n: str) -> bool:
	"""Whether what was shown proves this lock's PIN."""
	return bool(lock.verifier) and hmac.compare_digest(proof(lock.verifier, audience, d, c, n), shown)
