"""Turns the rights outbox into signed, numbered rows of the projection.

Any process may call it, one at a time: the row `TV-RIGHTS-SEQ` of Series is the lock and the counter. A subject
is expanded in chunks; the cursor stays in its outbox row, so a process that dies resumes where it stopped.
The caller commits: each call is one unit of work.
"""

import time
from collections.abc import Iterable

import frappe
from frappe.utils import add_to_date, now_datetime

from subscriber_tv.core.activation import projection
from subscriber_tv.core.activation.feed import OFFER
from subscriber_tv.flows.activation import expand, facts, keys, sign_rows, store_rights
from subscriber_tv.flows.provisioning.follow_rights import follow_rights, is_followed
from subscriber_tv.flows.settings import phase_on

SEQUENCE = "TV-RIGHTS-SEQ"
TURN = "TV-RIGHTS-TURN"
"""Counts the turns in which rights were worked on, whether or not a row got a number."""

CHUNK = 2000
"""TVs signed in one transaction: about a tenth of a second, so nobody waits long for the lock."""

SUBJECTS = 300
"""Subscriptions expanded together, at most."""

DAY = projection.DAY


def publish_pending(*, now: int | None = None, limit: int = CHUNK) -> int:
	"""Expand outbox rows until about `limit` TVs are done; return how many outbox rows were worked on, 0: none wait.

	A row that fails keeps its error, is tried again later and holds nobody up. Call it in a transaction of
	its own: it may begin a new one.
	"""
	if not phase_on("activation"):
		return 0
	now = int(time.time()) if now is None else now
	if not _waiting_rows(1):
		return 0
	keys.lease_signer()  # without it no row can be signed; better one error than one on every row
	lock_sequence()
	rows = _merged(_waiting_rows(limit))
	together = _together(rows, now, limit)
	if together:
		return together
	done = spent = 0
	for row in rows:
		if spent >= limit:
			break
		spent += _expand_safely(row, now, limit)
		done += 1
	return done


def publish_devices(serials: Iterable[str], *, now: int | None = None, again: bool = False) -> int:
	"""Publish these TVs and their offers now, whatever the outbox says; return how many rows got a new number.

	:param again: sign rows again whose facts did not change, because their lease grows old
	"""
	if not phase_on("activation"):
		return 0
	now = int(time.time()) if now is None else now
	lock_sequence()
	return _publish(facts.of_devices(serials), now, again)


def resign_due(now: int | None = None, limit: int = CHUNK, failed: set[str] | None = None) -> int:
	"""Sign the rows again whose lease is a day old, or whose rights began or ended; return how many were due.

	:param failed: serials to pass over; those that cannot be signed are added, so that asking again comes to an end
	"""
	if not phase_on("activation"):
		return 0
	now = int(time.time()) if now is None else now
	failed = set() if failed is None else failed
	if not _due(now, limit, failed):
		return 0
	lock_sequence()
	serials = _due(now, limit, failed)
	failed.update(_resign(serials, now))
	return len(serials)


def current_sequence() -> int:
	"""The highest number given so far."""
	series = frappe.qb.DocType("Series")
	found = frappe.qb.from_(series).select(series.current).where(series.name == SEQUENCE).run()
	return int(found[0][0]) if found else 0


def lock_sequence() -> None:
	"""Wait for the turn to number rows, and to make orders from them.

	Facts read from a snapshot older than the last turn could overwrite what newer ones made. When somebody had a turn
	since this transaction began to read, it is ended and a fresh one begins; nothing is written before this point.
	"""
	seen = _turn()
	_locked_sequence()
	if _turn(locked=True) != seen:
		frappe.db.rollback()
		_locked_sequence()
	series = frappe.qb.DocType("Series")
	turn = frappe.qb.into(series).columns("name", "current").insert(TURN, 1)
	turn.on_duplicate_key_update(series.current, series.current + 1).run()


def _turn(locked: bool = False) -> int:
	series = frappe.qb.DocType("Series")
	query = frappe.qb.from_(series).select(series.current).where(series.name == TURN)
	found = (query.for_update() if locked else query).run()
	return int(found[0][0]) if found else 0


def _locked_sequence() -> int:
	series = frappe.qb.DocType("Series")
	query = frappe.qb.from_(series).select(series.current).where(series.name == SEQUENCE).for_update()
	found = query.run()
	if not found:
		frappe.qb.into(series).columns("name", "current").insert(SEQUENCE, 0).ignore().run()
		found = query.run()
	return int(found[0][0])


def _publish(found: projection.Facts, now: int, again: bool = False) -> int:
	"""Compile, sign and number what changed. The caller holds the sequence."""
	rows = projection.compile(found, now)
	before = store_rights.stored(store_rights.name_of(row.kind, row.subject) for row in rows)
	seq = _locked_sequence()
	numbered: list[sign_rows.Numbered] = []
	for row in rows:
		old = before.get(store_rights.name_of(row.kind, row.subject))
		changed = row.facts_hash != (old and old.facts_hash)
		if not (_still_stands(row, old) if row.removed else changed or (again and row.kind != OFFER)):
			continue
		seq += 1
		numbered.append((row, seq if changed else old.version, seq))
	_store(sign_rows.sign_rows(numbered, now), found, now)
	if numbered:
		series = frappe.qb.DocType("Series")
		frappe.qb.update(series).set(series.current, seq).where(series.name == SEQUENCE).run()
	return len(numbered)


