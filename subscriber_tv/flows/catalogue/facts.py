"""Loads what the checks of the catalogue need to know."""

from decimal import Decimal

import frappe
from frappe.utils import flt, getdate
from frappe.utils.nestedset import get_ancestors_of

from subscriber_tv.core.catalogue.offer import Charge, Sale, TierRow, Version
from subscriber_tv.core.money import money
from subscriber_tv.core.pricing.models import Tier
from subscriber_tv.core.pricing.offered import LINE

ARREARS = "Arrears"
NO_PRORATION = "None"


def version_of(doc) -> Version:
	"""The TV Offer Version document, as it stands in the form, for `problems_of_version`."""
	codes = [row.bouquet for row in doc.bouquets if row.bouquet]
	channels = frappe.get_all(
		"TV Bouquet Line",
		{"parent": ("in", codes or [""]), "parenttype": "TV Bouquet"},
		["parent", "count(name) as number"],
		group_by="parent",
	)
	number = {row.parent: row.number for row in channels}
	disabled = set(frappe.get_all("TV Bouquet", {"name": ("in", codes or [""]), "disabled": 1}, pluck="name"))
	return Version(
		offer=doc.offer,
		charges=tuple(_charge(row) for row in doc.charges),
		bouquets=tuple((code, number.get(code, 0), code in disabled) for code in codes),
		valid_from=getdate(doc.valid_from),
		valid_upto=getdate(doc.valid_upto) if doc.valid_upto else None,
		tiers=tuple(TierRow(row.idx, row.charge_code or "", tier_of(row)) for row in doc.tiers),
		codes_elsewhere=_codes_elsewhere(doc),
	)


def tier_of(row) -> Tier:
	"""A row of TV Offer Tier Line; no upper bound is written as none or zero."""
	return Tier(
		up_to=money(row.up_to) if row.up_to else None,
		unit_price=money(row.unit_price),
		flat_fee=money(row.flat_fee),
		free=bool(row.is_free),
	)


def sale_of(version: str) -> Sale:
	"""What is sold with a TV Offer Version, for `problems_of_sale`."""
	doc = frappe.get_cached_doc("TV Offer Version", version)
	offer = frappe.get_cached_doc("TV Offer", doc.offer)
	return Sale(
		version=doc.name,
		company=doc.company,
		currency=doc.currency,
		submitted=doc.docstatus == 1,
		disabled=bool(offer.disabled),
		valid_from=getdate(doc.valid_from),
		valid_upto=getdate(doc.valid_upto) if doc.valid_upto else None,
		segments=tuple(row.segment for row in offer.segments),
	)


def segment_path(site: str, customer: str) -> tuple[str, ...]:
	"""Segment of the site (else of the customer) followed by the segments above it."""
	segment = frappe.db.get_value("TV Site", site, "segment") or frappe.db.get_value(
		"Customer", customer, "customer_group"
	)
	return (segment, *get_ancestors_of("Customer Group", segment)) if segment else ()


def _charge(row) -> Charge:
	return Charge(
		row=row.idx,
		code=row.charge_code or "",
		kind=row.charge_kind,
		unit_price=Decimal(str(flt(row.unit_price))),
		free=bool(row.is_free),
		interval_months=row.interval_months or 0,
		model=row.price_model,
		block_size=money(row.block_size),
		free_units=money(row.free_units),
		allowance=money(row.allowance),
		percent=money(row.percent),
		of=codes_of(row),
		minimum=bound_of(row.minimum),
		maximum=bound_of(row.maximum),
		arrears=row.timing == ARREARS,
		prorate=row.proration != NO_PRORATION,
		counts_over=row.counts_over or LINE,
	)


def codes_of(row) -> tuple[str, ...]:
	"""The charges that a row of TV Offer Charge Line is a percentage of, as they are written with commas between."""
	codes = (code.strip().upper() for code in (row.of_charges or "").split(","))
	return tuple(dict.fromkeys(code for code in codes if code))


def bound_of(value: float | None) -> Decimal | None:
	"""A minimum or maximum; an empty field is none."""
	return money(value) if value else None


def _codes_elsewhere(doc) -> set[str]:
	"""Of the codes that percentages of this version name, those that a submitted version bears."""
	named = {code for row in doc.charges for code in codes_of(row)}
	filters = {"charge_code": ("in", sorted(named)), "parenttype": "TV Offer Version", "docstatus": 1}
	return (
		set(frappe.get_all("TV Offer Charge Line", filters, pluck="charge_code", distinct=True))
		if named
		else set()
	)
