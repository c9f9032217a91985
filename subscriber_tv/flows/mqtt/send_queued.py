"""Signs the commands that wait and hands them to the broker; notes what became of them."""

import frappe
from frappe.utils import now_datetime

from subscriber_tv.adapters import mqtt
from subscriber_tv.core.mqtt import payloads, spread, topics
from subscriber_tv.flows.activation import keys
from subscriber_tv.flows.activation.record_answer import local_time
from subscriber_tv.flows.mqtt import broker
from subscriber_tv.flows.mqtt.members import KINDS, reached

DOCTYPE = "TV Command"
AT_ONCE = 50
KEY = "command"

DO = {
	"Message": payloads.MESSAGE,
	"Re-scan": payloads.RESCAN,
	"Update": payloads.UPDATE,
	"Identify": payloads.IDENTIFY,
}


class Commands:
	"""The commands of one publisher on their way. A crash sends one again; a TV obeys each name once."""

	def __init__(self):
		self._on_the_way: set[str] = set()

	def send(self, connection: mqtt.Connection, now: int) -> int:
		"""Hand the oldest commands that wait to the connection; returns how many. The caller commits.

		:param now: epoch seconds
		"""
		_let_go(now)
		if not connection.connected:
			return 0
		sent = 0
		for row in _waiting(self._on_the_way):
			try:
				sent += self._send(connection, row, now)
			except (payloads.BadPayload, topics.BadTopic) as error:
				_note(row.name, state="Failed", error=str(error)[:500])
		return sent

	def settle(self, name: str, outcome: str) -> None:
		"""The broker took or refused this command, or it waited too long. The caller commits."""
		self._on_the_way.discard(name)
		if outcome == mqtt.TAKEN:
			_note(name, state="Sent", sent_at=now_datetime())
		elif outcome == mqtt.REFUSED:
			_note(name, state="Failed", error="The broker refused it: its access list does not fit.")
		# What waited too long is still queued here: sent again, or let go when its own time is over.

	def _send(self, connection: mqtt.Connection, row, now: int) -> bool:
		tvs = sum(reached(row.target_type, row.target).values())
		seconds = min(spread.LONGEST, spread.seconds(tvs, broker.most_questions()))
		command = _claims(row, seconds, now)
		payload = payloads.sign_command(command, keys.lease_signer())
		kind, _, _name = command.to.partition("/")
		topic = topics.build(broker.operator(), kind, row.target, topics.COMMAND)
		if not connection.publish(topic, payload, within=command.exp - now, key=(KEY, row.name)):
			return False
		self._on_the_way.add(row.name)
		_note(row.name, tvs=tvs, spread=seconds)
		return True


def _claims(row, seconds: int, now: int) -> payloads.Command:
	kind = KINDS[row.target_type]
	address = row.target if kind == topics.DEVICE else topics.label(row.target)
	texts = payloads.Texts(row.text_fr or "", row.text_en or "") if row.command == "Message" else None
	return payloads.Command(
		iss=frappe.get_cached_doc("TV Settings").issuer or "subscriber_tv",
		id=row.name,
		to=f"{kind}/{address}",
		iat=now,
		exp=now + row.life,
		do=DO[row.command],
		spread=seconds,
		text=texts,
		firmware=row.firmware or "",
	)


def _waiting(but: set[str]) -> list:
	found = frappe.get_all(
		DOCTYPE,
		filters={"state": "Queued", "name": ("not in", sorted(but) or [""])},
		fields=["name", "command", "target_type", "target", "text_fr", "text_en", "firmware", "expires_at"],
		order_by="creation asc",
		limit=AT_ONCE,
	)
	here = now_datetime()
	for row in found:
		row.life = max(1, int((row.expires_at - here).total_seconds()))
	return found


def _let_go(now: int) -> None:
	"""Commands that nobody could send in time."""
	command = frappe.qb.DocType(DOCTYPE)
	over = (command.state == "Queued") & (command.expires_at <= local_time(now))
	for (name,) in frappe.qb.from_(command).select(command.name).where(over).run():
		_note(name, state="Expired", error="The broker could not be reached in time.")


def _note(name: str, **values) -> None:
	frappe.db.set_value(DOCTYPE, name, values)
