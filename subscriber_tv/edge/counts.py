"""The counts of TVs and the slots of streams at this edge, in a file of their own that every worker writes.

Each change is one atomic statement, so two workers never accept one number twice. The file is not flushed to the disk:
a power cut may take the last seconds, and a TV that then seems to have run ahead, or is asked for what it said before,
at most proves itself anew. It holds serials, numbers and nonces, and nothing that opens anything.

A disk that is full or bad denies nobody: a worker then keeps counts in memory, and until it can write again a question
recorded at one worker may be asked once more at another, which brings its sender the lease of the real TV.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from pathlib import Path

from subscriber_tv.core.activation import counter, lineage, streams
from subscriber_tv.core.activation.counter import Seen

log = logging.getLogger("subscriber_tv.edge")

_SCHEMA = """
create table if not exists counter (serial text primary key, number integer not null, nonce text not null)
	without rowid;
create table if not exists overtaken (serial text primary key, tips text not null) without rowid;
create table if not exists stream (
	account text not null, name text not null, until integer not null, primary key (account, name)
) without rowid;
"""
_NEAR = f"excluded.number > number and excluded.number <= number + {counter.JUMP}"
_COUNT = f"""
insert into counter values (?, ?, ?) on conflict (serial) do update
	set number = excluded.number, nonce = excluded.nonce where {_NEAR}
"""
# A TV that was never seen starts from nothing: what lies beyond the jump is no beginning.
_RUN = f"""
update counter set number = ?2, nonce = ?3
	where serial = ?1 and ?2 > number and ?2 <= number + {counter.JUMP}
"""
_PROVE = """
insert into counter values (?, ?, ?) on conflict (serial) do update
	set number = excluded.number, nonce = excluded.nonce where excluded.number > number
"""
_TRIES = 5
_COMPLAIN_EVERY = 60
# TVs whose counts a worker keeps in memory while it cannot write: about 50 MB.
_HELD = 200_000


class Counts:
	"""One connection to the file, which is made when missing."""

	def __init__(self, path: Path | str):
		if not os.path.exists(path):
			Path(path).parent.mkdir(parents=True, exist_ok=True)
			os.close(os.open(path, os.O_CREAT, 0o600))
		self._held: dict[str, Seen] = {}
		self._complained = -float(_COMPLAIN_EVERY)
		self._db = sqlite3.connect(path, timeout=5, isolation_level=None)
		self._db.execute("pragma journal_mode = wal")
		self._db.execute("pragma synchronous = off")
		self._db.executescript(_SCHEMA)

	def close(self) -> None:
		"""Close the connection."""
		self._db.close()

	def count(self, serial: str, number: int, nonce: str, proven: bool) -> counter.Verdict:
		"""Judge and remember a number, as core.activation.counter says."""
		held = self._held.get(serial)
		if held:
			verdict = counter.judge(held, number, nonce, proven=proven)
			if verdict.kind != counter.ACCEPTED:
				return verdict
		try:
			verdict = self._written(serial, number, nonce, proven)
		except sqlite3.Error as error:
			self._complain(error)
			return self._hold(held or self._readable(serial), serial, number, nonce, proven)
		if held:
			del self._held[serial]
		return verdict

	def _written(self, serial: str, number: int, nonce: str, proven: bool) -> counter.Verdict:
		statement = _PROVE if proven else _COUNT if number <= counter.JUMP else _RUN
		for _attempt in range(_TRIES):
			if self._db.execute(statement, (serial, number, nonce)).rowcount > 0:
				return counter.Verdict(counter.ACCEPTED)
			verdict = counter.judge(self.seen(serial), number, nonce, proven=proven)
			if verdict.kind != counter.ACCEPTED:
				return verdict
			# Another worker counted this TV between the two statements: ask again.
		return counter.Verdict(counter.REPLAYED, self.seen(serial).counter)

	def _hold(self, seen: Seen, serial: str, number: int, nonce: str, proven: bool) -> counter.Verdict:
		verdict = counter.judge(seen, number, nonce, proven=proven)
		if verdict.taken:
			if len(self._held) >= _HELD:
				self._held.pop(next(iter(self._held)))
			self._held[serial] = Seen(number, nonce)
		return verdict

	def _readable(self, serial: str) -> Seen:
		try:
			return self.seen(serial)
		except sqlite3.Error:
			return Seen()

	def _complain(self, error: sqlite3.Error) -> None:
		"""Said once a minute, not once a TV."""
		now = time.monotonic()
		if now - self._complained >= _COMPLAIN_EVERY:
			self._complained = now
			log.error("counts are kept in memory: %s", error)

	def seen(self, serial: str) -> Seen:
		"""What was last counted of a TV."""
		query = "select number, nonce from counter where serial = ?"
		found = self._db.execute(query, (serial,)).fetchone()
		return Seen(*found) if found else Seen()

	def line(self, serial: str) -> lineage.Line:
		"""What is known of a TV's lines, as core.activation.lineage has it; without a disk nothing is."""
		try:
			query = "select tips from overtaken where serial = ?"
			found = self._db.execute(query, (serial,)).fetchone()
			tip = (self._held.get(serial) or self.seen(serial)).nonce
		except sqlite3.Error as error:
			self._complain(error)
			return lineage.Line()
		return lineage.Line(tip, lineage.read(found[0]) if found else ())

	def overtake(self, serial: str, tips: tuple[str, ...]) -> None:
		"""Remember the tips that were overtaken; without a disk they are forgotten."""
		try:
			self._db.execute("replace into overtaken values (?, ?)", (serial, lineage.spell(tips)))
		except sqlite3.Error as error:
			self._complain(error)

	def slots(self, account: str, operation: str, name: str, limit: int, now: int) -> streams.Slots:
		"""Judge and remember a stream, as core.activation.streams says; without a disk nobody is limited."""
		try:
			return self._stored_slots(account, operation, name, limit, now)
		except sqlite3.Error as error:
			self._complain(error)
			return streams.judge({}, operation, name, 0, now)

	def _stored_slots(self, account: str, operation: str, name: str, limit: int, now: int) -> streams.Slots:
		self._db.execute("begin immediate")
		try:
			query = "select name, until from stream where account = ?"
			running = dict(self._db.execute(query, (account,)).fetchall())
			found = streams.judge(running, operation, name, limit, now)
			self._db.execute("delete from stream where account = ?", (account,))
			rows = [(account, name, until) for name, until in found.running.items()]
			self._db.executemany("insert into stream values (?, ?, ?)", rows)
		except BaseException:
			self._db.execute("rollback")
			raise
		self._db.execute("commit")
		return found
