"""The edge's own file: the projection in SQLite, read by every worker, written by the sync alone.

Nothing enters that the publisher did not sign. A delta must begin where the file ends; a snapshot replaces everything,
but only when its last page is in, so TVs are answered all the while and a snapshot cut short does no harm.

Nothing leaves that a bad disk changed: every row bears a checksum, and a TV that is not found is unknown only if the
whole file was checked (soundness.py). Otherwise the reader raises `Damaged`, and TVs are told to ask again.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from subscriber_tv.core.activation import compact, feed
from subscriber_tv.core.activation.decide import Row
from subscriber_tv.core.devices.jws import FEED, BadSignature, Verifier
from subscriber_tv.edge import runtime

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
create table if not exists seal (id integer primary key check (id = 1), token text not null);
"""

# Rows have borne checksums since this version of the file.
_VERSION = 2
# Of the file, what the writer keeps in memory while it fills it (kB).
_WRITERS_CACHE = 65_536


class Damaged(sqlite3.DatabaseError):
	"""The file does not hold what was written, or may not: nobody can be told anything from it."""


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
		self._path = path
		self._read_only = read_only
		self._open()
		if not read_only:
			self._make()

	def _open(self) -> None:
		self._inode = os.stat(self._path).st_ino
		self._is_sound = runtime.is_sound(self._inode)
		self._db = sqlite3.connect(self._path, timeout=10, isolation_level=None)
		self._one("pragma journal_mode = wal", ())
		self._db.execute("pragma synchronous = normal")
		if self._read_only:
			self._db.execute("pragma query_only = on")
		else:
			self._db.execute(f"pragma cache_size = -{_WRITERS_CACHE}")

	def _make(self) -> None:
		(version,) = self._db.execute("pragma user_version").fetchone()
		self._db.executescript(_SCHEMA)
		if version < _VERSION:
			with self._transaction():
				self._db.create_function("sealed", 2, sealed, deterministic=True)
				self._db.execute("update device set entry = sealed(serial, entry)")
				self._db.execute(f"pragma user_version = {_VERSION}")

	def close(self) -> None:
		"""Close the connection."""
		self._db.close()

	# reading

	def state(self) -> State:
		"""How far the file is; `as_of` 0 means that it never held anything.

		A reader asks for it once a second, and finds a file that took the place of this one.
		"""
		if self._read_only:
			self._follow_file()
		return State(*self._one("select seq, as_of, devices, generation from state", ()) or (0, 0, 0, 0))

	def row(self, serial: str) -> Row | None:
		"""The row of one TV, as the decision reads it. Damaged when it, or the file in which it is missing, is."""
		found = self._one("select entry from device where serial = ?", (serial,))
		if found:
			try:
				return compact.row(serial, self._opened(serial, found[0]))
			except (msgspec.MsgspecError, LookupError) as error:
				raise self._met(f"the row of {serial} cannot be read: {error}") from None
		if self._read_only and not self._is_sound:
			raise Damaged("the file is not checked yet: nobody can be called unknown")
		return None

	def documents(self, offers: Sequence[str]) -> list[str]:
		"""The hashes of these offers' current documents, in their order; an unknown offer has none."""
		query = "select hash from offer where name = ?"
		found = (self._one(query, (name,)) for name in offers)
		return [row[0] for row in found if row]

	def document(self, document_hash: str) -> str | None:
		"""The signed offer document of that hash."""
		found = self._one("select token from document where hash = ?", (document_hash,))
		return found[0] if found else None

	@contextmanager
	def frozen(self) -> Iterator[None]:
		"""Whatever is read within belongs to one moment."""
		self._db.execute("begin")
		try:
			yield
		finally:
			self._db.execute("rollback")

	def packed(self) -> Iterator[tuple[str, bytes]]:
		"""Every TV's serial and its row as `core.activation.compare` fingerprints it, in no order."""
		for serial, blob in self._db.execute("select serial, entry from device"):
			yield serial, compact.newest(serial, self._opened(serial, blob))

	def offers(self) -> dict[str, str]:
		"""Every offer version's current document hash."""
		return dict(self._db.execute("select name, hash from offer").fetchall())

	def check(self) -> None:
		"""Read everything; Damaged when anything is not what was written. Takes seconds at full size."""
		try:
			(problem,) = self._db.execute("pragma integrity_check(1)").fetchone()
			for serial, blob in self._db.execute("select cast(serial as blob), entry from device"):
				self._opened(serial.decode(errors="replace"), blob)
		except (sqlite3.Error, UnicodeDecodeError) as error:
			raise Damaged(str(error)) if _is_damage(error) else error from None
		if problem != "ok":
			raise Damaged(problem)

	def check_origin(self, verifier: Verifier) -> None:
		"""Damaged when what filled this file last was not signed by our publisher: it is somebody else's file."""
		found = self._one("select token from seal", ())
		try:
			if found:
				verifier.verify(FEED, found[0])
		except BadSignature:
			raise Damaged("it was filled by another publisher") from None

	@property
	def is_replaced(self) -> bool:
		"""Whether the file has another one in its place by now, or none."""
		try:
			return os.stat(self._path).st_ino != self._inode
		except FileNotFoundError:
			return True

	@property
	def inode(self) -> int:
		"""Which file this is, whatever is called so by now."""
		return self._inode

	def _one(self, query: str, values: tuple[object, ...]) -> tuple | None:
		try:
			return self._db.execute(query, values).fetchone()
		except (sqlite3.Error, UnicodeDecodeError) as error:
			raise self._met(str(error)) if _is_damage(error) else error from None

	def _opened(self, serial: str, blob: bytes) -> bytes:
		content = blob[4:]
		if sealed(serial, content) != blob:
			raise self._met(f"the row of {serial} is not what was written")
		return content

	def _met(self, problem: str) -> Damaged:
		"""Damage was met: whoever keeps the file up to date must know."""
		self._is_sound = False
		# What a fresh file took the place of needs no other one.
		if not self.is_replaced and runtime.note_damage():
			log.error(
				"%s is damaged (%s): rows that are whole are served until it is replaced", self._path, problem
			)
		return Damaged(problem)

	def _follow_file(self) -> None:
		try:
			inode = os.stat(self._path).st_ino
		except OSError:
			return  # nothing took its place yet
		# A file that nobody vouches for is not ours: the one that was open serves on, though it has no name any more.
		if inode != self._inode and runtime.is_sound(inode):
			self._db.close()
			self._open()
		self._is_sound = runtime.is_sound(self._inode)

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
			self._seal(signature)
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
					self._seal(signature)
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
		kept = [
			(generation, sealed(row.subject, compact.pack(row)), row.subject)
			for row in devices
			if not row.removed
		]
		# In place, so that the file does not grow by rows that are signed again.
		known = self._db.executemany(
			"update device set generation = ?, entry = ? where serial = ?", kept
		).rowcount
		if known < len(kept):
			self._db.executemany(
				"insert or ignore into device (generation, entry, serial) values (?, ?, ?)", kept
			)
		gone = [(row.subject,) for row in devices if row.removed]
		deleted = self._db.executemany("delete from device where serial = ?", gone).rowcount
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
		return len(kept) - max(0, known) - max(0, deleted)

	def _advance(self, page: feed.Page, devices: int, generation: int) -> None:
		self._db.execute(
			"update state set seq = ?, as_of = max(as_of, ?), devices = ?, generation = ?",
			(page.upto, page.as_of, devices, generation),
		)

	def _seal(self, signature: str) -> None:
		"""Keep the signature of the last page: it says whose file this is."""
		self._db.execute("insert or replace into seal values (1, ?)", (signature,))

	@contextmanager
	def _transaction(self) -> Iterator[None]:
		self._db.execute("begin immediate")
		try:
			yield
		except BaseException:
			self._db.execute("rollback")
			raise
		self._db.execute("commit")


