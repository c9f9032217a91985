"""What the desk supplies to core: its name, the masters, its own rows of rights, and the counts of TVs that ask it."""

import frappe
from frappe.utils import now_datetime

from subscriber_tv.core.activation import counter, documents, limits, lineage, streams
from subscriber_tv.core.activation.counter import Verdict
from subscriber_tv.core.activation.decide import Row
from subscriber_tv.core.activation.feed import DEVICE
from subscriber_tv.core.activation.parental import Guesses
from subscriber_tv.core.devices.requests import DESK, StreamSlot
from subscriber_tv.flows.activation import keys, publish, store_rights
from subscriber_tv.flows.mqtt import broker

# One atomic statement: of two requests with one number, one is counted. `number` is set last, since each assignment
# sees the ones before it. Rows changed: 1 for a new one, 2 for one that counted on, 0 for one that stays.
_COUNT = """
	insert into `tabTV Counter` (name, creation, modified, owner, modified_by, docstatus, number, nonce)
	values (%(serial)s, %(now)s, %(now)s, %(user)s, %(user)s, 0, %(number)s, %(nonce)s)
	on duplicate key update
		nonce = if(%(number)s > number and %(number)s <= number + %(jump)s, %(nonce)s, nonce),
		modified = if(%(number)s > number and %(number)s <= number + %(jump)s, %(now)s, modified),
		number = if(%(number)s > number and %(number)s <= number + %(jump)s, %(number)s, number)
"""
_ANY_JUMP = 10**17
_TRIES = 5


class DeskNode:
	"""The desk, as it stands at `now` (epoch seconds UTC)."""

	def __init__(self, now: int, audience: str = DESK):
		self.audience = audience
		self.masters = keys.masters()
		self.guesses = Guesses(_InRedis)
		self._now = now

	def row(self, serial: str) -> Row | None:
		"""The TV's row of the projection, made up to date first when a change of its subjects still waits.

		So the very next power-on is right even while no publisher runs; only this TV is published here, its
		subject's other TVs stay the publisher's work.
		"""
		if _change_waits(serial):
			publish.publish_devices([serial], now=self._now)
		found = store_rights.entry(DEVICE, serial)
		return found.row() if found else None

	def documents(self, offers) -> list[str]:
		"""Hashes of the current documents of these offer versions."""
		return store_rights.document_hashes(offers)

	def channels(self, offers) -> dict[str, int]:
		"""Codes of the channels in these offer versions, and for which age on each is."""
		tokens = (store_rights.document(document) for document in self.documents(offers))
		return documents.channel_ages(token for token in tokens if token)

	def count(self, serial: str, number: int, nonce: str, proven: bool) -> Verdict:
		"""Judge and remember a number: core.activation.counter, in one statement."""
		if number > counter.JUMP and not proven and not frappe.db.exists("TV Counter", serial):
			return Verdict(counter.RESYNC, 0)
		for _attempt in range(_TRIES):
			if _count(serial, number, nonce, proven):
				return Verdict(counter.ACCEPTED)
			verdict = counter.judge(_seen(serial), number, nonce, proven=proven)
			if verdict.kind != counter.ACCEPTED:
				return verdict
		return Verdict(counter.REPLAYED, _seen(serial).counter)

	def place(self, serial: str) -> dict[str, str] | None:
		"""The TV's place at the message broker, when the site uses one."""
		site, model = frappe.db.get_value("TV Device", serial, ["site", "model"]) or (None, None)
		return broker.place_of(serial, site, model)

	def line(self, serial: str) -> lineage.Line:
		"""What is known of a TV's lines."""
		found = frappe.db.get_value("TV Counter", serial, ["nonce", "overtaken"])
		return lineage.Line(found[0] or "", lineage.read(found[1] or "")) if found else lineage.Line()

	def overtake(self, serial: str, tips: tuple[str, ...]) -> None:
		"""Remember the tips that were overtaken."""
		frappe.db.set_value("TV Counter", serial, "overtaken", lineage.spell(tips))

	def slots(self, row: Row, request: StreamSlot, now: int) -> streams.Slots:
		"""Judge and remember a stream. Slots live in Redis: they last 90 seconds, and its being away limits nobody."""
		name = f"tv-streams|{row.account or row.serial}"
		try:
			with frappe.cache.lock(frappe.cache.make_key(f"{name}|lock"), timeout=5, blocking_timeout=2):
				running = frappe.cache.get_value(name, expires=True) or {}
				found = streams.judge(running, request.o, request.sid, row.streams, now)
				frappe.cache.set_value(name, dict(found.running), expires_in_sec=streams.SLOT)
				return found
		except Exception:
			frappe.logger("subscriber_tv").warning("No limit of streams without Redis", exc_info=True)
			return streams.judge({}, request.o, request.sid, 0, now)


class _InRedis(limits.Limiter):
	"""Every process of the site counts together; Redis being away limits nobody."""

	def _moment(self, key) -> float:
		try:
			return float(frappe.cache.get_value(f"tv-pins|{key}", expires=True) or 0)
		except Exception:
			frappe.logger("subscriber_tv").warning("No limit of PINs without Redis", exc_info=True)
			return 0.0

	def _put(self, key, moment: float) -> None:
		try:
			frappe.cache.set_value(f"tv-pins|{key}", moment, expires_in_sec=3600)
		except Exception:
			frappe.logger("subscriber_tv").warning("No limit of PINs without Redis", exc_info=True)


def _count(serial: str, number: int, nonce: str, proven: bool) -> bool:
	"""Whether this number was counted now."""
	values = {
		"serial": serial,
		"number": number,
		"nonce": nonce,
		"jump": _ANY_JUMP if proven else counter.JUMP,
		"now": now_datetime(),
		"user": frappe.session.user,
	}
	frappe.db.sql(_COUNT, values)
	return frappe.db._cursor.rowcount > 0


def _seen(serial: str) -> counter.Seen:
	"""What is counted of a TV, past this transaction's snapshot: another request may have counted it just now."""
	table = frappe.qb.DocType("TV Counter")
	query = frappe.qb.from_(table).select(table.number, table.nonce).where(table.name == serial)
	rows = query.for_update().run()
	return counter.Seen(*rows[0]) if rows else counter.Seen()


def _change_waits(serial: str) -> bool:
	outbox = frappe.qb.DocType("TV Rights Outbox")
	if not frappe.qb.from_(outbox).select(outbox.name).limit(1).run():
		return False
	device = frappe.db.get_value("TV Device", serial, ["subscription", "site"], as_dict=True)
	if not device:
		return False
	offers = _offers(device.subscription)
	subjects = (
		((outbox.subject_type == "Device") & (outbox.subject == serial))
		| ((outbox.subject_type == "Subscription") & (outbox.subject == device.subscription))
		| ((outbox.subject_type == "Site") & (outbox.subject == device.site))
		| ((outbox.subject_type == "Offer") & outbox.subject.isin(offers or [""]))
	)
	return bool(frappe.qb.from_(outbox).select(outbox.name).where(subjects).limit(1).run())


def _offers(subscription: str | None) -> list[str]:
	"""The subscription's offer versions and their offers: a change of either is a change of its TVs' documents."""
	if not subscription:
		return []
	line, version = frappe.qb.DocType("TV Subscription Line"), frappe.qb.DocType("TV Offer Version")
	rows = (
		frappe.qb.from_(line)
		.join(version)
		.on(line.offer_version == version.name)
		.select(version.name, version.offer)
		.where((line.parenttype == "TV Subscription") & (line.parent == subscription))
		.run()
	)
	return sorted({name for row in rows for name in row})
