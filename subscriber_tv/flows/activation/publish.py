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
from subscriber_tv.flows.activation import facts, keys, store_rights
from subscriber_tv.flows.mqtt import broker
from subscriber_tv.flows.provisioning.follow_rights import follow_rights
from subscriber_tv.flows.settings import phase_on

SEQUENCE = "TV-RIGHTS-SEQ"
TURN = "TV-RIGHTS-TURN"
"""Counts the turns in which rights were worked on, whether or not a row got a number."""

CHUNK = 500
"""TVs signed in one transaction: about a tenth of a second, so nobody waits long for the lock."""

DAY = 86_400


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
	together = _devices_together(rows, now)
	done = spent = len(together)
	for row in rows:
		if spent >= limit:
			break
		if row.name not in together:
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
	signer, settings = keys.lease_signer(), frappe.get_cached_doc("TV Settings")
	max_stale = (settings.max_stale_hours or 168) * 3600
	issuer, has_broker = settings.issuer or "subscriber_tv", broker.enabled()
	seq = _locked_sequence()
	signed = []
	for row in rows:
		old = before.get(store_rights.name_of(row.kind, row.subject))
		changed = row.facts_hash != (old and old.facts_hash)
		if not (_still_stands(row, old) if row.removed else changed or (again and row.kind != OFFER)):
			continue
		seq += 1
		version = seq if changed else old.version
		done = projection.sign(row, signer, now, max_stale, issuer, version, has_broker=has_broker)
		signed.append(
			projection.Signed(done.entry.numbered(seq), done.subscription, done.facts_hash, done.signed_at)
		)
	follow_rights(signed, found, now)
	store_rights.save(signed)
	if signed:
		series = frappe.qb.DocType("Series")
		frappe.qb.update(series).set(series.current, seq).where(series.name == SEQUENCE).run()
	return len(signed)


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


def _devices_together(rows: list, now: int) -> set[int]:
	"""Publish the single TVs among these rows in one go; return the rows that are done.

	A van that comes back with a hotel's TVs notes each of them. When one cannot be compiled none is done here, and each
	is tried for itself.
	"""
	fresh = {row.name: row.subject for row in rows if row.subject_type == "Device" and not row.attempts}
	if len(fresh) < 2:
		return set()
	frappe.db.savepoint("tv_outbox_devices")
	try:
		_publish(facts.of_devices(fresh.values()), now)
	except Exception:
		frappe.db.rollback(save_point="tv_outbox_devices")
		return set()
	frappe.db.delete("TV Rights Outbox", {"name": ("in", list(fresh))})
	return set(fresh)


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
	serials = _serials(row, limit)
	_publish(facts.of_devices(serials, [row.subject] if row.subject_type == "Subscription" else ()), now)
	if len(serials) < limit or row.subject_type == "Device":
		frappe.db.delete("TV Rights Outbox", {"name": row.name})
	else:
		frappe.db.set_value("TV Rights Outbox", row.name, "cursor", serials[-1])
	return max(1, len(serials))


def _serials(row, limit: int) -> list[str]:
	"""The next TVs of the subject, after its cursor: those bound to it, and those that still have its rights."""
	if row.subject_type == "Device":
		return [row.subject]
	device = frappe.qb.DocType("TV Device")
	bound = (
		frappe.qb.from_(device)
		.select(device.name)
		.where(device[row.subject_type.lower()] == row.subject)
		.where((device.line_id != "") & (device.name > (row.cursor or "")))
		.orderby(device.name)
		.limit(limit)
		.run(pluck=True)
	)
	if row.subject_type == "Site":
		return bound
	rights = frappe.qb.DocType("TV Entitlement")
	entitled = (
		frappe.qb.from_(rights)
		.select(rights.subject)
		.where((rights.subscription == row.subject) & (rights.removed == 0))
		.where((rights.kind == "Device") & (rights.subject > (row.cursor or "")))
		.orderby(rights.subject)
		.limit(limit)
		.run(pluck=True)
	)
	return sorted({*bound, *entitled})[:limit]


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
	"""TVs whose lease was signed a day ago or more, and those whose rights began or ended since, without the failed ones.

	Three questions rather than one with `or`, so that each reads its own index.
	"""
	max_stale = (frappe.get_cached_doc("TV Settings").max_stale_hours or 168) * 3600
	row = frappe.qb.DocType("TV Entitlement")
	renewable = (row.rights_until == 0) | (row.expires_at < row.rights_until)
	aged = now + max_stale - min(DAY, max_stale // 2)
	due = (
		(row.expires_at > 0) & (row.expires_at <= aged) & renewable,
		(row.rights_until > 0) & (row.rights_until <= now) & (row.state == "Active"),
		(row.state == "Not Started") & (row.rights_from > 0) & (row.rights_from <= now),
	)
	serials: list[str] = []
	for condition in due:
		query = frappe.qb.from_(row).select(row.subject).where(condition)
		query = query.where(
			(row.kind == "Device") & (row.removed == 0) & row.subject.notin(list(failed) or [""])
		)
		serials += query.limit(limit).run(pluck=True)
	return list(dict.fromkeys(serials))[:limit]
