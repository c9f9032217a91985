"""The projection: what every TV may watch, compiled from facts and signed ahead of any question.

`compile` turns contracts, offers and devices into unsigned rows, `sign` adds lease, denial or offer document.
Contract days become moments here, at midnight in the time zone of the contract's site; from here on only
epoch seconds UTC exist. The facts come from the database or from the demo's files alike.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import UNSET

from subscriber_tv.core.activation import documents, streams
from subscriber_tv.core.activation.facts import (
	BouquetFacts,
	ChannelFacts,
	ContractFacts,
	DeviceFacts,
	Facts,
	LineSpan,
	OfferFacts,
	Span,
)
from subscriber_tv.core.activation.feed import DEVICE, OFFER, Entry
from subscriber_tv.core.devices import jws, wire

__all__ = [
	"BouquetFacts",
	"ChannelFacts",
	"ContractFacts",
	"DeviceFacts",
	"Facts",
	"LineSpan",
	"OfferFacts",
	"Span",
	"compile",
	"sign",
]

# States of a subscription in which its TVs play.
WATCHING = frozenset({"Active", "Cancelling"})
_OVER = frozenset({"Cancelled", "Uninstalled"})
_STATE_OF = {"": "Active", "suspended": "Suspended", "ended": "Ended", "not_started": "Not Started"}
QUARANTINED = "quarantined"
DAY = 86_400
# Counts up when leases come to say more of the same facts, so that all are signed anew. 2: to whom they belong.
_FORM = b"2\n"
_json = msgspec.json.Encoder().encode


class Unsigned(msgspec.Struct, frozen=True):
	"""A row before its signature. `facts_hash` changes when and only when the row does."""

	kind: str
	subject: str
	facts_hash: str
	subscription: str = ""
	removed: bool = False
	state: str = ""
	key_hash: str = ""
	rights_from: int = 0
	rights_until: int = 0
	offers: tuple[str, ...] = ()
	play_seconds: int = 0
	denial_code: str = ""
	document: bytes = b""
	key: str = ""
	fp: str = ""
	account: str = ""
	streams: int = 0
	lock: int = 0
	pin: str = ""


@dataclass(frozen=True)
class Signed:
	"""A row ready to be numbered and stored. `entry` goes to the edges; the rest stays with the publisher."""

	entry: Entry
	subscription: str
	facts_hash: str
	signed_at: int
	# When time alone makes the row the wrong one, its lease too old or its denial; 0 never.
	due_at: int = 0


@dataclass(frozen=True)
class Window:
	"""Rights in [start, end), epoch seconds; end 0 is open-ended. `outside` is the denial's code while not inside."""

	start: int
	end: int
	offers: tuple[str, ...]
	outside: str


def compile(facts: Facts, now: int) -> tuple[Unsigned, ...]:
	"""The unsigned rows of all subjects in `facts`, as they stand at `now` (epoch seconds UTC)."""
	contracts = {contract.subscription: contract for contract in facts.contracts}
	offers = {offer.name: offer for offer in facts.offers}
	lines: dict[tuple[str, str, bool], dict[str, Any]] = {}
	return (
		*(_offer(offer) for offer in facts.offers),
		*(
			_device(device, contracts.get(device.subscription), offers, now, lines)
			for device in facts.devices
		),
		*(_hashed(Unsigned(DEVICE, serial, "", removed=True)) for serial in facts.removed),
	)


def sign(
	unsigned: Unsigned,
	signer: jws.Signer,
	now: int,
	max_stale: int,
	issuer: str,
	version: int = 1,
	*,
	has_broker: bool = False,
) -> Signed:
	"""Sign one row at `now`; its lease lives `max_stale` seconds, but never longer than the rights.

	`version` must never fall for a TV: take the sequence number of the last change of `facts_hash`.
	`has_broker` tells TVs that were paired before there was a message broker to ask for their place at it.
	Sign a row again when `facts_hash` changed, or when `due_at` has come.
	"""
	expires = min(now + max_stale, unsigned.rights_until or now + max_stale)
	head = (issuer, unsigned.subject, "tv", now, expires, version)
	document = signer.sign(jws.OFFER, unsigned.document) if unsigned.document else ""
	entry = Entry(
		kind=unsigned.kind,
		subject=unsigned.subject,
		version=version,
		removed=unsigned.removed,
		state=unsigned.state,
		key_hash=unsigned.key_hash,
		rights_from=unsigned.rights_from,
		rights_until=unsigned.rights_until,
		offers=unsigned.offers,
		play_seconds=unsigned.play_seconds,
		lease=_lease(unsigned, signer, head, has_broker) if unsigned.rights_from else "",
		expires_at=expires if unsigned.rights_from else 0,
		denial=_denial(unsigned, signer, now, issuer, version) if unsigned.denial_code else "",
		document=document,
		document_hash=wire.document_address(unsigned.document) if unsigned.document else "",
		key=unsigned.key,
		fp=unsigned.fp,
		account=unsigned.account,
		streams=unsigned.streams,
		lock=unsigned.lock,
		pin=unsigned.pin,
	)
	return Signed(entry, unsigned.subscription, unsigned.facts_hash, now, due_again(unsigned, now, max_stale))