def prepare(path: Path | str, verifier: Verifier) -> None:
	"""Make the file when it is missing, cannot even be opened or is somebody else's.

	What it holds is checked later, while TVs are served.
	"""
	set_damaged_aside(path, whole=False)
	try:
		with closing(Store(path)) as store:
			store.check_origin(verifier)
	except (sqlite3.Error, UnicodeDecodeError) as error:
		if not _is_damage(error):
			raise
		log.error("%s is damaged (%s): it is set aside and everything is fetched again", path, error)
		put_in_place(path, None)
		Store(path).close()


def set_damaged_aside(path: Path | str, whole: bool = True) -> None:
	"""Rename a file that SQLite cannot read (a bad disk, a torn copy) to `.damaged`, so that the caller makes a new one.

	Call it before anybody opens the file. What an edge keeps is a copy: a snapshot brings everything back.

	:param whole: read all of it, and not only how it begins
	"""
	if not os.path.exists(path):
		return
	try:
		with closing(sqlite3.connect(path, timeout=10)) as file:
			query = "pragma quick_check(1)" if whole else "select 'ok' from sqlite_schema limit 1"
			problem = (file.execute(query).fetchone() or ("ok",))[0]
	except (sqlite3.Error, UnicodeDecodeError) as error:
		if not _is_damage(error):
			raise  # locked, or not ours to read: the file itself may be sound
		problem = str(error)
	if problem == "ok":
		return
	log.error("%s is damaged (%s): it is set aside and everything is fetched again", path, problem)
	put_in_place(path, None)


def put_in_place(path: Path | str, fresh: Path | str | None) -> None:
	"""Keep the file as `.damaged` and give its name to `fresh`, if any. Who has it open goes on reading the old one."""
	if os.path.exists(path):
		if os.path.lexists(f"{path}.damaged"):
			os.unlink(f"{path}.damaged")
		os.link(path, f"{path}.damaged")
	for suffix in ("-wal", "-shm"):
		Path(f"{path}{suffix}").unlink(missing_ok=True)
	if fresh:
		os.replace(fresh, path)
	else:
		Path(path).unlink(missing_ok=True)


def sealed(serial: str, content: bytes) -> bytes:
	"""What a row holds: a checksum of serial and content, and the content."""
	return zlib.crc32(content, zlib.crc32(serial.encode())).to_bytes(4, "big") + content


def _is_damage(error: Exception) -> bool:
	"""Whether the file is to blame, and not a lock, a full disk or a missing right. Damaged text cannot be decoded."""
	return not isinstance(error, sqlite3.OperationalError) or "decode" in str(error)


def _is_older(page: feed.Page, state: State) -> bool:
	"""A page from the past is a replay, however well it is signed."""
	return page.as_of + feed.CLOCK_SKEW < state.as_of
