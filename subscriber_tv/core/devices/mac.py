"""The message authentication codes of protocol v1: how they are keyed, and over which bytes each is made.

A TV's key follows from a master of the operator, the TV's serial and the thumbprint of its own key, so whoever holds
the masters needs no list of keys, and a TV that leaks its key leaks no other's. Masters are numbered by epoch; the
newest and the one before it are valid. All MACs are HMAC-SHA256, spelled as 43 characters of base64url.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from subscriber_tv.core.devices.jws import b64url, b64url_decode

MASTER_BYTES = 32
NOBODY = "A" * 43


_BLOCK = 64
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


class BadMasters(ValueError):
	"""The file of masters is not one; the message says why and shows no key."""


class Keyed:
	"""HMAC-SHA256 (RFC 2104) under one key of at most 64 bytes that serves many messages: its schedule is made once."""

	def __init__(self, key: bytes):
		block = key.ljust(_BLOCK, b"\0")
		self._inner = hashlib.sha256(block.translate(_INNER))
		self._outer = hashlib.sha256(block.translate(_OUTER))

	def digest(self, message: bytes) -> bytes:
		"""The 32 bytes of a message."""
		inner, outer = self._inner.copy(), self._outer.copy()
		inner.update(message)
		outer.update(inner.digest())
		return outer.digest()


# Used where nothing is known, so that a stranger costs what a wrong MAC costs. It authenticates nobody.
_NO_MASTER = Keyed(bytes(MASTER_BYTES))


@dataclass(frozen=True)
class Masters:
	"""The masters by epoch. `of` gives a TV's key, `challenge` the key that challenges are made with."""

	keys: Mapping[int, bytes]

	def __post_init__(self):
		if not self.keys or min(self.keys) < 1 or any(len(key) != MASTER_BYTES for key in self.keys.values()):
			raise BadMasters("each epoch from 1 on needs a master of 32 bytes")
		object.__setattr__(self, "_valid", {str(epoch): Keyed(self.keys[epoch]) for epoch in self.valid})
		challenges = {epoch: _digest(self.keys[epoch], b"tv-challenge-1") for epoch in self.valid}
		object.__setattr__(self, "_challenges", challenges)

	@property
	def current(self) -> int:
		"""The newest epoch: new keys are made of its master."""
		return max(self.keys)

	@property
	def valid(self) -> tuple[int, ...]:
		"""The epochs in which a TV may speak, newest first."""
		return tuple(epoch for epoch in (self.current, self.current - 1) if epoch in self.keys)

	def knows(self, epoch: str) -> bool:
		"""Whether a TV may speak in this epoch, written as on the wire."""
		return epoch in self._valid

	def of(self, epoch: str, serial: str, thumbprint: str) -> bytes:
		"""The key of a TV in an epoch; for an epoch that is none, a key that authenticates nobody."""
		return self._valid.get(epoch, _NO_MASTER).digest(_tv(serial, thumbprint))

	def newest(self, serial: str, thumbprint: str) -> bytes:
		"""The key that a TV is given now."""
		return tv_key(self.keys[self.current], serial, thumbprint)

	def challenges(self) -> tuple[bytes, ...]:
		"""The keys of challenges, newest first."""
		return tuple(self._challenges[epoch] for epoch in self.valid)


def read_masters(document: bytes) -> Masters:
	"""The masters in a JSON object of epoch -> base64url. Errors: BadMasters."""
	try:
		found = json.loads(document)
		return Masters({int(epoch): b64url_decode(key) for epoch, key in found.items()})
	except BadMasters:
		raise
	except (ValueError, AttributeError, TypeError):
		raise BadMasters("not a JSON object of epoch numbers and base64url keys") from None


def write_masters(keys: Mapping[int, bytes]) -> bytes:
	"""The JSON form of masters, smallest epoch first."""
	return json.dumps({str(epoch): b64url(keys[epoch]) for epoch in sorted(keys)}, indent=1).encode()


def tv_key(master: bytes, serial: str, thumbprint: str) -> bytes:
	"""The key of one TV under a master (32 bytes)."""
	return _digest(master, _tv(serial, thumbprint))


def _tv(serial: str, thumbprint: str) -> bytes:
	return f"tv-mac-1\n{serial}\n{thumbprint}".encode()


def binding(chip: str, card: str, model: str, firmware: str) -> str:
	"""What a TV says about its own parts, in 43 characters: `f` of its requests."""
	return b64url(hashlib.sha256("\n".join((chip, card, model, firmware)).encode()).digest())


def of_auth(key: bytes, audience: str, d: str, e: str, c: str, n: str, f: str, t: str = "") -> str:
	"""The MAC of a power-on; `audience` is the node that is asked, the other letters the request's own."""
	return _spelled(key, f"tv-auth-1\n{audience}\n{d}\n{e}\n{c}\n{n}\n{f}\n{t}")


def of_heartbeat(
	key: bytes, audience: str, d: str, e: str, c: str, n: str, told: Iterable[tuple[str, str]]
) -> str:
	"""The MAC of a heartbeat; `told` are its further fields, in any order."""
	lines = "\n".join(f"{name}={value}" for name, value in sorted(told))
	return _spelled(key, f"tv-hb-1\n{audience}\n{d}\n{e}\n{c}\n{n}\n{lines}")


def of_stream(
	key: bytes,
	audience: str,
	d: str,
	e: str,
	c: str,
	n: str,
	o: str,
	channel: str,
	stream: str,
	pin: str = "",
) -> str:
	"""The MAC of a stream's start, renewal or stop; `pin` is the proof of a PIN, where one is shown."""
	shown = f"\n{pin}" if pin else ""
	return _spelled(key, f"tv-stream-1\n{audience}\n{d}\n{e}\n{c}\n{n}\n{o}\n{channel}\n{stream}{shown}")


def of_reply(key: bytes, body: bytes) -> str:
	"""The MAC of a reply's body, which stands in its header X-TV-MAC."""
	return b64_mac(_digest(key, b"tv-reply-1\n" + body))


def b64_mac(digest: bytes) -> str:
	"""32 bytes as 43 characters, as `b64url` spells them and without its general case."""
	return base64.urlsafe_b64encode(digest)[:-1].decode("ascii")


def same(one: str, other: str) -> bool:
	"""Whether two ASCII texts are equal, in a time that does not tell where they differ."""
	return hmac.compare_digest(one, other)


def _spelled(key: bytes, text: str) -> str:
	return b64_mac(_digest(key, text.encode("ascii")))


def _digest(key: bytes, message: bytes) -> bytes:
	return hmac.digest(key, message, "sha256")
