"""Tells TVs that their rights changed: follows the numbers of TV Entitlement as an edge does, from a cursor of its own.

Nothing is noted anywhere else, so nothing can be forgotten: a hint that could not be sent is made anew from the rows, and
by then says what is newest. The cursor moves once the broker has taken the hints.
"""

from collections import Counter
from itertools import takewhile

import frappe

from subscriber_tv.adapters import mqtt
from subscriber_tv.core.activation.feed import DEVICE, OFFER
from subscriber_tv.core.mqtt import hints, payloads, topics
from subscriber_tv.core.mqtt.spread import Pace
from subscriber_tv.flows.activation.publish import current_sequence
from subscriber_tv.flows.mqtt import broker
from subscriber_tv.flows.mqtt.members import bound_at

CURSOR = "TV-MQTT-HINTED"
"""Row of Series: up to which number TVs have been told."""

AT_ONCE = 10_000
"""Changed TVs told of in one go."""

SUBSCRIPTIONS = 500
"""Subscriptions whose TVs are told of a changed offer document in one go."""

SECONDS = 60.0
"""How long a hint may wait for the broker before it is made anew."""

KEY = "hint"


class Hints:
	"""The hints of one publisher. Not for two at once: see `Messenger`."""

	def __init__(self, most: int):
		self._pace = Pace(most)
		self._batch = 0
		self._open = 0
		self._moves_to = 0
		# While the TVs with a changed offer document are told by and by: the last subscription that was.
		self._told_until = self._tells_until = ""
		self._outcomes: Counter = Counter()

	def send(self, connection: mqtt.Connection, now: float) -> int:
		"""Hand what changed since the cursor to the connection; returns how many hints. The caller commits.

		:param now: seconds of a clock that never goes back
		"""
		if self._open or not connection.connected:
			return 0
		before, top = cursor(), current_sequence()
		if before is None or top <= before:
			if before != top:
				move_cursor(top)
			return 0
		tellings = self._next(before, top)
		if not tellings:
			self._move_on()
			return 0
		spread = self._pace.spread(hints.asked(tellings), now)
		if spread is None:
			return 0
		return self._hand_over(connection, tellings, spread)

	def settle(self, batch: int, outcome: str) -> None:
		"""One hint of this batch came to this. When all did, the cursor moves; the caller commits."""
		if batch != self._batch:
			return
		self._open -= 1
		self._outcomes[outcome] += 1
		if self._open == 0 and not self._outcomes[mqtt.EXPIRED]:
			self._move_on()

	def _next(self, before: int, top: int) -> list[hints.Telling]:
		"""What is to be told first: TVs whose rights changed, or the next of those with a document that did."""
		rows = _changed(before, top)
		if rows and rows[0].kind == OFFER:
			return self._next_of_document(rows[0], before)
		mine = list(takewhile(lambda row: row.kind == DEVICE, rows))
		all_of_it = len(mine) == len(rows) < AT_ONCE
		self._moves_to, self._tells_until = top if all_of_it else mine[-1].seq, ""
		return _plan(mine)

	def _next_of_document(self, offer, before: int) -> list[hints.Telling]:
		subscriptions = _subscriptions_with(offer.subject, self._told_until)
		more = len(subscriptions) == SUBSCRIPTIONS
		self._moves_to = before if more else offer.seq
		self._tells_until = subscriptions[-1] if more else ""
		rows = _holders(offer.subject, subscriptions)
		return _plan([frappe._dict(row, version=offer.version) for row in rows], offer.document_hash)

	def _move_on(self) -> None:
		self._told_until = self._tells_until
		move_cursor(self._moves_to)

	def _hand_over(self, connection, tellings: list[hints.Telling], spread: int) -> int:
		self._batch += 1
		self._outcomes = Counter()
		for telling in tellings:
			to_tv = telling.kind == topics.DEVICE
			leaf = topics.RIGHTS if to_tv else topics.COMMAND
			topic = topics.build(broker.operator(), telling.kind, telling.name, leaf)
			payload = payloads.hint(telling.version, spread, telling.document)
			key = (KEY, self._batch)
			# Kept is what a TV's rights came to, and no document's news in its place.
			keep = to_tv and not telling.document
			if connection.publish(topic, payload, within=SECONDS, retain=keep, key=key):
				self._open += 1
			else:
				# Counts as lost, so that the batch is made anew.
				self._outcomes[mqtt.EXPIRED] += 1
		return len(tellings)


def cursor() -> int | None:
	"""Up to which number TVs have been told; None before the first time."""
	series = frappe.qb.DocType("Series")
	found = frappe.qb.from_(series).select(series.current).where(series.name == CURSOR).run()
	return int(found[0][0]) if found else None


def move_cursor(seq: int) -> None:
	"""TVs are told up to this number."""
	series = frappe.qb.DocType("Series")
	query = frappe.qb.into(series).columns("name", "current").insert(CURSOR, seq)
	query.on_duplicate_key_update(series.current, seq).run()


def _changed(after: int, until: int) -> list:
	"""Rows of TVs and offers whose facts changed since; those that were only signed again have an older version."""
	row, device = frappe.qb.DocType("TV Entitlement"), frappe.qb.DocType("TV Device")
	return (
		frappe.qb.from_(row)
		.left_join(device)
		.on(device.name == row.subject)
		.select(row.kind, row.subject, row.seq, row.version, row.document_hash, device.site, device.line_id)
		.where((row.seq > after) & (row.seq <= until) & (row.version > after))
		.where((row.kind == DEVICE) | ((row.kind == OFFER) & (row.document_hash != "")))
		.orderby(row.seq)
		.limit(AT_ONCE)
		.run(as_dict=True)
	)


def _subscriptions_with(offer: str, after: str) -> list[str]:
	"""The next subscriptions with a line of this offer version."""
	line = frappe.qb.DocType("TV Subscription Line")
	query = frappe.qb.from_(line).select(line.parent).distinct().orderby(line.parent).limit(SUBSCRIPTIONS)
	query = query.where((line.parenttype == "TV Subscription") & (line.parent > after))
	return query.where(line.offer_version == offer).run(pluck=True)


def _holders(offer: str, subscriptions: list[str]) -> list:
	"""TVs on a line of these subscriptions that has this offer version, by itself or by an option."""
	if not subscriptions:
		return []
	line, device = frappe.qb.DocType("TV Subscription Line"), frappe.qb.DocType("TV Device")
	mine = (line.line_id == device.line_id) | (line.option_of == device.line_id)
	return (
		frappe.qb.from_(device)
		.join(line)
		.on((line.parent == device.subscription) & (line.parenttype == "TV Subscription") & mine)
		.select(device.name.as_("subject"), device.site, device.line_id)
		.distinct()
		.where(
			device.subscription.isin(subscriptions) & (device.line_id != "") & (line.offer_version == offer)
		)
		.run(as_dict=True)
	)


def _plan(rows: list, document: str = "") -> list[hints.Telling]:
	changes = [
		hints.Change(row.subject, row.version, (row.site or "") if row.line_id else "") for row in rows
	]
	return hints.plan(changes, bound_at({change.site for change in changes if change.site}), document)