def _store(batches: Iterable[list[projection.Signed]], found: projection.Facts, now: int) -> None:
	if is_followed():
		# Platforms are told of all at once: what a contract's account shall hold follows from the whole.
		batches = [[row for batch in batches for row in batch]]
		follow_rights(batches[0], found, now)
	for batch in batches:
		store_rights.save(batch)


def _resign(serials: list[str], now: int) -> list[str]:
	"""Sign all at once; when one cannot be compiled, one by one, so that it alone keeps its old lease. Returns those."""
	frappe.db.savepoint("tv_resign")
	try:
		_publish(facts.of_devices(serials), now, again=True)
		return []
	except Exception:
		frappe.db.rollback(save_point="tv_resign")
		if len(serials) > 1:
			return [failed for serial in serials for failed in _resign([serial], now)]
		frappe.log_error(title=f"TV rights: signing again {serials[0]}")
		return serials


def _still_stands(row: projection.Unsigned, old) -> bool:
	"""A TV that lost its rights needs a tombstone only where a row of it stands."""
	return bool(old) and not old.removed


def _together(rows: list, now: int, limit: int) -> int:
	"""Publish the single TVs and whole contracts among these rows in one go; return how many rows are done.

	A van that comes back with a hotel's TVs notes each of them, and an operator who starts has ten thousand contracts.
	When one cannot be compiled none is done here, and each is tried for itself.
	"""
	fresh = [row for row in rows if not row.attempts and not row.cursor]
	serials = {row.name: row.subject for row in fresh if row.subject_type == "Device"}
	serials = dict(list(serials.items())[:limit])
	contracts = {row.subject: row.name for row in fresh if row.subject_type == "Subscription"}
	held = expand.whole_contracts(list(contracts)[:SUBJECTS], limit - len(serials))
	done = [*serials, *(contracts[name] for name in held)]
	if len(done) < 2:
		return 0
	frappe.db.savepoint("tv_outbox_together")
	try:
		tvs = [*serials.values(), *(serial for found in held.values() for serial in found)]
		_publish(facts.of_devices(tvs, held), now)
	except Exception:
		frappe.db.rollback(save_point="tv_outbox_together")
		return 0
	frappe.db.delete("TV Rights Outbox", {"name": ("in", done)})
	return len(done)


def _expand_safely(row, now: int, limit: int) -> int:
	frappe.db.savepoint("tv_outbox_row")
	try:
		return _expand(row, now, limit)
	except Exception as error:
		# One subject that cannot be compiled must not stop the others; its row says why, and so does the log.
		frappe.db.rollback(save_point="tv_outbox_row")
		frappe.log_error(title=f"TV rights: {row.subject_type} {row.subject}")
		values = {"attempts": row.attempts + 1, "error": str(error)[:500]}
		frappe.db.set_value("TV Rights Outbox", row.name, values)
		return 1


def _expand(row, now: int, limit: int) -> int:
	"""One chunk of one outbox row; the row goes when its subject is done. Returns the TVs it cost."""
	if row.subject_type == "Offer":
		_publish(facts.of_offer(row.subject), now)
		frappe.db.delete("TV Rights Outbox", {"name": row.name})
		return 1
	serials = expand.next_serials(row, limit)
	_publish(facts.of_devices(serials, [row.subject] if row.subject_type == "Subscription" else ()), now)
	if len(serials) < limit or row.subject_type == "Device":
		frappe.db.delete("TV Rights Outbox", {"name": row.name})
	else:
		frappe.db.set_value("TV Rights Outbox", row.name, "cursor", serials[-1])
	return max(1, len(serials))


def _waiting_rows(limit: int) -> list:
	"""Outbox rows in order; one that failed rests as many minutes as it had attempts, at most an hour."""
	outbox = frappe.qb.DocType("TV Rights Outbox")
	rows = (
		frappe.qb.from_(outbox)
		.select(
			outbox.name,
			outbox.subject_type,
			outbox.subject,
			outbox["cursor"],
			outbox.attempts,
			outbox.modified,
		)
		.orderby(outbox.attempts, outbox.name)
		.limit(limit)
		.run(as_dict=True)
	)
	now = now_datetime()
	return [
		row
		for row in rows
		if not row.attempts or add_to_date(row.modified, minutes=min(row.attempts, 60)) <= now
	]


def _merged(rows: list) -> list:
	"""Rows of one subject that nobody has begun are one piece of work: the first stays, the others go.

	Only rows read here are removed: one that is committed meanwhile speaks of facts that this view does not have.
	"""
	first: dict[tuple[str, str], int] = {}
	kept, spare = [], []
	for row in rows:
		begun = row.cursor or row.attempts
		same = not begun and first.setdefault((row.subject_type, row.subject), row.name) != row.name
		(spare if same else kept).append(row)
	if spare:
		frappe.db.delete("TV Rights Outbox", {"name": ("in", [row.name for row in spare])})
	return kept


def _due(now: int, limit: int, failed: set[str]) -> list[str]:
	"""TVs whose lease was signed a day ago or more, and those whose rights began or ended since, without the failed ones."""
	row = frappe.qb.DocType("TV Entitlement")
	query = frappe.qb.from_(row).select(row.subject).where((row.due_at > 0) & (row.due_at <= now))
	query = query.where((row.kind == "Device") & (row.removed == 0))
	query = query.where(row.subject.notin(list(failed) or [""]))
	return query.orderby(row.due_at).limit(limit).run(pluck=True)
