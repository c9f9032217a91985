"""From rights to orders: what the publisher calls when it has compiled rows, in its own transaction.

A TV's order follows from its row, an account's from its contract. An offer whose entitlement codes changed concerns every TV that has
it; those are looked at chunk by chunk afterwards (`check.py`), so that the publisher never stops for half a million rows.
"""

import base64
import json
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import frappe

from subscriber_tv.core.activation.feed import DEVICE as DEVICE_ROW
from subscriber_tv.core.activation.feed import OFFER
from subscriber_tv.core.activation.projection import ContractFacts, Facts
from subscriber_tv.core.provisioning import desired
from subscriber_tv.flows.provisioning import write_orders
from subscriber_tv.flows.provisioning.ask_for_check import ask_for_check
from subscriber_tv.flows.provisioning.platforms import served
from subscriber_tv.flows.provisioning.wake import wake

CONFLICTS = (frappe.QueryDeadlockError, frappe.QueryTimeoutError)
SAVEPOINT = "tv_provisioning"


class Right(NamedTuple):
	"""What a TV's row says: its offers are open while the state is Active."""

	serial: str
	state: str
	removed: bool
	offers: tuple[str, ...]
	subscription: str


def follow_rights(rows: Iterable, found: Facts, now: int) -> None:
	"""Order what these rows and contracts change at the platforms. Call it before the rows are stored.

	:param rows: core.activation.projection.Signed, as they will be stored
	"""
	platforms = served()
	if not platforms:
		return
	frappe.db.savepoint(SAVEPOINT)
	try:
		_follow(platforms, [row for row in rows], found, now)
	except CONFLICTS:
		raise  # the whole transaction is gone
	except Exception:
		# No TV waits for its rights because a platform's orders cannot be made: everything is compared later instead.
		frappe.db.rollback(save_point=SAVEPOINT)
		frappe.log_error(title="TV provisioning: orders could not be made")
		ask_for_check(platform.name for platform in platforms)


def is_followed() -> bool:
	"""Whether any platform is told about rights, so that `follow_rights` has something to do."""
	return bool(served())


def tv_wishes(rights: Iterable[Right], codes: desired.Codes) -> Iterator[write_orders.Wish]:
	"""What platforms shall hold about these TVs."""
	for right in rights:
		wanted = desired.of_tv(right.state, right.removed, right.offers, codes)
		yield write_orders.Wish(desired.DEVICE, right.serial, wanted, right.subscription)


def account_wishes(
	contracts: Iterable[ContractFacts], codes: desired.Codes, now: int
) -> Iterator[write_orders.Wish]:
	"""What platforms shall hold about the accounts of these contracts."""
	for contract in contracts:
		wanted, again = desired.of_account(contract, codes, now)
		account = desired.account_id(contract.subscription)
		yield write_orders.Wish(desired.ACCOUNT, account, wanted, contract.subscription, changes_at=again)


def _follow(platforms: list, rows: list, found: Facts, now: int) -> None:
	codes = desired.codes_of(found.offers)
	wishes = [
		*tv_wishes(map(_right, (row for row in rows if row.entry.kind == DEVICE_ROW)), codes),
		*account_wishes(found.contracts, codes, now),
	]
	made = {
		platform.name
		for platform in platforms
		if write_orders.order(platform, wishes, now, write_orders.RIGHTS)
	}
	if _codes_changed(rows):
		made.update(platform.name for platform in platforms)
		ask_for_check(made)
	wake(made)


def _right(row) -> Right:
	entry = row.entry
	return Right(entry.subject, entry.state, entry.removed, entry.offers, row.subscription)


def _codes_changed(rows: list) -> bool:
	"""Whether an offer that TVs have already gives other entitlements now than its stored document says."""
	documents = {row.entry.subject: row.entry.document for row in rows if row.entry.kind == OFFER}
	if not documents:
		return False
	stored = frappe.get_all(
		"TV Entitlement",
		{"kind": OFFER, "subject": ("in", list(documents)), "removed": 0},
		["subject", "lease"],
		limit=0,
	)
	return any(_codes(row.lease) != _codes(documents[row.subject]) for row in stored)


def _codes(document: str | None) -> set[str]:
	"""Entitlement codes in a signed offer document; our own, so its signature need not be asked."""
	if not document:
		return set()
	claims = document.split(".")[1]
	read = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
	return {bouquet["entitlement"] for bouquet in read["bouquets"] if bouquet["entitlement"]}
