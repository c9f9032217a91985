"""Reads the facts behind rights: bound TVs, the contracts they serve, the offers these name."""

from collections.abc import Iterable

import frappe

from subscriber_tv.core.activation import projection
from subscriber_tv.core.contracts.timeline import Contract
from subscriber_tv.core.devices import movements
from subscriber_tv.flows.contracts import timeline

HOUR = 3600
PAIRED = (movements.ACTIVE, movements.QUARANTINED)
"""Credential states whose TVs have a row in the projection."""


def of_devices(serials: Iterable[str], subscriptions: Iterable[str] = ()) -> projection.Facts:
	"""Facts for these TVs: bound ones with contract and offers, the others as removed.

	:param subscriptions: contracts to load besides, whether or not one of these TVs serves them
	"""
	serials = list(dict.fromkeys(serials))
	bound = _bound(serials)
	zones = _time_zones({device.subscription for device in bound} | set(subscriptions))
	contracts = tuple(
		_contract(contract, zones[name])
		for name, contract in timeline.load_for_rights(zones).items()
		if name in zones
	)
	versions = {line.offer_version for contract in contracts for line in contract.lines}
	known = {device.serial for device in bound}
	return projection.Facts(
		devices=tuple(bound),
		contracts=contracts,
		offers=offers(versions),
		removed=tuple(serial for serial in serials if serial not in known),
	)


def of_offer(name: str) -> projection.Facts:
	"""Facts for the documents of an offer version, or of every version of an offer that is published."""
	if frappe.db.exists("TV Offer Version", name):
		return projection.Facts(offers=offers([name]))
	versions = frappe.get_all("TV Offer Version", filters={"offer": name, "docstatus": 1}, pluck="name")
	return projection.Facts(offers=offers(versions))


def offers(names: Iterable[str]) -> tuple[projection.OfferFacts, ...]:
	"""Offer versions with their bouquets and channels in force; disabled ones are left out."""
	names = sorted(names)
	if not names:
		return ()
	version, offer = frappe.qb.DocType("TV Offer Version"), frappe.qb.DocType("TV Offer")
	rows = (
		frappe.qb.from_(version)
		.join(offer)
		.on(version.offer == offer.name)
		.select(version.name, offer.offer_name, offer.play_hours, offer.streams)
		.where(version.name.isin(names))
		.orderby(version.name)
		.run(as_dict=True)
	)
	default_hours = frappe.get_cached_doc("TV Settings").play_hours or 24
	packs = _bouquets(names)
	return tuple(
		projection.OfferFacts(
			name=row.name,
			title=row.offer_name,
			bouquets=tuple(packs.get(row.name, ())),
			play_seconds=(row.play_hours or default_hours) * HOUR,
			streams=row.streams or 0,
		)
		for row in rows
	)


def _bound(serials: list[str]) -> list[projection.DeviceFacts]:
	if not serials:
		return []
	device, model = frappe.qb.DocType("TV Device"), frappe.qb.DocType("TV Device Model")
	site = frappe.qb.DocType("TV Site")
	rows = (
		frappe.qb.from_(device)
		.left_join(model)
		.on(model.name == device.model)
		.left_join(site)
		.on(site.name == device.site)
		.select(
			device.name,
			device.key_hash,
			device.subscription,
			device.line_id,
			device.credential_state,
			device.suspicion,
			device.public_key,
			device.parts,
			model.bind_parts,
			device.parental_lock,
			site.parental_lock.as_("site_lock"),
			device.pin_verifier,
		)
		.where(device.name.isin(serials) & device.credential_state.isin(PAIRED))
		.where((device.line_id != "") & (device.key_hash != "") & (device.subscription != ""))
		.run()
	)
	return [
		projection.DeviceFacts(
			*names,
			quarantined=state == movements.QUARANTINED,
			restricted=suspicion == "Restricted",
			key=public_key or "",
			fp=(parts or "") if bind_parts else "",
			lock=_age(own_lock or site_lock),
			pin=pin or "",
		)
		for *names, state, suspicion, public_key, parts, bind_parts, own_lock, site_lock, pin in rows
	]


def _time_zones(subscriptions: set[str]) -> dict[str, str]:
	if not subscriptions:
		return {}
	subscription, site = frappe.qb.DocType("TV Subscription"), frappe.qb.DocType("TV Site")
	rows = (
		frappe.qb.from_(subscription)
		.join(site)
		.on(subscription.site == site.name)
		.select(subscription.name, site.time_zone)
		.where(subscription.name.isin(sorted(subscriptions)))
		.run()
	)
	default = frappe.get_cached_doc("TV Settings").default_time_zone or "Europe/Paris"
	return {name: zone or default for name, zone in rows}


def _contract(contract: Contract, time_zone: str) -> projection.ContractFacts:
	return projection.ContractFacts(
		subscription=contract.subscription,
		time_zone=time_zone,
		spans=tuple(projection.Span(span.state, span.start, span.end) for span in contract.spans),
		lines=tuple(
			projection.LineSpan(line.line_id, line.offer_version, line.start, line.end, line.option_of)
			for line in contract.lines
		),
	)


def _bouquets(versions: list[str]) -> dict[str, list[projection.BouquetFacts]]:
	line, bouquet = frappe.qb.DocType("TV Offer Bouquet Line"), frappe.qb.DocType("TV Bouquet")
	rows = (
		frappe.qb.from_(line)
		.join(bouquet)
		.on(line.bouquet == bouquet.name)
		.select(line.parent, bouquet.name, bouquet.bouquet_name, bouquet.entitlement_code)
		.where((line.parenttype == "TV Offer Version") & line.parent.isin(versions) & (bouquet.disabled == 0))
		.orderby(line.parent, line.idx)
		.run(as_dict=True)
	)
	channels = _channels(sorted({row.name for row in rows}))
	packs: dict[str, list[projection.BouquetFacts]] = {}
	for row in rows:
		packs.setdefault(row.parent, []).append(
			projection.BouquetFacts(
				code=row.name,
				name=row.bouquet_name,
				entitlement=row.entitlement_code or "",
				channels=tuple(channels.get(row.name, ())),
			)
		)
	return packs


def _channels(bouquets: list[str]) -> dict[str, list[projection.ChannelFacts]]:
	if not bouquets:
		return {}
	line, channel = frappe.qb.DocType("TV Bouquet Line"), frappe.qb.DocType("TV Channel")
	rows = (
		frappe.qb.from_(line)
		.join(channel)
		.on(line.channel == channel.name)
		.select(
			line.parent,
			channel.name,
			channel.channel_name,
			channel.lcn,
			channel.definition,
			channel.genre,
			channel.language,
			channel.entitlement_code,
			channel.age_rating,
		)
		.where((line.parenttype == "TV Bouquet") & line.parent.isin(bouquets) & (channel.disabled == 0))
		.orderby(line.parent, line.idx)
		.run()
	)
	found: dict[str, list[projection.ChannelFacts]] = {}
	for bouquet, code, name, number, *texts, age in rows:
		facts = projection.ChannelFacts(code, name, number or 0, *(text or "" for text in texts), _age(age))
		found.setdefault(bouquet, []).append(facts)
	return found


def _age(chosen: str | None) -> int:
	"""The age in a choice such as "From 12 years"; none and Unlocked are 0."""
	return int("".join(filter(str.isdigit, chosen or "")) or 0)
