"""Hears what TVs say on the broker and writes it in batches: who is there, who was seen, who did a command.

However many messages come, a batch is a handful of statements. The broker brings a message again until its batch is
committed, so a listener that dies loses nothing that was promised.
"""

import logging
import threading
import time
from collections.abc import Iterable, Iterator, Sequence

import frappe

from subscriber_tv.adapters.mqtt import Connection, Received
from subscriber_tv.core.devices import clones
from subscriber_tv.core.mqtt import topics
from subscriber_tv.core.mqtt.presence import Changes, Heard, Presence
from subscriber_tv.flows.activation.sweep import reconnect
from subscriber_tv.flows.mqtt import broker
from subscriber_tv.flows.support.note_evidence import Sign, note_evidence
from subscriber_tv.flows.support.take_heartbeats import (
	take_heartbeats,
	take_presence,
	take_signs_of_life,
)

log = logging.getLogger("subscriber_tv.mqtt")

AUDIENCE = "broker"
"""Who saw it, in evidence about a TV."""

BATCH_SECONDS = 2.0
BATCH = 500
"""Messages from which on a batch is written at once; half of what the broker brings before the first is done."""

ROWS = 1000
"""TVs written by one statement."""

TICK = 0.1
LAST_RETRY = 30.0

HOURS_SECONDS = 300.0
"""How long heartbeats are added up in memory; they carry no promise, so what a crash takes is lost."""

RECONCILE_AFTER = 600.0
"""Seconds after a connection began: by then every TV that is there has said so, or the broker has kept that it did."""


class Listener:
	"""One connection and what it brought. `step` is called again and again."""

	def __init__(self, connection: Connection, operator: str, reconcile_after: float = RECONCILE_AFTER):
		self._connection, self._operator, self._reconcile_after = connection, operator, reconcile_after
		self._presence = Presence()
		self._generation = 0
		self._reconcile_at: float | None = None
		self._batch: list[Received] = []
		self._batch_since = 0.0
		self._hours_since = time.monotonic()

	def step(self, now: float) -> bool:
		"""Take what came; write it when it is time. Returns whether something was written, and committed.

		:param now: seconds of a clock that never goes back
		"""
		self._notice_connection(now)
		came = self._connection.received()
		if came and not self._batch:
			self._batch_since = now
		for message in came:
			self._take(message)
		self._batch += came
		if self._batch and (len(self._batch) >= BATCH or now - self._batch_since >= BATCH_SECONDS):
			self._write()
			return True
		return self._reconcile(now) or self._hand_over_hours(now)

	def flush(self) -> None:
		"""Write what there is."""
		if self._batch:
			self._write()
		self._hand_over_hours(self._hours_since + HOURS_SECONDS)

	def _notice_connection(self, now: float) -> None:
		if self._connection.generation != self._generation:
			self._generation = self._connection.generation
			self._presence.begin_anew()
			self._reconcile_at = now + self._reconcile_after

	def _take(self, message: Received) -> None:
		try:
			address = topics.parse(self._operator, message.topic)
		except topics.BadTopic:
			return
		self._presence.take(Heard(address, message.payload, message.retained, int(message.at)))

	def _write(self) -> None:
		changes = self._presence.changes()
		while True:
			try:
				write(changes)
				# A batch is a unit of work: only then may the broker forget it.
				frappe.db.commit()  # nosemgrep
				break
			except frappe.QueryDeadlockError:
				frappe.db.rollback()
			except Exception:
				self._presence.give_back(changes)
				raise
		self._connection.done(self._batch)
		self._batch = []

	def _reconcile(self, now: float) -> bool:
		"""TVs that went while nobody listened and the broker lost what it kept are still said to be online."""
		if self._reconcile_at is None or now < self._reconcile_at or not self._connection.connected:
			return False
		self._reconcile_at = None
		online = frappe.get_all("TV Device Status", {"at_broker": 1}, pluck="name", limit=0)
		gone = self._presence.missing(online)
		write(Changes(offline_kept=tuple(gone)))
		# As above.
		frappe.db.commit()  # nosemgrep
		log.info("%s of %s TVs were online in name only", len(gone), len(online))
		return True

	def _hand_over_hours(self, now: float) -> bool:
		"""What heartbeats told, to where the fleet's health is watched."""
		if now - self._hours_since < HOURS_SECONDS:
			return False
		self._hours_since = now
		at = int(time.time())
		take_heartbeats(self._presence.hours.take(), now=at, audience=AUDIENCE)
		note_takeovers(self._presence.taken_over(), at)
		# Five minutes of all TVs are a unit of work.
		frappe.db.commit()  # nosemgrep
		return True


def run(stop: threading.Event) -> None:
	"""Listen until `stop` is set. Needs a connected site; whatever fails is logged and tried again. Errors: BrokerNotSet."""
	connection = Connection(broker.listener(), topics.of_all_tvs(broker.operator()))
	listener = Listener(connection, broker.operator())
	pause = 1.0
	while not stop.is_set():
		try:
			if not listener.step(time.monotonic()):
				stop.wait(TICK)
			pause = 1.0
		except Exception:
			log.exception("not written, trying again in %s s", pause)
			stop.wait(pause)
			pause = min(LAST_RETRY, pause * 2)
			reconnect()
	listener.flush()
	connection.close()


def write(changes: Changes) -> None:
	"""Write what changed; the caller commits. Serials that are no TV of the site change nothing."""
	_tell_fleet(changes)
	for name in sorted(set(changes.done) | set(changes.refused)):
		_count(name, changes.done.get(name, 0), changes.refused.get(name, 0))


def note_takeovers(found: Iterable[tuple[str, int]], now: int) -> None:
	"""TVs that took their own place again and again are signs of a copy; the caller commits. :param now: epoch seconds"""
	signs = [
		Sign(serial, clones.Evidence(clones.TAKEOVER, min(at, now), count=clones.TAKEOVERS_AN_HOUR), AUDIENCE)
		for serial, at in found
	]
	note_evidence(signs, now=now)


def _tell_fleet(changes: Changes) -> None:
	online = dict.fromkeys((*changes.offline_live, *changes.offline_kept), False)
	online |= dict.fromkeys((*changes.online_live, *changes.online_kept), True)
	now = int(time.time())
	for some in _chunks(sorted(online)):
		take_presence({serial: online[serial] for serial in some}, now=now)
	for some in _chunks(changes.seen):
		take_signs_of_life(some, now=now)


def _chunks(serials: Sequence[str]) -> Iterator[Sequence[str]]:
	for start in range(0, len(serials), ROWS):
		yield serials[start : start + ROWS]


def _count(name: str, done: int, refused: int) -> None:
	"""Add to a command's figures; never more than the TVs it went to, whatever a TV says again after a crash."""
	row = frappe.db.get_value(
		"TV Command", name, ["acked", "refused", "tvs", "state"], as_dict=True, for_update=True
	)
	if not row:
		return
	acked = min(row.tvs, row.acked + done)
	could_not = min(row.tvs - acked, row.refused + refused)
	values = {"acked": acked, "refused": could_not}
	if acked + could_not >= row.tvs and row.state in ("Queued", "Sent"):
		values["state"] = "Done"
	frappe.db.set_value("TV Command", name, values)
