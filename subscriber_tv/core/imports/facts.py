"""The facts of the projection from the rows of CSV files, without a database: what the embedded demo runs on.

The same rows loaded through the flows lead to the same rights. A subscription bears its reference as its name, an offer
version is `<offer>-V<number>` as in the desk.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from subscriber_tv.core.activation.projection import (
	BouquetFacts,
	ChannelFacts,
	ContractFacts,
	DeviceFacts,
	Facts,
	LineSpan,
	OfferFacts,
	Span,
)
from subscriber_tv.core.contracts.lines import Line
from subscriber_tv.core.contracts.timeline import Change, fold, plan_change

Rows = Mapping[str, Sequence[Any]]
"""Kind -> its rows (see `rows.KINDS`)."""


def facts_of(rows: Rows, today: date) -> Facts:
	"""Compile rows of all kinds into facts as known on `today`; changes dated later are left out.

	KeyError when a row refers to another that is not there; IllegalTransition or TimelineError when the history of a
	subscription cannot have happened.
	"""
	return Facts(
		devices=tuple(_devices(rows)),
		contracts=tuple(_contracts(rows, today)),
		offers=tuple(_offers(rows)),
	)


def version_name(offer_code: str, version: int) -> str:
	"""Name of an offer version."""
	return f"{offer_code}-V{version}"


def line_id(position: int) -> str:
	"""Id of the line at this position (1 = the first)."""
	return f"L{position}"


def _devices(rows: Rows) -> Iterable[DeviceFacts]:
	for row in rows["bindings"]:
		yield DeviceFacts(row.serial, row.key, row.subscription, line_id(row.subscription_line))


def _contracts(rows: Rows, today: date) -> Iterable[ContractFacts]:
	zones = {(row.customer, row.site_name): row.time_zone for row in rows["sites"]}
	changes = _grouped(rows["changes"], "subscription")
	for reference, lines in _grouped(rows["subscriptions"], "reference").items():
		first = lines[0]
		contract = _contract(reference, lines, changes.get(reference, ()), today)
		yield ContractFacts(
			subscription=reference,
			time_zone=zones[first.customer, first.site],
			spans=tuple(Span(span.state, span.start, span.end) for span in contract.spans),
			lines=tuple(
				LineSpan(line.line_id, line.offer_version, line.start, line.end, line.option_of)
				for line in contract.lines
			),
		)


def _contract(reference: str, lines: Sequence[Any], history: Sequence[Any], today: date):
	sold = tuple(
		Line(line_id(position), version_name(row.offer_code, row.version), row.quantity)
		for position, row in enumerate(lines, start=1)
	)
	recorded = [Change(1, "create", None, "Draft", lines[0].start_on, lines=sold)]
	for row in history:
		if row.effective_date > today:
			continue
		recorded.append(
			plan_change(
				fold(recorded, subscription=reference),
				row.event,
				no=len(recorded) + 1,
				today=today,
				effective=row.effective_date,
				end=row.end_date,
			)
		)
	return fold(recorded, subscription=reference)


def _offers(rows: Rows) -> Iterable[OfferFacts]:
	channels = {
		row.channel_code: ChannelFacts(
			row.channel_code,
			row.channel_name,
			row.number,
			row.definition,
			row.genre,
			row.language,
			row.entitlement_code,
		)
		for row in rows["channels"]
	}
	bouquets = {
		row.bouquet_code: BouquetFacts(
			row.bouquet_code,
			row.bouquet_name,
			row.entitlement_code,
			tuple(channels[code] for code in row.channels),
		)
		for row in rows["bouquets"]
	}
	versions = {version_name(row.offer_code, row.version): row for row in rows["offers"]}
	for name, row in versions.items():
		yield OfferFacts(
			name=name,
			title=row.offer_name,
			bouquets=tuple(bouquets[code] for code in row.bouquets),
			play_seconds=row.play_hours * 3600,
		)


def _grouped(rows: Iterable[Any], column: str) -> dict[str, list[Any]]:
	groups: dict[str, list[Any]] = {}
	for row in rows:
		groups.setdefault(getattr(row, column), []).append(row)
	return groups
