"""What this edge supplies to core: its name, the masters, the rows of its file and the counts of its TVs."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence

from subscriber_tv.core.activation import documents
from subscriber_tv.core.activation.counter import Verdict
from subscriber_tv.core.activation.decide import Row
from subscriber_tv.core.activation.lineage import Line
from subscriber_tv.core.activation.parental import Guesses
from subscriber_tv.core.activation.streams import Slots
from subscriber_tv.core.devices.mac import BadMasters
from subscriber_tv.core.devices.requests import StreamSlot
from subscriber_tv.edge.config import Config, ConfigError
from subscriber_tv.edge.counts import Counts
from subscriber_tv.edge.reader import Reader
from subscriber_tv.edge.store import State

log = logging.getLogger("subscriber_tv.edge")


class EdgeNode:
	"""The node of one worker. `refresh` is called once a second, so that answers pay for no look around."""

	def __init__(self, config: Config):
		self.audience = config.name
		self.masters = config.masters()
		self.guesses = Guesses()
		self.store = Reader(config.database)
		self.state = State(0, 0, 0, 0)
		self._config = config
		self._counts = Counts(config.counts_file)
		self._masters_changed = _changed(config)
		self._refreshed = 0
		self._documents: dict[tuple[str, ...], tuple[str, ...]] = {}
		self._channels: dict[tuple[str, ...], Mapping[str, int]] = {}

	def refresh(self, now: int) -> State:
		"""The state of the file as it was within this second; a new one forgets what was read from the old."""
		if now != self._refreshed:
			self._refreshed = now
			state = self.store.state()
			if state.seq != self.state.seq:
				self._documents, self._channels = {}, {}
			self.state = state
			self._read_masters()
		return self.state

	def let_go(self) -> None:
		"""To be called every few hundredths of a second, so that an idle worker holds nothing."""
		self.store.let_go()

	def row(self, serial: str) -> Row | None:
		"""The projection's row of a TV."""
		return self.store.row(serial)

	def documents(self, offers: Sequence[str]) -> Sequence[str]:
		"""Hashes of the current documents of these offer versions."""
		key = tuple(offers)
		found = self._documents.get(key)
		if found is None:
			found = self._documents[key] = tuple(self.store.documents(key))
		return found

	def channels(self, offers: Sequence[str]) -> Mapping[str, int]:
		"""Codes of the channels in these offer versions, and for which age on each is."""
		key = tuple(offers)
		found = self._channels.get(key)
		if found is None:
			tokens = (self.store.document(document) for document in self.documents(key))
			found = self._channels[key] = documents.channel_ages(token for token in tokens if token)
		return found

	def count(self, serial: str, counter: int, nonce: str, proven: bool) -> Verdict:
		"""Judge and remember a number."""
		return self._counts.count(serial, counter, nonce, proven)

	def place(self, serial: str) -> None:
		"""An edge knows no TV's password at the broker."""
		return None

	def line(self, serial: str) -> Line:
		"""What is known of a TV's lines."""
		return self._counts.line(serial)

	def overtake(self, serial: str, tips: tuple[str, ...]) -> None:
		"""Remember the tips that were overtaken."""
		self._counts.overtake(serial, tips)

	def slots(self, row: Row, request: StreamSlot, now: int) -> Slots:
		"""Judge and remember a stream."""
		account = row.account or row.serial
		return self._counts.slots(account, request.o, request.sid, row.streams, now)

	def _read_masters(self) -> None:
		"""Take masters that were replaced; a file that cannot be read changes nothing but the log."""
		changed = _changed(self._config)
		if changed == self._masters_changed:
			return
		self._masters_changed = changed
		try:
			self.masters = self._config.masters()
			log.info("masters read: epoch %s", self.masters.current)
		except (ConfigError, BadMasters) as error:
			log.error("the masters stay as they were: %s", error)


def _changed(config: Config) -> int:
	try:
		return os.stat(config.masters_file).st_mtime_ns
	except OSError:
		return 0
