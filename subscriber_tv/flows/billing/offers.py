"""Loads the charges of offer versions as billing knows them."""

from collections import defaultdict
from collections.abc import Collection

import frappe

from subscriber_tv.core.billing.price import OfferCharge
from subscriber_tv.core.money import money
from subscriber_tv.core.pricing.models import PriceModel, Tier
from subscriber_tv.core.pricing.offered import LINE, PERCENT_OF, PERCENTS, SCHEMES, model_of
from subscriber_tv.flows.catalogue.facts import ARREARS, NO_PRORATION, bound_of, codes_of, tier_of


def offers_of(versions: Collection[str]) -> dict[str, tuple[OfferCharge, ...]]:
	"""The charges of each submitted version; a version without any is left out."""
	tiers = _tiers(versions)
	charges: dict[str, list[OfferCharge]] = {version: [] for version in versions}
	for row in _rows("TV Offer Charge Line", versions):
		charges[row.parent].append(_charge(row, tiers[row.parent, row.charge_code]))
	return {version: tuple(rows) for version, rows in charges.items() if rows}


def _rows(doctype: str, versions: Collection[str]) -> list[dict]:
	return frappe.get_all(
		doctype,
		{"parent": ("in", list(versions) or [""]), "parenttype": "TV Offer Version", "docstatus": 1},
		["*"],
		order_by="parent, idx",
		limit=0,
	)


def _tiers(versions: Collection[str]) -> dict[tuple[str, str], list[Tier]]:
	"""Tiers by offer version and charge code."""
	tiers: dict[tuple[str, str], list[Tier]] = defaultdict(list)
	for row in _rows("TV Offer Tier Line", versions):
		tiers[row.parent, row.charge_code].append(tier_of(row))
	return tiers


def _charge(row: dict, tiers: list[Tier]) -> OfferCharge:
	"""The bounds of a percentage belong to its price model; the minimum of any other charge is one of the charge."""
	return OfferCharge(
		code=row.charge_code,
		kind=row.charge_kind.lower(),
		item=row.item,
		model=row.price_model,
		unit_price=money(row.unit_price),
		interval_months=row.interval_months or 1,
		free=bool(row.is_free),
		description=row.description or "",
		scheme=_scheme(row, tiers),
		arrears=row.timing == ARREARS,
		prorate=row.proration != NO_PRORATION,
		minimum=None if row.price_model in PERCENTS else bound_of(row.minimum),
		of=codes_of(row) if row.price_model == PERCENT_OF else (),
		counts_over=row.counts_over or LINE,
	)


def _scheme(row: dict, tiers: list[Tier]) -> PriceModel | None:
	"""The price model of a charge that needs more than a unit price."""
	if row.price_model not in SCHEMES:
		return None
	return model_of(
		row.price_model,
		money(row.unit_price),
		tiers=tiers,
		block_size=money(row.block_size),
		free_units=money(row.free_units),
		allowance=money(row.allowance),
		percent=money(row.percent),
		minimum=bound_of(row.minimum),
		maximum=bound_of(row.maximum),
	)
