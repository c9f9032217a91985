"""The publisher's part of the message broker: hints and commands, over one connection, by one process at a time.

Whatever goes wrong here is logged and holds up no publishing: a hint is a courtesy, TVs ask by themselves.
"""

import logging
import time

import frappe

from subscriber_tv.adapters.mqtt import Connection
from subscriber_tv.flows.mqtt import broker, hint_changes, send_queued
from subscriber_tv.flows.mqtt.hint_changes import Hints
from subscriber_tv.flows.mqtt.send_queued import Commands

log = logging.getLogger("subscriber_tv.mqtt")


class Messenger:
	"""Sends what there is to send whenever `work` is called. Needs a connected site."""

	def __init__(self):
		self._connection: Connection | None = None
		self._hints: Hints | None = None
		self._commands = Commands()

	def work(self) -> None:
		"""Note what the broker took, and hand it what is new. Ends the transaction; never raises."""
		try:
			if self._ready():
				self._settle()
				self._hints.send(self._connection, time.monotonic())
				self._commands.send(self._connection, int(time.time()))
			# One call is one unit of work: the publisher's next sweep reads afresh.
			frappe.db.commit()  # nosemgrep
		except Exception:
			log.exception("hints and commands wait")
			frappe.db.rollback()

	def close(self) -> None:
		"""Let what is on its way go, then leave the broker to whichever process wants it."""
		self._disconnect()
		try:
			frappe.db.sql("select release_lock(%s)", _lock_name())
		except Exception:
			log.debug("the lock went with its connection", exc_info=True)

	def _ready(self) -> bool:
		if not broker.enabled() or not _mine():
			self._disconnect()
			return False
		wanted = broker.publisher()
		if not self._connection or self._connection.broker != wanted:
			self._disconnect()
			self._connection = Connection(wanted)
			self._hints, self._commands = Hints(broker.most_questions()), Commands()
		return True

	def _disconnect(self) -> None:
		if self._connection:
			self._connection.close()
		self._connection = None

	def _settle(self) -> None:
		for (kind, which), outcome in self._connection.outcomes():
			if kind == hint_changes.KEY:
				self._hints.settle(which, outcome)
			elif kind == send_queued.KEY:
				self._commands.settle(which, outcome)


def _mine() -> bool:
	"""Whether this process is the one that talks to the broker: a second publisher leaves it to the first.

	The lock belongs to the database connection, so it goes with the process that holds it.
	"""
	name = _lock_name()
	if frappe.db.sql("select is_used_lock(%s) = connection_id()", name)[0][0]:
		return True
	return bool(frappe.db.sql("select get_lock(%s, 0)", name)[0][0])


def _lock_name() -> str:
	"""Locks are the server's, so the name says which site it is of."""
	return f"tv-mqtt-{frappe.conf.db_name}"[:64]
