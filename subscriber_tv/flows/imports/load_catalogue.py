"""Load channels and bouquets."""

import frappe

from subscriber_tv.core.imports.rows import BouquetRow, ChannelRow
from subscriber_tv.flows.imports import find


def load_channel(rows: list[ChannelRow]) -> bool:
	"""Create the channel or bring it up to the row."""
	row = rows[0]
	doc = get_or_new("TV Channel", row.channel_code, channel_code=row.channel_code)
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
	doc = get_or_new("TV Bouquet", row.bouquet_code, bouquet_code=row.bouquet_code)
	values = {"bouquet_name": row.bouquet_name, "entitlement_code": row.entitlement_code}
	if [line.channel for line in doc.get("channels")] != channels:
		values["channels"] = [{"channel": code} for code in channels]
	return find.save_if_changed(doc, values)


def get_or_new(doctype: str, name: str, **values):
	"""The document of that name, or a new one with these values."""
	if frappe.db.exists(doctype, name):
		return frappe.get_doc(doctype, name)
	return frappe.get_doc({"doctype": doctype, **values})
