"""The edge's memory of its own answers: counted by each worker, kept in a file beside the projection, sent from there.

A worker counts in memory and adds to the file every few seconds; the main process alone takes batches out (upload.py).
A worker that is killed loses what it counted since; a TV's answer never waits for any of this.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from subscriber_tv.core.activation import report, rollup
from subscriber_tv.core.activation.decide import Decision

log = logging.getLogger("subscriber_tv.edge")

# How long counts wait for a publisher, and how many rows: about 75 MB.
KEEP_SECONDS = 30 * 86_400
KEEP_ROWS = 500_000

# Rows of batch 0 are still being added to; the others were numbered and may have been sent.
_SCHEMA = """
create table if not exists identity (
	id integer primary key check (id = 1), file text not null, batch integer not null
);
insert or ignore into identity values (1, lower(hex(randomblob(6))), 0);
create table if not exists tally (
	batch integer not null, key text not null, kind text not null, code text not null, serial text not null,
	network text not null, version integer not null, count integer not null,
	first_at integer not null, last_at integer not null, primary key (batch, key)
) without rowid;
"""
_ADD = """
insert into tally values (0, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (batch, key) do update set
	count = count + excluded.count, first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at)
"""
_NUMBER = """
update tally set batch = ? where batch = 0 and key in
	(select key from tally where batch = 0 order by last_at limit ?)
"""
# Strangers go first: there may be any number of them, and they say least.
_SHRINK = """
delete from tally where (batch, key) in
	(select batch, key from tally order by kind <> 'Stranger', last_at limit ?)
"""


class AnswerFile:
	"""One connection to the file, which is made when missing."""

	def __init__(self, path: Path | str):
		if not os.path.exists(path):
			Path(path).parent.mkdir(parents=True, exist_ok=True)
			os.close(os.open(path, os.O_CREAT, 0o600))
		self._db = sqlite3.connect(path, timeout=10, isolation_level=None)
		self._db.execute("pragma journal_mode = wal")
		self._db.execute("pragma synchronous = normal")
		self._db.executescript(_SCHEMA)

	def close(self) -> None:
		"""Close the connection."""
		self._db.close()

	def file(self) -> str:
		"""The random name of this file, 12 hexadecimal digits: batch numbers mean something only within it."""
		(found,) = self._db.execute("select file from identity").fetchone()
		return found

	def add(self, tallies: Iterable[rollup.Tally]) -> None:
		"""Add the counts to those that are not numbered yet."""
		with self._transaction():
			self._db.executemany(_ADD, [_columns(tally) for tally in tallies])

	def take(self, rows: int = report.BATCH_ROWS) -> tuple[int, tuple[report.Row, ...]] | None:
		"""The batch to send, under the number it had before when it was taken before; None when there is nothing."""
		number = self._waiting() or self._number(rows)
		if not number:
			return None
		query = """select kind, count, first_at, last_at, code, serial, network, version
			from tally where batch = ? order by key"""
		return number, tuple(report.Row(*found) for found in self._db.execute(query, (number,)))

	def forget(self, number: int) -> None:
		"""Delete a batch: it arrived, or never will."""
		self._db.execute("delete from tally where batch = ?", (number,))

	def drop_old(self, now: int, keep_rows: int = KEEP_ROWS) -> int:
		"""Delete what waited too long or is too much; returns how many rows."""
		with self._transaction():
			query = "delete from tally where last_at < ?"
			old = self._db.execute(query, (now - KEEP_SECONDS,)).rowcount
			(left,) = self._db.execute("select count(*) from tally").fetchone()
			surplus = max(0, left - keep_rows)
			if surplus:
				self._db.execute(_SHRINK, (surplus,))
		return old + surplus

	def _waiting(self) -> int:
		(number,) = self._db.execute("select min(batch) from tally where batch > 0").fetchone()
		return number or 0

	def _number(self, rows: int) -> int:
		with self._transaction():
			if not self._db.execute("select 1 from tally where batch = 0 limit 1").fetchone():
				return 0
			self._db.execute("update identity set batch = batch + 1")
			(number,) = self._db.execute("select batch from identity").fetchone()
			self._db.execute(_NUMBER, (number, rows))
		return number

	@contextmanager
	def _transaction(self) -> Iterator[None]:
		self._db.execute("begin immediate")
		try:
			yield
		except BaseException:
			self._db.execute("rollback")
			raise
		self._db.execute("commit")


class Counter:
	"""One worker's counts. `count` is all that a power-on pays for; the rest happens beside it."""

	def __init__(self, path: Path, name: str, every: float):
		self._path = path
		self._name = name
		self._every = every
		self._tallies = rollup.Tallies()
		self._flushing: asyncio.Task[None] | None = None
		self._stopping = asyncio.Event()

	def count(self, decision: Decision, address: str, now: int) -> None:
		"""Count one answer given to `address` at `now` (epoch seconds)."""
		self._tallies.count(rollup.bucket(decision, audience=self._name, address=address, now=now), now)

	def start(self) -> None:
		"""Begin to add to the file every few seconds; needs a running loop."""
		self._flushing = asyncio.get_running_loop().create_task(self._run())

	async def stop(self) -> None:
		"""Add what is left and end."""
		self._stopping.set()
		if self._flushing:
			await self._flushing
		await self.flush()

	async def flush(self) -> None:
		"""Add what was counted to the file; when that fails it stays in memory."""
		taken = self._tallies.take()
		if not taken:
			return
		try:
			await asyncio.to_thread(self._write, taken)
		except Exception as error:
			# Whatever it was, counting must go on.
			log.warning("answers could not be kept, trying again: %s", error)
			self._tallies.put_back(taken)

	async def _run(self) -> None:
		while not self._stopping.is_set():
			try:
				await asyncio.wait_for(self._stopping.wait(), self._every)
			except (asyncio.TimeoutError, TimeoutError):
				await self.flush()

	def _write(self, taken: list[rollup.Tally]) -> None:
		with closing(AnswerFile(self._path)) as file:
			file.add(taken)


def drop_old(file: AnswerFile) -> None:
	"""Keep the file within its bounds, and say so when that costs something."""
	dropped = file.drop_old(int(time.time()))
	if dropped:
		log.error("%s rows of counted answers were dropped: the publisher was away too long", dropped)


def _columns(tally: rollup.Tally) -> tuple[object, ...]:
	bucket = tally.bucket
	facts = (bucket.key, bucket.kind, bucket.code, bucket.serial, bucket.network, bucket.version)
	return (*facts, tally.count, tally.first, tally.last)
