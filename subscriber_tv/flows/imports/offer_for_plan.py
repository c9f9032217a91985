"""Finds the offer that sells what a Subscription Plan sells, or makes it."""

import re
from collections.abc import Sequence
from datetime import date

import frappe

from subscriber_tv.core.imports.takeover import TakenLine
from subscriber_tv.core.money import money

CODE_LENGTH = 36
"""An offer code may have 40 characters; the rest is for a number."""

CHARGE = "BASE"
ADVANCE, ARREARS = "Advance", "Arrears"


def find_version(line: TakenLine, *, company: str, currency: str, arrears: bool) -> str | None:
	"""A submitted version whose one charge is this item at this price and interval; the youngest of several."""
	charge, version = frappe.qb.DocType("TV Offer Charge Line"), frappe.qb.DocType("TV Offer Version")
	rows = (
		frappe.qb.from_(charge)
		.join(version)
		.on(charge.parent == version.name)
		.select(version.name, charge.unit_price, charge.timing)
		.where((version.docstatus == 1) & (version.company == company) & (version.currency == currency))
		.where((charge.item == line.item) & (charge.interval_months == line.interval_months))
		.where((charge.charge_kind == "Recurring") & (charge.price_model == "Per Unit"))
		.orderby(version.creation, order=frappe.qb.desc)
		.run(as_dict=True)
	)
	timing = ARREARS if arrears else ADVANCE
	for row in rows:
		same = money(row.unit_price) == line.price and (row.timing or ADVANCE) == timing
		if same and frappe.db.count("TV Offer Charge Line", {"parent": row.name}) == 1:
			return row.name
	return None


def make_version(
	line: TakenLine, *, company: str, currency: str, arrears: bool, bouquets: Sequence[str], valid_from: date
) -> str:
	"""A new offer of the plan's name with one submitted version. ValidationError naming what the offer lacks."""
	offer = frappe.get_doc(
		{"doctype": "TV Offer", "offer_code": _free_code(line.plan), "offer_name": line.plan}
	)
	# Whoever imports works on the server; the rules of the documents still apply.
	offer.flags.ignore_permissions = True
	offer.insert()
	version = frappe.get_doc(
		{
			"doctype": "TV Offer Version",
			"offer": offer.name,
			"company": company,
			"currency": currency,
			"valid_from": valid_from,
			"bouquets": [{"bouquet": bouquet} for bouquet in bouquets],
			"charges": [
				{
					"charge_code": CHARGE,
					"charge_kind": "Recurring",
					"item": line.item,
					"price_model": "Per Unit",
					"unit_price": float(line.price),
					"interval_months": line.interval_months,
					"timing": ARREARS if arrears else ADVANCE,
				}
			],
		}
	)
	# The command that takes subscriptions over runs on the server, as nobody in particular.
	version.flags.ignore_permissions = True
	version.insert()
	version.submit()
	return version.name


def _free_code(plan: str) -> str:
	"""A code like the plan's name that no offer has yet: another offer of that name has other prices."""
	base = re.sub(r"[^A-Z0-9_.-]+", "-", plan.upper()).strip("-._")[:CODE_LENGTH] or "PLAN"
	code, number = base, 1
	while frappe.db.exists("TV Offer", code):
		number += 1
		code = f"{base}-{number}"
	return code