def as_signed(row: Unsigned, packed: bytes, version: int, seq: int, expires_at: int) -> Entry:
	"""The entry of a TV's row that was signed in its packed form: without tokens, which stand in there."""
	return Entry(
		kind=row.kind,
		subject=row.subject,
		seq=seq,
		version=version,
		state=row.state,
		rights_from=row.rights_from,
		rights_until=row.rights_until,
		offers=row.offers,
		play_seconds=row.play_seconds,
		expires_at=expires_at,
		packed=packed,
	)


def due_again(row: Unsigned, now: int, max_stale: int) -> int:
	"""When a row that is signed `now` must be signed again (epoch seconds UTC); 0 when time changes nothing in it.

	A lease is a day old at most, or half of a shorter life; and a stored denial is the wrong one once rights begin or end.
	"""
	moments = [row.rights_until] if row.state == "Active" else []
	if row.state == "Not Started":
		moments.append(row.rights_from)
	ends = row.rights_until or now + max_stale + 1
	if row.rights_from and now + max_stale < ends:
		moments.append(now + min(DAY, max_stale // 2))
	return min(filter(None, moments), default=0)


def window(contract: ContractFacts, line_id: str, now: int) -> Window | None:
	"""The rights of a line that are open at `now`, else the next ones to open; None when there is neither.

	Rights are open while the contract is in a watching state and the line runs. Spans that touch are one.
	"""
	zone = ZoneInfo(contract.time_zone)
	merged: list[Window] = []
	for start, end, offers in _together(sorted(_pieces(contract, line_id, zone))):
		last = merged[-1] if merged else None
		if last and last.end == start and last.offers == offers:
			merged[-1] = Window(last.start, end, offers, "")
		else:
			merged.append(Window(start, end, offers, ""))
	for found in merged:
		if not found.end or found.end > now:
			moment = found.end if found.start <= now else now
			outside = _code_at(contract, zone, moment) if moment else ""
			return Window(found.start, found.end, found.offers, outside)
	return None


def _together(pieces: Sequence[tuple[int, int, str, bool]]) -> Iterable[tuple[int, int, tuple[str, ...]]]:
	"""The moments between any two edges with the offers held in them; an end of 0 is open.

	Options widen the line while it runs and give no right of their own.
	"""
	edges = sorted({edge for start, end, *_ in pieces for edge in (start, end) if edge})
	for start, end in itertools.pairwise([*edges, 0]):
		held = [piece for piece in pieces if piece[0] <= start and (not piece[1] or piece[1] > start)]
		if any(own for *_, own in held):
			yield start, end, tuple(dict.fromkeys(offer for _, _, offer, _ in held))


def _pieces(contract: ContractFacts, line_id: str, zone: ZoneInfo) -> Iterable[tuple[int, int, str, bool]]:
	"""Start, end and offer of the line and of its options; the last value says whether it is the line's own."""
	lines = [line for line in contract.lines if line_id in (line.line_id, line.option_of)]
	for span in contract.spans:
		if span.state not in WATCHING:
			continue
		for line in lines:
			start = max(span.start, line.start or span.start)
			ends = [end for end in (span.end, line.end) if end]
			if not ends or start < min(ends):
				until = _midnight(min(ends), zone) if ends else 0
				yield _midnight(start, zone), until, line.offer_version, line.line_id == line_id


def _code_at(contract: ContractFacts, zone: ZoneInfo, moment: int) -> str:
	"""The denial's code for a moment without rights. A line that ended under a running contract is `ended` too."""
	started = False
	state = ""
	for span in contract.spans:
		if _midnight(span.start, zone) <= moment and (not span.end or moment < _midnight(span.end, zone)):
			state = span.state
		started = started or (span.state in WATCHING and _midnight(span.start, zone) <= moment)
	if state == "Suspended":
		return "suspended"
	return "ended" if started or state in _OVER else "not_started"


def _midnight(day: date, zone: ZoneInfo) -> int:
	return int(datetime.combine(day, time(), tzinfo=zone).timestamp())


def _device(
	device: DeviceFacts,
	contract: ContractFacts | None,
	known: dict[str, OfferFacts],
	now: int,
	lines: dict[tuple[str, str, bool], dict[str, Any]],
) -> Unsigned:
	"""`lines` keeps what the TVs of one line share: a hotel has one line and a thousand TVs."""
	if contract is None or not device.key_hash:
		return _hashed(Unsigned(DEVICE, device.serial, "", removed=True))
	if device.quarantined:
		return _hashed(_quarantined(device))
	line = (device.subscription, device.line_id, device.restricted)
	if line not in lines:
		lines[line] = _line(contract, device.line_id, device.restricted, known, now)
	return _hashed(
		Unsigned(
			DEVICE,
			device.serial,
			"",
			subscription=device.subscription,
			key_hash=device.key_hash,
			key=device.key,
			fp=device.fp,
			lock=device.lock,
			pin=device.pin,
			**lines[line],
		)
	)


def _line(
	contract: ContractFacts, line_id: str, restricted: bool, known: dict[str, OfferFacts], now: int
) -> dict[str, Any]:
	"""What the row of every TV of a line says alike."""
	if restricted:
		contract = replace(contract, lines=tuple(line for line in contract.lines if not line.option_of))
	found = window(contract, line_id, now)
	outside = found.outside if found else _code_at(contract, ZoneInfo(contract.time_zone), now)
	is_open = found is not None and found.start <= now
	offers = found.offers if found else ()
	held = [known[name] for name in offers if name in known]
	return {
		"state": "Active" if is_open else _STATE_OF[outside],
		"rights_from": found.start if found else 0,
		"rights_until": found.end if found else 0,
		"offers": offers,
		"play_seconds": min((offer.play_seconds for offer in held), default=86_400),
		"denial_code": outside,
		"account": streams.account_of(contract.subscription),
		# The widest offer counts: an option never takes streams away.
		"streams": max((offer.streams for offer in held), default=0),
	}


def _quarantined(device: DeviceFacts) -> Unsigned:
	return Unsigned(
		DEVICE,
		device.serial,
		"",
		subscription=device.subscription,
		state="Quarantined",
		key_hash=device.key_hash,
		play_seconds=86_400,
		denial_code=QUARANTINED,
		key=device.key,
		account=streams.account_of(device.subscription),
	)


def _offer(offer: OfferFacts) -> Unsigned:
	document = {
		"offer": offer.name,
		"title": offer.title,
		"bouquets": [
			{
				"code": bouquet.code,
				"name": bouquet.name,
				"entitlement": bouquet.entitlement,
				"channels": sorted(bouquet.channels, key=lambda channel: (channel.number, channel.code)),
			}
			for bouquet in offer.bouquets
		],
	}
	return _hashed(Unsigned(OFFER, offer.name, "", document=msgspec.json.encode(document)))


def _hashed(row: Unsigned) -> Unsigned:
	return msgspec.structs.replace(row, facts_hash=hashlib.sha256(_FORM + _json(row)).hexdigest()[:32])


def _lease(row: Unsigned, signer: jws.Signer, head: tuple, has_broker: bool) -> str:
	claims = documents.Lease(
		*head,
		cnf=documents.Confirmation(row.key_hash),
		offers=row.offers,
		lim=row.streams or UNSET,
		bind=row.fp or UNSET,
		mqtt=1 if has_broker else UNSET,
		lock=row.lock or UNSET,
	)
	return signer.sign(jws.LEASE, msgspec.json.encode(claims))


def _denial(row: Unsigned, signer: jws.Signer, now: int, issuer: str, version: int) -> str:
	text = wire.DENIAL_TEXTS[row.denial_code]
	claims = documents.Denial(issuer, row.subject, "tv", now, version, row.denial_code, text)
	return signer.sign(jws.DENIAL, msgspec.json.encode(claims))
