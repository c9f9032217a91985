"""The edge's own file: the projection in SQLite, read by every worker, written by the sync alone.

Nothing enters that the publisher did not sign. A delta must begin where the file ends; a snapshot replaces everything,
but only when its last page is in, so TVs are answered all the while and a snapshot cut short does no harm.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from subscriber_tv.core.activation import feed
from subscriber_tv.core.activation.decide import Row
from subscriber_tv.core.devices.jws import Verifier

log = logging.getLogger("subscriber_tv.edge")

_SCHEMA = """
create table if not exists device (serial text primary key, generation integer not null, entry blob not null);
create table if not exists offer (name text primary key, generation integer not null, hash text not null);
create table if not exists document (hash text primary key, generation integer not null, token text not null);
create table if not exists state (
	id integer primary key check (id = 1),
	seq integer not null, as_of integer not null, devices integer not null, generation integer not null
);
insert or ignore into state values (1, 0, 0, 0, 0);
"""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(feed.Entry).decode


class OutOfOrder(Exception):
	"""A genuine page that does not continue this file: take a snapshot."""


@dataclass(frozen=True)
class State:
	"""How far the file is: the last number, the moment its content was true (epoch seconds), its TVs.

	`generation` counts the snapshots begun; every row bears that of the snapshot or delta which wrote it.
	"""

	seq: int
	as_of: int
	devices: int
	generation: int

	def age(self, now: int) -> int:
		"""Seconds since the publisher last confirmed the content."""
		return max(0, now - self.as_of)


class Store:
	"""One connection to the file. `read_only` is for workers; only one process may write."""

	def __init__(self, path: Path | str, read_only: bool = False):
		if not read_only and not os.path.exists(path):
			Path(path).parent.mkdir(parents=True, exist_ok=True)
			os.close(os.open(path, os.O_CREAT, 0o600))
		self._db = sqlite3.connect(path, timeout=10, isolation_level=None)
		self._db.execute("pragma journal_mode = wal")
		self._db.execute("pragma synchronous = normal")
		if read_only:
			self._db.execute("pragma query_only = on")
		else:
			self._db.executescript(_SCHEMA)

	def close(self) -> None:
		"""Close the connection."""
		self._db.close()

	# reading

	def state(self) -> State:
		"""How far the file is; `as_of` 0 means that it never held anything."""
		row = self._db.execute("select seq, as_of, devices, generation from state").fetchone()
		return State(*row)

	def row(self, serial: str) -> Row | None:
		"""The row of one TV, as the decision reads it."""
		found = self._db.execute("select entry from device where serial = ?", (serial,)).fetchone()
		return _decode(found[0]).row() if found else None

	def documents(self, offers: Sequence[str]) -> list[str]:
		"""The hashes of these offers' current documents, in their order; an unknown offer has none."""
		query = "select hash from offer where name = ?"
		found = (self._db.execute(query, (name,)).fetchone() for name in offers)
		return [row[0] for row in found if row]

	def document(self, document_hash: str) -> str | None:
		"""The signed offer document of that hash."""
		query = "select token from document where hash = ?"
		found = self._db.execute(query, (document_hash,)).fetchone()
		return found[0] if found else None

	# writing

	def apply_delta(self, body: bytes, signature: str, verifier: Verifier) -> State:
		"""Apply one page of changes. BadPage when it is not the publisher's, OutOfOrder when it does not follow."""
		page = feed.decode_page(body, signature, verifier)
		state = self.state()
		if page.kind != feed.DELTA or page.after != state.seq or _is_older(page, state):
			raise OutOfOrder(f"the page covers {page.after} to {page.upto}, the file ends at {state.seq}")
		with self._transaction():
			change = self._put(page.rows, state.generation)
			self._advance(page, state.devices + change, state.generation)
		return self.state()

	def load_snapshot(self, pages: Iterable[tuple[bytes, str]], verifier: Verifier) -> State:
		"""Replace the content by the snapshot in `pages`, (body, signature) each. Errors as for `apply_delta`.

		Pages may be generated while they are asked for. An error leaves the old number in place.
		"""
		state = self.state()
		generation = state.generation + 1
		# Noted before the first row, so that what an unfinished snapshot left behind never counts as the next one's.
		self._db.execute("update state set generation = ?", (generation,))
		upto = 0
		for body, signature in pages:
			page = feed.decode_page(body, signature, verifier)
			if page.kind != feed.SNAPSHOT or page.after != upto or _is_older(page, state):
				raise OutOfOrder(f"the page covers {page.after} to {page.upto}, the snapshot is at {upto}")
			upto = page.upto
			with self._transaction():
				self._put(page.rows, generation)
				if page.last:
					return self._finish(page, generation)
		raise OutOfOrder("the snapshot has no last page")

	def _finish(self, page: feed.Page, generation: int) -> State:
		self._db.execute("delete from device where generation <> ?", (generation,))
		self._db.execute("delete from offer where generation <> ?", (generation,))
		self._db.execute("delete from document where generation <> ?", (generation,))
		(devices,) = self._db.execute("select count(*) from device").fetchone()
		self._advance(page, devices, generation)
		return self.state()

	def _put(self, rows: Sequence[feed.Entry], generation: int) -> int:
		"""Write the rows; returns by how many TVs the file grew."""
		devices = [row for row in rows if row.kind == feed.DEVICE]
		offers = [row for row in rows if row.kind == feed.OFFER]
		kept = [(row.subject, generation, _encode(row)) for row in devices if not row.removed]
		deleted = self._db.executemany(
			"delete from device where serial = ?", [(row.subject,) for row in devices]
		).rowcount
		self._db.executemany("insert or replace into device values (?, ?, ?)", kept)
		self._db.executemany("delete from offer where name = ?", [(row.subject,) for row in offers])
		current = [row for row in offers if not row.removed]
		self._db.executemany(
			"insert or replace into offer values (?, ?, ?)",
			[(row.subject, generation, row.document_hash) for row in current],
		)
		# A replaced document stays until the next snapshot: a TV may just have been told its hash.
		self._db.executemany(
			"insert or replace into document values (?, ?, ?)",
			[(row.document_hash, generation, row.document) for row in current],
		)
		return len(kept) - max(0, deleted)

	def _advance(self, page: feed.Page, devices: int, generation: int) -> None:
		self._db.execute(
			"update state set seq = ?, as_of = max(as_of, ?), devices = ?, generation = ?",
			(page.upto, page.as_of, devices, generation),
		)

	@contextmanager
	def _transaction(self) -> Iterator[None]:
		self._db.execute("begin immediate")
		try:
			yield
		except BaseException:
			self._db.execute("rollback")
			raise
		self._db.execute("commit")


def set_damaged_aside(path: Path | str) -> None:
	"""Rename a file that SQLite cannot read (a bad disk, a torn copy) to `.damaged`, so that the caller makes a new one.

	Call it before anybody opens the file. What an edge keeps is a copy: a snapshot brings everything back.
	"""
	if not os.path.exists(path):
		return
	try:
		with closing(sqlite3.connect(path, timeout=10)) as file:
			problem = file.execute("pragma quick_check(1)").fetchone()[0]
	except sqlite3.OperationalError:
		raise  # locked, or not ours to read: the file itself may be sound
	except sqlite3.DatabaseError as error:
		problem = str(error)
	if problem == "ok":
		return
	log.error("%s is damaged (%s): it is set aside and everything is fetched again", path, problem)
	for suffix in ("-wal", "-shm"):
		Path(f"{path}{suffix}").unlink(missing_ok=True)
	os.replace(path, f"{path}.damaged")


def _is_older(page: feed.Page, state: State) -> bool:
	"""A page from the past is a replay, however well it is signed."""
	return page.as_of + feed.CLOCK_SKEW < state.as_of
