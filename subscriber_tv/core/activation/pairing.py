"""Pairing codes: short enough to read across a room, long enough not to be guessed (RFC 8628, section 6.1)."""

from __future__ import annotations

# Consonants only: no code spells a word, none mixes up O and 0. 20^8 codes are 34.6 bits.
ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
LENGTH = 8
# Bytes to hand to `user_code`: far more than it needs even after the rejected ones.
RANDOM_BYTES = 32

_LIMIT = 256 - 256 % len(ALPHABET)


def user_code(random: bytes) -> str:
	"""The code that these random bytes spell, as BCDF-GHJK. ValueError when they are too few.

	Bytes above the largest multiple of 20 are skipped, so that every letter is equally likely.
	"""
	letters = [ALPHABET[byte % len(ALPHABET)] for byte in random if byte < _LIMIT][:LENGTH]
	if len(letters) < LENGTH:
		raise ValueError("too few random bytes for a pairing code")
	return _grouped("".join(letters))


def normalise(text: str) -> str | None:
	"""The code as we store it, whatever case, spaces and dashes it was typed with; None when it is no code."""
	letters = "".join(letter for letter in text.upper() if letter.isalnum())
	if len(letters) != LENGTH or any(letter not in ALPHABET for letter in letters):
		return None
	return _grouped(letters)


def _grouped(letters: str) -> str:
	return f"{letters[:4]}-{letters[4:]}"
