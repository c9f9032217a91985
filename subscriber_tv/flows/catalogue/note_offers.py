"""Tells the publisher which offer versions a change of the catalogue reaches."""

from collections.abc import Iterable

import frappe

from subscriber_tv.flows.activation.note_change import note_changes


def note_channel(channel: str) -> None:
	"""A TV Channel changed: every submitted version with a bouquet that holds it."""
	bouquets = frappe.get_all(
		"TV Bouquet Line", {"channel": channel, "parenttype": "TV Bouquet"}, pluck="parent", distinct=True
	)
	_note_bouquets(bouquets)


def note_bouquet(bouquet: str) -> None:
	"""A TV Bouquet changed: every submitted version that holds it."""
	_note_bouquets([bouquet])


def note_offer(offer: str) -> None:
	"""The header of an offer changed: the documents of all its submitted versions."""
	note_changes("Offer", _versions(offer))


def note_terms(offer: str) -> None:
	"""How long a TV plays without asking, and how many streams may run, stand in each TV's row: every subscription with the offer."""
	line = frappe.qb.DocType("TV Subscription Line")
	query = frappe.qb.from_(line).select(line.parent).distinct().orderby(line.parent)
	query = query.where(
		(line.parenttype == "TV Subscription") & line.offer_version.isin(_versions(offer) or [""])
	)
	note_changes("Subscription", query.run(pluck=True))


def _versions(offer: str) -> list[str]:
	return frappe.get_all("TV Offer Version", {"offer": offer, "docstatus": 1}, pluck="name", order_by="name")


def _note_bouquets(bouquets: Iterable[str]) -> None:
	bouquets = list(bouquets)
	if not bouquets:
		return
	versions = frappe.get_all(
		"TV Offer Bouquet Line",
		{"bouquet": ("in", bouquets), "parenttype": "TV Offer Version", "docstatus": 1},
		pluck="parent",
		distinct=True,
		order_by="parent",
	)
	note_changes("Offer", versions)
