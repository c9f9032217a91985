"""The publisher's loop: publishes what waits, signs again what ages, and tells the feed what is true by when."""

import logging
import threading
import time
from collections.abc import Callable

import frappe

from subscriber_tv.flows.activation import note_change, publish
from subscriber_tv.flows.mqtt.messenger import Messenger

log = logging.getLogger("subscriber_tv.publisher")

SWEEP_SECONDS = 1.0
"""Longest time a change waits when nobody wakes the publisher."""

RESIGN_SECONDS = 60
FAILED_SECONDS = 3600
"""How long a TV that could not be signed again is left alone: each try is a row in the error log."""

LAST_RETRY = 30.0


class Horizon:
	"""Up to which number and which moment the projection is complete; feed requests wait for it to move."""

	def __init__(self):
		self._moved = threading.Condition()
		self._seq = 0
		self._as_of = 0
		self._closed = False

	def move(self, seq: int, as_of: int) -> None:
		"""Everything committed before `as_of` (epoch seconds) has a number up to `seq`."""
		with self._moved:
			self._seq, self._as_of = seq, as_of
			self._moved.notify_all()

	def as_of(self) -> int:
		"""The moment up to which the projection is complete; 0 before the first sweep."""
		with self._moved:
			return self._as_of

	def wait_beyond(self, seq: int, seconds: float) -> None:
		"""Return when there is a higher number than `seq`, after `seconds`, or when the publisher stops."""
		with self._moved:
			self._moved.wait_for(lambda: self._closed or self._seq > seq, timeout=seconds)

	def close(self) -> None:
		"""Let every waiting request go."""
		with self._moved:
			self._closed = True
			self._moved.notify_all()


def run(horizon: Horizon, stop: threading.Event) -> None:
	"""Sweep until `stop` is set: whenever a change wakes it, and each second. Needs a connected site.

	Whatever fails is logged and tried again, later each time; the database is connected anew.
	"""
	pause = SWEEP_SECONDS
	resign_at = forget_at = 0.0
	failed: set[str] = set()
	ear = None
	messenger = Messenger()
	while not stop.is_set():
		try:
			_begin()
			again = time.monotonic() >= resign_at
			if time.monotonic() >= forget_at:
				failed.clear()
				forget_at = time.monotonic() + FAILED_SECONDS
			sweep(horizon, resign=again, failed=failed, tell=messenger.work)
			resign_at = time.monotonic() + RESIGN_SECONDS if again else resign_at
			ear = ear or _listen()
			_wait(ear, stop)
			pause = SWEEP_SECONDS
		except Exception:
			log.exception("sweep failed, trying again in %s s", pause)
			ear = None
			stop.wait(pause)
			pause = min(LAST_RETRY, pause * 2)
			reconnect()
	messenger.close()


def sweep(
	horizon: Horizon,
	*,
	resign: bool = False,
	failed: set[str] | None = None,
	tell: Callable[[], None] | None = None,
) -> None:
	"""Publish all that waits, chunk by chunk, each in a transaction of its own.

	:param failed: TVs not to sign again now; those that could not be signed are added
	:param tell: called whenever all that waited is published and committed
	"""
	failed = set() if failed is None else failed
	_publish_waiting(horizon, tell)
	while resign and publish.resign_due(failed=failed):
		# One chunk is one unit of work: a crash resumes after it.
		frappe.db.commit()  # nosemgrep
		_publish_waiting(horizon, tell)  # no change waits for the signatures of a whole operator


def _publish_waiting(horizon: Horizon, tell: Callable[[], None] | None) -> None:
	now = int(time.time())
	while publish.publish_pending():
		# A chunk is a unit of work here too.
		frappe.db.commit()  # nosemgrep
		horizon.move(publish.current_sequence(), horizon.as_of())
	frappe.db.rollback()  # a fresh view: the desk numbers rows too
	horizon.move(publish.current_sequence(), now)
	if tell:
		tell()


def _begin() -> None:
	"""Forget what a former sweep read: settings may have changed since."""
	frappe.local.cache.clear()
	frappe.db.value_cache.clear()
	frappe.db.rollback()


def _listen():
	"""Subscribe to changes; None while Redis is away, then each second has to do."""
	try:
		ear = frappe.cache.pubsub(ignore_subscribe_messages=True)
		ear.subscribe(note_change.CHANNEL)
		return ear
	except Exception:
		log.warning("no Redis to listen to: sweeping each second")
		return None


def _wait(ear, stop: threading.Event) -> None:
	if ear is None:
		stop.wait(SWEEP_SECONDS)
		return
	until = time.monotonic() + SWEEP_SECONDS
	while (left := until - time.monotonic()) > 0 and not stop.is_set():
		message = ear.get_message(timeout=left)
		if message and message["data"] == frappe.local.site.encode():
			return


def reconnect() -> None:
	"""Connect to the site's database anew; a failure is logged, the next use of it fails again."""
	site = frappe.local.site
	try:
		frappe.destroy()
	except Exception:
		log.debug("the old connection could not be closed", exc_info=True)
	try:
		frappe.init(site=site)
		frappe.connect()
	except Exception as error:
		log.warning("no database: %s", error)
