"""What a television keeps in flash, and how it counts its questions there."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

from subscriber_tv.core.activation import lineage
from subscriber_tv.core.devices import jws


@dataclass
class Memory:
	"""What a TV keeps in flash. Times are epoch seconds UTC by the server's clock."""

	# Its own key (PEM), or the secret of a model without a key store: one of the two.
	private_key: str = ""
	credential: str = ""
	# Its MAC key and the epoch it is of; nothing before it is paired or has proven itself.
	key: str = ""
	epoch: str = ""
	# The last number used at each node.
	counts: dict[str, int] = field(default_factory=dict)
	# At each node the nonces of the last answered question and of those since, newest first.
	lines: dict[str, list[str]] = field(default_factory=dict)
	device_code: str = ""
	lease: str = ""
	# The highest version of rights seen, and the key that signed it: an operator with a new key counts anew.
	version: int = 0
	signed_by: str = ""
	play_until: int = 0
	ask_after: int = 0
	# The latest authentic time: the TV's clock never falls below it.
	floor: int = 0
	# Its place at the message broker, as the desk told it; empty when it was told none.
	mqtt: dict[str, str] = field(default_factory=dict)

	def count(self, audience: str) -> tuple[str, str]:
		"""Number and nonce of the next question at a node."""
		number, nonce = self.counts.get(audience, 0) + 1, jws.b64url(secrets.token_bytes(16))
		self.counts[audience] = number
		line = [nonce, *self.lines.get(audience, ())]
		# However often it asks in vain, the last answered question stays known.
		self.lines[audience] = line if len(line) <= lineage.TOLD else [*line[: lineage.TOLD - 1], line[-1]]
		return str(number), nonce

	def settle(self, audience: str, nonce: str, counted: bool) -> None:
		"""An answer came: the node counted that question, or it did not."""
		line = self.lines.get(audience, [])
		if counted:
			self.lines[audience] = [nonce]
		elif nonce in line:
			line.remove(nonce)

	def count_from(self, audience: str, base: object) -> None:
		"""Go on above the number that a node knows, as it says."""
		text = str(base)
		if text.isascii() and text.isdigit() and len(text) <= 16:
			self.counts[audience] = max(self.counts.get(audience, 0), int(text))


def recall(flash: Path | None) -> Memory:
	"""What stands in this file; a TV without one, or before its first word, knows nothing."""
	if flash and flash.exists():
		return Memory(**json.loads(flash.read_text()))
	return Memory()


def remember(memory: Memory, flash: Path) -> None:
	"""Write it, whole or not at all: a power cut in the middle leaves what was there."""
	fresh = flash.with_suffix(".new")
	with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
		json.dump(asdict(memory), file)
	fresh.replace(flash)
