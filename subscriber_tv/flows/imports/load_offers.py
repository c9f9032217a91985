"""Load offers and their versions, with every price model a version can hold."""

from decimal import Decimal

import frappe
from frappe import _
from frappe.utils import flt

from subscriber_tv.core.catalogue.offer import problems_of_version
from subscriber_tv.core.imports.offer_rows import Placed, is_free, place, tiers_of
from subscriber_tv.core.imports.rows import OfferRow
from subscriber_tv.flows.catalogue.facts import version_of
from subscriber_tv.flows.catalogue.words import why_not_valid
from subscriber_tv.flows.imports import find
from subscriber_tv.flows.imports.cells import BadCell, CellsRefused
from subscriber_tv.flows.imports.load_catalogue import get_or_new

#: Columns of the offer and the version: the same in every row of a version.
OF_VERSION = ("offer_name", "segments", "play_hours", "valid_from", "valid_upto", "currency", "bouquets")

#: Columns of a charge that are stored as they are, and what an empty cell means.
AMOUNTS = ("unit_price", "block_size", "free_units", "allowance", "percent", "minimum", "maximum")
CHOICES = ("charge_kind", "price_model", "timing", "proration", "counts_over", "interval_months")


def load_offer_version(rows: list[OfferRow]) -> bool:
	"""Create the offer and this version of it. A version that is there is compared, never changed.

	Errors: CellsRefused naming line and column of every cell that is wrong, ValidationError for the whole.
	"""
	first = rows[0]
	for column in OF_VERSION:
		other = next((row for row in rows if getattr(row, column) != getattr(first, column)), None)
		if other:
			sentence = _("The rows of a version disagree in column {0}.").format(column)
			raise CellsRefused([BadCell(other.line, column, sentence)])
	changed = _load_offer(first)
	existing = frappe.db.get_value(
		"TV Offer Version", {"offer": first.offer_code, "version_no": first.version, "docstatus": 1}
	)
	if existing:
		_refuse_other_prices(existing, rows)
		return changed
	_insert_version(first, rows)
	return True


def _load_offer(row: OfferRow) -> bool:
	doc = get_or_new("TV Offer", row.offer_code, offer_code=row.offer_code)
	values = {"offer_name": row.offer_name, "play_hours": row.play_hours}
	segments = [find.by_name("Customer Group", segment) for segment in row.segments]
	if [line.segment for line in doc.get("segments")] != segments:
		values["segments"] = [{"segment": segment} for segment in segments]
	return find.save_if_changed(doc, values)


def _insert_version(first: OfferRow, rows: list[OfferRow]) -> None:
	doc = frappe.get_doc(
		{
			"doctype": "TV Offer Version",
			"offer": first.offer_code,
			"company": find.company(),
			"currency": first.currency,
			"valid_from": first.valid_from,
			"valid_upto": first.valid_upto,
			"bouquets": [{"bouquet": find.by_name("TV Bouquet", code)} for code in first.bouquets],
			"charges": [_charge(row) for row in rows],
			"tiers": [tier for row in rows for tier in _tiers(row)],
		}
	)
	placed = place(problems_of_version(version_of(doc)), rows)
	if placed:
		raise CellsRefused([_bad_cell(one) for one in placed])
	doc.flags.ignore_permissions = True  # who may import was checked at the endpoint
	doc.insert()
	if doc.version_no != first.version:
		frappe.throw(
			_("The next version of offer {0} is {1}, not {2}. Load its versions in order.").format(
				first.offer_code, doc.version_no, first.version
			)
		)
	doc.submit()


def _bad_cell(one: Placed) -> BadCell:
	# An empty price of a file is an empty cell; the sentence of the form speaks of its box.
	empty = one.problem.code == "zero_price"
	return BadCell(one.line, one.column, "" if empty else why_not_valid(one.problem))


def _charge(row: OfferRow) -> dict:
	return {
		"charge_code": row.charge_code,
		"item": find.by_name("Item", row.item),
		"is_free": int(is_free(row)),
		"of_charges": ", ".join(row.of_charges),
		"description": row.description,
		**{column: getattr(row, column) for column in CHOICES},
		**{column: getattr(row, column) or Decimal(0) for column in AMOUNTS},
	}


def _tiers(row: OfferRow) -> list[dict]:
	return [
		{
			"charge_code": row.charge_code,
			"up_to": int(tier.up_to or 0),
			"unit_price": tier.unit_price,
			"flat_fee": tier.flat_fee,
			"is_free": int(tier.free),
		}
		for tier in tiers_of(row)
	]


def _refuse_other_prices(version: str, rows: list[OfferRow]) -> None:
	doc = frappe.get_doc("TV Offer Version", version)
	there = [_comparable(line) for line in doc.charges], [_comparable_tier(line) for line in doc.tiers]
	wanted = (
		[_comparable(frappe._dict(_charge(row))) for row in rows],
		[_comparable_tier(frappe._dict(tier)) for row in rows for tier in _tiers(row)],
	)
	if [sorted(part) for part in there] != [sorted(part) for part in wanted]:
		frappe.throw(
			_(
				"Version {0} is submitted with other charges and never changes. Give the new charges a new version."
			).format(version)
		)


def _comparable(charge) -> tuple:
	"""What a charge is paid by; its text is no price."""
	codes = tuple(code.strip() for code in (charge.of_charges or "").split(",") if code.strip())
	amounts = (round(flt(charge.get(column)), 6) for column in AMOUNTS)
	choices = (str(charge.get(column)) for column in CHOICES)
	return (charge.charge_code, charge.item, codes, *choices, *amounts)


def _comparable_tier(tier) -> tuple:
	return (
		tier.charge_code,
		int(tier.up_to or 0),
		round(flt(tier.unit_price), 6),
		round(flt(tier.flat_fee), 6),
		int(tier.is_free or 0),
	)
