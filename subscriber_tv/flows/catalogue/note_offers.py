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
	"""The header of an offer changed: all its submitted versions."""
	note_changes(
		"Offer",
		frappe.get_all("TV Offer Version", {"offer": offer, "docstatus": 1}, pluck="name", order_by="name"),
	)


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
