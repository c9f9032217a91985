"""Load channels, bouquets and offer versions."""

import frappe
from frappe import _

from subscriber_tv.core.imports.rows import BouquetRow, ChannelRow, OfferRow
from subscriber_tv.flows.imports import find


def load_channel(rows: list[ChannelRow]) -> bool:
	"""Create the channel or bring it up to the row."""
	row = rows[0]
	doc = _get_or_new("TV Channel", row.channel_code, channel_code=row.channel_code)
	return find.save_if_changed(
		doc,
		{
			"channel_name": row.channel_name,
			"lcn": row.number,
			"genre": row.genre,
			"definition": row.definition,
			"language": find.by_name("Language", row.language) if row.language else None,
			"entitlement_code": row.entitlement_code,
		},
	)


def load_bouquet(rows: list[BouquetRow]) -> bool:
	"""Create the bouquet or bring it up to the row."""
	row = rows[0]
	channels = [find.by_name("TV Channel", code) for code in row.channels]
	doc = _get_or_new("TV Bouquet", row.bouquet_code, bouquet_code=row.bouquet_code)
	values = {"bouquet_name": row.bouquet_name, "entitlement_code": row.entitlement_code}
	if [line.channel for line in doc.get("channels")] != channels:
		values["channels"] = [{"channel": code} for code in channels]
	return find.save_if_changed(doc, values)


def load_offer_version(rows: list[OfferRow]) -> bool:
	"""Create the offer and this version of it. A version that is there is compared, never changed."""
	first = rows[0]
	for column in (
		"offer_name",
		"segments",
		"play_hours",
		"valid_from",
		"valid_upto",
		"currency",
		"bouquets",
	):
		if len({getattr(row, column) for row in rows}) > 1:
			frappe.throw(_("The rows of a version disagree in column {0}.").format(column))
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
	doc = _get_or_new("TV Offer", row.offer_code, offer_code=row.offer_code)
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
		}
	)
	doc.flags.ignore_permissions = True  # who may import was checked at the endpoint
	doc.insert()
	if doc.version_no != first.version:
		frappe.throw(
			_("The next version of offer {0} is {1}, not {2}. Load its versions in order.").format(
				first.offer_code, doc.version_no, first.version
			)
		)
	doc.submit()


def _charge(row: OfferRow) -> dict:
	return {
		"charge_code": row.charge_code,
		"charge_kind": row.charge_kind,
		"item": find.by_name("Item", row.item),
		"price_model": row.price_model,
		"unit_price": row.unit_price,
		"is_free": int(row.unit_price == 0),
		"interval_months": row.interval_months,
		"description": row.description,
	}


def _refuse_other_prices(version: str, rows: list[OfferRow]) -> None:
	doc = frappe.get_doc("TV Offer Version", version)
	there = {
		line.charge_code: (line.price_model, round(line.unit_price, 6), line.item) for line in doc.charges
	}
	wanted = {row.charge_code: (row.price_model, round(float(row.unit_price), 6), row.item) for row in rows}
	if there != wanted:
		frappe.throw(
			_(
				"Version {0} is submitted with other charges and never changes. Give the new charges a new version."
			).format(version)
		)


def _get_or_new(doctype: str, name: str, **values):
	if frappe.db.exists(doctype, name):
		return frappe.get_doc(doctype, name)
	return frappe.get_doc({"doctype": doctype, **values})
