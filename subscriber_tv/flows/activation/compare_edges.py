"""Compares what every edge holds with what the ERP published, in sums first and TV by TV where these differ.

Reads one moment of the database, in pages; call it in a fresh transaction. Nothing is written: an edge that differs
takes a snapshot when its file is removed, and a difference is a fault to look into.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import frappe

from subscriber_tv.adapters.edge_http import EdgeClient, EdgeUnreachable
from subscriber_tv.core.activation import compare, feed
from subscriber_tv.flows.activation import keys, publish, store_rights

ADDRESSES = "subscriber_tv_edges"
"""Key of site_config: name of an edge -> the address at which those who run it reach it."""


@dataclass
class Outcome:
	"""One edge: how far it is, or why it could not be compared; and what it should hold otherwise."""

	edge: str
	problem: str = ""
	seq: int = 0
	age: int = 0
	rows: int = 0
	slices: tuple[int, ...] = ()
	complete: bool = True
	differences: list[compare.Difference] = field(default_factory=list)


def compare_edges(addresses: Mapping[str, str] | None = None) -> list[Outcome]:
	"""Compare the edges at these addresses, by default those of site_config; edges that report but have none are named."""
	if addresses is None:
		addresses = frappe.conf.get(ADDRESSES) or {}
		unknown = sorted(_reporting() - addresses.keys())
	else:
		unknown = []
	last, secret = publish.current_sequence(), keys.feed_secret()
	clients = {name: EdgeClient(url, secret) for name, url in addresses.items()}
	ours, offers = _sums(last)
	outcomes = [_first_look(name, client, ours, offers) for name, client in clients.items()]
	wanted = {number for outcome in outcomes for number in outcome.slices}
	lines = list(_lines(last, ours.slices, wanted)) if wanted else []
	for outcome in outcomes:
		if outcome.slices:
			_second_look(outcome, clients[outcome.edge], lines, ours.slices, last)
	missing = [Outcome(name, f"no address of it in {ADDRESSES} of site_config.json") for name in unknown]
	return outcomes + missing


def _reporting() -> set[str]:
	return set(frappe.get_all("TV Edge", pluck="edge_name", limit=0))


def _entries(last: int) -> Iterator[feed.Entry]:
	"""Every row of the projection, removed ones included."""
	seq = 0
	while page := store_rights.entries_after(seq, last, feed.PAGE_ROWS):
		yield from page
		seq = page[-1].seq


def _sums(last: int) -> tuple[compare.Sums, dict[str, tuple[int, str]]]:
	sums: compare.Sums = compare.Sums()
	offers: dict[str, tuple[int, str]] = {}
	for entry in _entries(last):
		if entry.kind == feed.OFFER:
			offers[entry.subject] = (entry.seq, "" if entry.removed else entry.document_hash)
		elif not entry.removed:
			sums.add(entry.subject, compare.packed(entry))
	return sums, offers


def _lines(last: int, slices: int, wanted: set[int]) -> Iterator[compare.Line]:
	for entry in _entries(last):
		if entry.kind == feed.DEVICE and compare.slice_of(entry.subject, slices) in wanted:
			fingerprint = "" if entry.removed else compare.fingerprint(compare.packed(entry))
			yield compare.Line(entry.subject, entry.seq, fingerprint)


def _first_look(
	name: str, client: EdgeClient, ours: compare.Sums, offers: dict[str, tuple[int, str]]
) -> Outcome:
	try:
		theirs = client.slices(ours.slices)
		slices = tuple(compare.unequal(ours, theirs))
	except (EdgeUnreachable, ValueError) as error:
		return Outcome(name, str(error))
	outcome = Outcome(name, seq=theirs.seq, age=int(time.time()) - theirs.as_of, rows=sum(theirs.counts))
	outcome.slices = slices
	outcome.differences = compare.offer_differences(offers, theirs.offers, theirs.seq)
	return outcome


def _second_look(
	outcome: Outcome, client: EdgeClient, lines: list[compare.Line], slices: int, last: int
) -> None:
	try:
		theirs = client.rows(slices, outcome.slices)
	except EdgeUnreachable as error:
		outcome.problem = str(error)
		return
	looked = set(outcome.slices)
	ours = (line for line in lines if compare.slice_of(line.serial, slices) in looked)
	outcome.differences += compare.differences(ours, theirs, last)
	outcome.complete = theirs.complete
