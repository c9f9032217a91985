"""Keeps signs that a TV may have a copy, and has the TV judged by them. Whoever sees such a sign reports it here."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import frappe
from frappe.utils import now_datetime
from pypika.terms import CustomFunction, Values

from subscriber_tv.core.devices import clones
from subscriber_tv.flows.activation.record_answer import local_time
from subscriber_tv.flows.settings import phase_on
from subscriber_tv.flows.support.judge_copies import judge_copies

DOCTYPE = "TV Device Evidence"
KEPT = 200
"""Signs kept per TV, the newest: whoever holds a TV's keys could make any number."""

_greatest = CustomFunction("GREATEST", ["one", "other"])
_least = CustomFunction("LEAST", ["one", "other"])


@dataclass(frozen=True)
class Sign:
	"""A sign about one TV, as `audience` (desk, broker, or an edge's name) saw it."""

	serial: str
	evidence: clones.Evidence
	audience: str = "desk"


def note_evidence(signs: Iterable[Sign], *, now: int) -> None:
	"""Keep these signs and judge their TVs, in this transaction; serials that are no TV of the site are passed over.

	Repeating a sign changes nothing but its count. :param now: epoch seconds UTC
	"""
	signs = [sign for sign in signs if sign.evidence.kind in clones.WEIGHTS]
	if not signs or not phase_on("activation"):
		return
	companies = _companies({sign.serial for sign in signs})
	known = sorted((sign for sign in signs if sign.serial in companies), key=lambda sign: _name(sign))
	if not known:
		return
	_write(known, companies)
	serials = sorted({sign.serial for sign in known})
	for serial in serials:
		_forget_oldest(serial)
	judge_copies(serials, now=now)


def _companies(serials: set[str]) -> dict[str, str | None]:
	rows = frappe.get_all(
		"TV Device", {"name": ("in", sorted(serials))}, ["name", "company"], limit=0, as_list=True
	)
	return dict(rows)


def _name(sign: Sign) -> str:
	found = sign.evidence
	source = hashlib.sha256(f"{found.network}|{found.fingerprint}".encode()).hexdigest()[:12]
	return f"{sign.serial}|{found.kind}|{clones.slot(found)}|{source}"


def _write(signs: list[Sign], companies: Mapping[str, str | None]) -> None:
	table = frappe.qb.DocType(DOCTYPE)
	rows = [_row(sign, companies[sign.serial]) for sign in signs]
	query = frappe.qb.into(table).columns(*rows[0])
	for row in rows:
		query = query.insert(*row.values())
	(
		query.on_duplicate_key_update(table["count"], table["count"] + Values(table["count"]))
		.on_duplicate_key_update(table.first_noted, _least(table.first_noted, Values(table.first_noted)))
		.on_duplicate_key_update(table.last_noted, _greatest(table.last_noted, Values(table.last_noted)))
		.on_duplicate_key_update(table.modified, Values(table.modified))
		.run()
	)


def _row(sign: Sign, company: str | None) -> dict:
	now, user, found = now_datetime(), frappe.session.user, sign.evidence
	return {
		"name": _name(sign),
		"creation": now,
		"modified": now,
		"owner": user,
		"modified_by": user,
		"docstatus": 0,
		"device": sign.serial,
		"company": company,
		"kind": found.kind,
		"network": found.network,
		"fingerprint": found.fingerprint,
		"counter": str(found.counter or ""),
		"audience": sign.audience,
		"count": found.count,
		"first_noted": local_time(found.at),
		"last_noted": local_time(found.at),
	}


def _forget_oldest(serial: str) -> None:
	surplus = frappe.get_all(
		DOCTYPE,
		{"device": serial},
		pluck="name",
		order_by="last_noted desc",
		limit_start=KEPT,
		limit_page_length=KEPT,
	)
	if surplus:
		frappe.db.delete(DOCTYPE, {"name": ("in", surplus)})
