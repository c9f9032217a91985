"""Keeps the edge's file up to date: a snapshot when there is nothing or a gap, then deltas by long poll.

Runs as one thread of the main process. Whatever happens to the publisher, it only ever waits and asks again.
"""

from __future__ import annotations

import http.client
import logging
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from subscriber_tv.core.activation import feed, report
from subscriber_tv.core.devices.jws import Verifier
from subscriber_tv.edge import runtime
from subscriber_tv.edge.answers import AnswerFile
from subscriber_tv.edge.clock import Clock, passed_since_start
from subscriber_tv.edge.config import Config
from subscriber_tv.edge.store import OutOfOrder, Store, put_in_place

log = logging.getLogger("subscriber_tv.edge")

# Seconds between two attempts while the publisher is away: doubled each time, and never all edges at once.
_FIRST_RETRY = 0.5
_LAST_RETRY = 15.0
# A page of 5000 rows is about 3 MB; more than this is no page.
_MAX_PAGE = 64 * 1024 * 1024


class FeedUnavailable(Exception):
	"""The publisher is not there or did not give a page."""


class Gap(Exception):
	"""The publisher does not know our number."""


class FeedClient:
	"""Asks the publisher for pages, and sends it reports, over one kept connection.

	`wait` is how long, in seconds, a question for news may stay open; `edge` is the identity the publisher notes. `clock`
	dates the questions: whose time is refused is tried with the machine's own, and the other way round.
	"""

	def __init__(
		self,
		url: str,
		secret: bytes,
		wait: int,
		edge: str = "",
		clock: Callable[[], float] = time.time,
	):
		self._url = urlsplit(url)
		self._secret = secret
		self._wait = wait
		self._edge = edge
		self._clock = clock
		self._goes_by_machine = False
		# When the last question was asked that was let in, and how long after the machine's start.
		self.accepted: tuple[float, float] | None = None
		self._connection: http.client.HTTPConnection | None = None

	def delta(self, after: int, as_of: int) -> tuple[bytes, str]:
		"""The changes after a number, at once or when there are some; Gap when the publisher cannot continue there.

		:param as_of: when our file was last confirmed (epoch seconds), for the publisher to note
		"""
		who = f"&edge={self._edge}&as_of={as_of}" if self._edge else ""
		return self._get(f"{feed.DELTAS_PATH}?after={after}&wait={self._wait}{who}")

	def snapshot(self) -> Iterator[tuple[bytes, str]]:
		"""The pages of a snapshot, each asked for when it is wanted."""
		after, last = 0, False
		while not last:
			body, signature = self._get(f"{feed.SNAPSHOT_PATH}?after={after}")
			yield body, signature
			# Only reached when the store took the page as genuine.
			page = msgspec.json.decode(body, type=feed.Page)
			if page.upto <= after and not page.last:
				raise FeedUnavailable("the snapshot does not advance")
			after, last = page.upto, page.last

	def post(self, path: str, body: bytes) -> int:
		"""The status that the publisher answers to this report; FeedUnavailable when it does not answer."""
		return self._ask("POST", path, body)[0]

	def close(self) -> None:
		"""Drop the connection."""
		if self._connection:
			self._connection.close()
		self._connection = None

	def _get(self, path: str) -> tuple[bytes, str]:
		status, body, signature = self._ask("GET", path)
		if status == 409:
			raise Gap
		if status == 401:
			# A request is good for two minutes.
			self._goes_by_machine = not self._goes_by_machine
			raise FeedUnavailable("the publisher does not let us in: is the clock right, and the secret?")
		if status != 200:
			self.close()
			raise FeedUnavailable(f"HTTP {status}")
		return body, signature

	def _ask(self, method: str, path: str, sent: bytes = b"") -> tuple[int, bytes, str]:
		target = self._url.path.rstrip("/") + path
		try:
			connection = self._connection = self._connection or self._connect()
			# The secret signs the path as the publisher sees it, without what a proxy in front may have cut off.
			moment, passed = time.time() if self._goes_by_machine else self._clock(), passed_since_start()
			authorization = feed.authorization(self._secret, path, int(moment), method=method, body=sent)
			connection.request(method, target, sent or None, {"Authorization": authorization})
			response = connection.getresponse()
			body = response.read(_MAX_PAGE)
		except (OSError, http.client.HTTPException) as error:
			self.close()
			raise FeedUnavailable(str(error) or type(error).__name__) from None
		self.accepted = (moment, passed) if response.status == 200 else None
		return response.status, body, response.getheader(feed.SIGNATURE_HEADER, "")

	def _connect(self) -> http.client.HTTPConnection:
		kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
		return kind(self._url.netloc, timeout=self._wait + 10)


def step(store: Store, client: FeedClient, verifier: Verifier) -> None:
	"""One exchange with the publisher; FeedUnavailable or BadPage when it brought nothing."""
	state = store.state()
	if state.as_of:
		try:
			store.apply_delta(*client.delta(state.seq, state.as_of), verifier)
			return
		except (Gap, OutOfOrder) as reason:
			log.warning("the feed does not continue at %s (%s): taking a snapshot", state.seq, reason)
	try:
		loaded = store.load_snapshot(client.snapshot(), verifier)
	except (Gap, OutOfOrder) as reason:
		raise FeedUnavailable(f"no snapshot: {reason}") from None
	log.info("snapshot taken: number %s, %s TVs", loaded.seq, loaded.devices)


def replace(database: Path, client: FeedClient, verifier: Verifier) -> None:
	"""Fill a fresh file from a snapshot and put it in the place of the damaged one. Errors as of `step`."""
	fresh = database.with_name(f"{database.name}.fresh")
	for suffix in ("", "-wal", "-shm"):
		Path(f"{fresh}{suffix}").unlink(missing_ok=True)
	with closing(Store(fresh)) as store:
		try:
			loaded = store.load_snapshot(client.snapshot(), verifier)
		except (Gap, OutOfOrder) as reason:
			raise FeedUnavailable(f"no snapshot: {reason}") from None
		inode = store.inode
	put_in_place(database, fresh)
	runtime.note_sound(inode)
	log.info("the damaged file is replaced: number %s, %s TVs", loaded.seq, loaded.devices)


def run(config: Config, stop: threading.Event) -> None:
	"""Follow the feed until `stop` is set."""
	store: Store | None = None
	with closing(AnswerFile(config.answers_file)) as answers:
		edge = report.identity(config.name, answers.file())
	clock = Clock(config.clock_file)
	client = FeedClient(config.feed_url, config.feed_secret(), config.feed_wait, edge, clock)
	verifier = Verifier(config.public_keys())
	pause = _FIRST_RETRY
	while not stop.is_set():
		try:
			if runtime.is_damaged():
				store = _closed(store)
				replace(config.database, client, verifier)
			if store and store.is_replaced:
				_note_replaced(config.database)
				continue
			store = store or Store(config.database)
			step(store, client, verifier)
			if client.accepted:
				clock.vouch(*client.accepted)
			pause = _FIRST_RETRY
			continue
		except (FeedUnavailable, feed.BadPage, sqlite3.OperationalError, OSError) as error:
			log.warning("no news from the publisher: %s", error)
		except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
			runtime.note_damage()
			log.error("the file cannot be written, a fresh one is made: %s", error)
		stop.wait(pause * random.uniform(0.5, 1.0))
		pause = min(_LAST_RETRY, pause * 2)
	client.close()
	_closed(store)


def _note_replaced(database: Path) -> None:
	if runtime.note_damage():
		log.error("%s was replaced by somebody, or removed: everything is fetched again", database)


def _closed(store: Store | None) -> None:
	if store:
		store.close()
