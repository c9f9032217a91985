"""Compares what platforms were told with all rights, chunk by chunk: for a new platform, changed codes, a day's end of an account.

Each chunk is a transaction that holds the sequence of the projection, so the publisher's orders and these never cross.
"""

import json
from collections.abc import Iterable

import frappe

from subscriber_tv.core.activation.feed import DEVICE as DEVICE_ROW
from subscriber_tv.core.provisioning import desired
from subscriber_tv.flows.activation import facts, publish
from subscriber_tv.flows.activation.store_rights import name_of
from subscriber_tv.flows.provisioning import write_orders
from subscriber_tv.flows.provisioning.ask_for_check import BEGINNING
from subscriber_tv.flows.provisioning.follow_rights import Right, account_wishes, tv_wishes
from subscriber_tv.flows.provisioning.platforms import DOCTYPE, Served

CHUNK = 500


def check_next(platform: Served, now: int) -> bool:
	"""Compare the next chunk, if a check was asked for; False when there was nothing left. The caller commits."""
	if not frappe.db.get_value(DOCTYPE, platform.name, "check_from"):
		return False
	publish.lock_sequence()
	kind, _slash, last = (_cursor(platform.name) or BEGINNING).partition("/")
	if kind == desired.DEVICE:
		wishes, last = _tvs(last)
		after = f"{kind}/{last}" if last else f"{desired.ACCOUNT}/"
	else:
		wishes, last = _accounts(last, now)
		after = f"{kind}/{last}" if last else ""
	write_orders.order(platform, wishes, now, write_orders.CHECK)
	frappe.db.set_value(DOCTYPE, platform.name, "check_from", after, update_modified=False)
	return True


def change_accounts(platform: Served, now: int, limit: int = CHUNK) -> int:
	"""Order what time alone has changed about accounts; how many were looked at. The caller commits."""
	if desired.ACCOUNT not in platform.kinds or not _changing(platform.name, now, limit):
		return 0
	publish.lock_sequence()
	names = _changing(platform.name, now, limit)
	write_orders.order(platform, _wishes_of_accounts(names, now), now, write_orders.RIGHTS)
	_forget_changes(platform.name, names, now)
	return len(names)


def _cursor(platform: str) -> str:
	table = frappe.qb.DocType(DOCTYPE)
	query = frappe.qb.from_(table).select(table.check_from).where(table.name == platform)
	return query.for_update().run()[0][0]


def _tvs(last: str) -> tuple[list, str]:
	"""Wishes for the next TVs in the order of their rows, and the last of them; "" when there are none."""
	rows = frappe.get_all(
		"TV Entitlement",
		{"kind": DEVICE_ROW, "name": (">", name_of(DEVICE_ROW, last))},
		["subject", "state", "removed", "offers", "subscription"],
		order_by="name",
		limit=CHUNK,
	)
	rights = [
		Right(
			row.subject,
			row.state,
			bool(row.removed),
			tuple(json.loads(row.offers or "[]")),
			row.subscription or "",
		)
		for row in rows
	]
	codes = desired.codes_of(facts.offers({offer for right in rights for offer in right.offers}))
	return list(tv_wishes(rights, codes)), rows[-1].subject if rows else ""


def _accounts(last: str, now: int) -> tuple[list, str]:
	names = frappe.get_all(
		"TV Subscription", {"name": (">", last)}, pluck="name", order_by="name", limit=CHUNK
	)
	return _wishes_of_accounts(names, now), names[-1] if names else ""


def _wishes_of_accounts(subscriptions: Iterable[str], now: int) -> list:
	found = facts.of_devices((), subscriptions)
	return list(account_wishes(found.contracts, desired.codes_of(found.offers), now))


def _forget_changes(platform: str, subscriptions: list[str], now: int) -> None:
	"""A contract that is gone would be due for ever."""
	table = frappe.qb.DocType(write_orders.SUBJECT)
	late = (table.changes_at > 0) & (table.changes_at <= now) & table.subscription.isin(subscriptions)
	frappe.qb.update(table).set(table.changes_at, 0).where((table.platform == platform) & late).run()


def _changing(platform: str, now: int, limit: int) -> list[str]:
	filters = [["platform", "=", platform], ["changes_at", ">", 0], ["changes_at", "<=", now]]
	return frappe.get_all(
		write_orders.SUBJECT, filters, pluck="subscription", limit=limit, order_by="changes_at"
	)
