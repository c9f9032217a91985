"""Who need not be looked at by a bill run: payers seen to have nothing due, of whom nothing has changed since.

A look that finds nothing leaves a TV Payer Watch: until when nothing falls due (`quiet_until`), and what that was
seen from. A payer is quiet for a run when it ends before that day and all he is billed from still looks the same:

	seen      number and latest change of his subscriptions, of their recorded changes, usage and TVs, and of the offers
	          (seen.py)
	stirred   a random mark set by every invoice, credit note and cancellation of his that no bill run decided

Both are compared for equality and were read in the snapshot of the look, so it does not matter whose clock is right or
who commits first: what the look could not see makes them differ, and then the payer is looked at. Whatever is not
covered by one of them must not be read by `facts.load`; a test watches that.
"""

import hashlib
from collections.abc import Iterable
from datetime import date

import frappe
from frappe.utils import now

from subscriber_tv.core.billing.bill import ContractFacts
from subscriber_tv.core.billing.quiet import quiet_until
from subscriber_tv.flows.billing.seen import seen
from subscriber_tv.flows.billing.shared_contracts import payers_of_shared

WATCH = "TV Payer Watch"

_KEEP = """
	insert into `tabTV Payer Watch`
		(name, creation, modified, owner, modified_by, docstatus, idx, payer, company, quiet_until, seen, seen_stirred)
	values (%(name)s, %(now)s, %(now)s, %(user)s, %(user)s, 0, 0, %(payer)s, %(company)s, %(until)s, %(seen)s, %(mark)s)
	on duplicate key update modified = %(now)s, modified_by = %(user)s,
		quiet_until = %(until)s, seen = %(seen)s, seen_stirred = %(mark)s"""

_STIR = """
	insert into `tabTV Payer Watch`
		(name, creation, modified, owner, modified_by, docstatus, idx, payer, company, stirred)
	values (%(name)s, %(now)s, %(now)s, %(user)s, %(user)s, 0, 0, %(payer)s, %(company)s, %(mark)s)
	on duplicate key update modified = %(now)s, modified_by = %(user)s, stirred = %(mark)s"""


def quiet_payers(company: str, bill_until: date) -> set[str]:
	"""Payers of whom a run until that day would bill and credit nothing; a few queries for all of them."""
	watches = frappe.get_all(
		WATCH,
		{"company": company, "quiet_until": (">", bill_until)},
		["name", "payer", "seen", "stirred", "seen_stirred"],
		limit=0,
	)
	if not watches:
		return set()
	found = seen(company)
	# A change of payer touches customers whom the subscription does not name today: they are always looked at.
	shared = payers_of_shared(company)
	return {
		watch.payer
		for watch in watches
		# One of a customer renamed or merged since is no longer stirred: he has another now.
		if watch.name == _name(watch.payer, company)
		and watch.payer not in shared
		and watch.stirred == watch.seen_stirred
		and watch.seen == found.get(watch.payer)
	}


def keep_quiet(payer: str, company: str, loaded: list[ContractFacts], bill_until: date) -> None:
	"""Note that a look at `payer` in this transaction found nothing to bill until that day. The caller commits."""
	until = quiet_until(loaded, bill_until)
	looked = seen(company, [payer]).get(payer)
	if until and looked:
		keep(payer, company, until, looked)


def keep(payer: str, company: str, until: date, looked: str) -> None:
	"""Write a watch: nothing falls due before `until`, as it was seen when the payer `looked` like that."""
	name = _name(payer, company)
	mark = frappe.db.get_value(WATCH, name, "stirred")
	values = {"name": name, "payer": payer, "company": company, "until": until, "seen": looked, "mark": mark}
	frappe.db.sql(_KEEP, {**values, "now": now(), "user": frappe.session.user})


def stir(doc) -> None:
	"""Mark the payers whose bill a Sales Invoice touches that was submitted, cancelled or deleted."""
	subscriptions = {row.get("tv_subscription") for row in doc.get("items")}
	if doc.get("return_against"):
		# The rows of a credit note made in the desk do not say what they were for.
		rows = {"parent": doc.return_against, "tv_subscription": ("is", "set")}
		subscriptions |= set(frappe.get_all("Sales Invoice Item", rows, pluck="tv_subscription", limit=0))
	_stir_payers(filter(None, subscriptions))


def forget_all() -> None:
	"""Look at everybody in the next run: another version of the app may bill otherwise."""
	frappe.db.delete(WATCH)


def _stir_payers(subscriptions: Iterable[str]) -> None:
	names = sorted(subscriptions)
	if not names:
		return
	stamps = {"now": now(), "user": frappe.session.user, "mark": frappe.generate_hash(length=10)}
	pairs = frappe.get_all(
		"TV Subscription", {"name": ("in", names)}, ["payer", "company"], distinct=True, order_by="payer"
	)
	for pair in pairs:
		name = _name(pair.payer, pair.company)
		frappe.db.sql(_STIR, {**stamps, "name": name, "payer": pair.payer, "company": pair.company})


def _name(payer: str, company: str) -> str:
	return hashlib.sha1(f"{company}|{payer}".encode(), usedforsecurity=False).hexdigest()
