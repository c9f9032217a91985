"""A worker's connection to the projection: many rows are read from one moment of the file, for a few hundredths of a second.

Each transaction of its own would cost a row two locks and a look at what changed, as much as the row itself.
"""

from __future__ import annotations

import time
from pathlib import Path

from subscriber_tv.core.activation.decide import Row
from subscriber_tv.edge.store import State, Store

# Seconds: a change of rights waits no longer for a worker.
HOLD = 0.05


class Reader(Store):
	"""Reads only. `let_go` is called every few hundredths of a second, so that an idle worker holds nothing back."""

	def __init__(self, path: Path | str):
		self._held_until = 0.0
		super().__init__(path, read_only=True)

	def state(self) -> State:
		"""As of now: nothing that was held."""
		self.let_go()
		return super().state()

	def row(self, serial: str) -> Row | None:
		"""The row as it was at most HOLD seconds ago."""
		now = time.monotonic()
		if now >= self._held_until:
			self.let_go()
			self._held_until = now + HOLD
		if not self._db.in_transaction:
			self._one("begin", ())
		return super().row(serial)

	def let_go(self) -> None:
		"""What is read from now on is of a later moment. While it is held, the writer's journal cannot begin anew."""
		if self._db.in_transaction:
			self._db.execute("rollback")
