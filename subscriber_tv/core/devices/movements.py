"""What a stock movement does to a TV: its place, its warranty, its pairing.

The stock ledger says where a serial number stands; this module says what that means. A voucher is
live or cancelled; its rows say which warehouse a serial left (-1) and which it entered (+1). A
cancelled voucher puts the TV back where the last voucher that still stands had put it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from subscriber_tv.core.devices.warranty import last_day_covered

IN_STOCK, IN_SERVICE, SOLD, OUT_OF_STOCK = "In Stock", "In Service", "Sold", "Out of Stock"
STOCKED, PENDING, ACTIVE, RETIRED, REVOKED = "Stocked", "Pending", "Active", "Retired", "Revoked"
QUARANTINED = "Quarantined"

RECEIVED, MOVED, DELIVERED, SOLD_EVENT = "Received", "Moved", "Delivered", "Sold"
RETURNED, LEFT, UNDONE = "Returned", "Left Stock", "Undone"

STOCK_KIND, SERVICE_KIND = "stock", "in service"


@dataclass(frozen=True, slots=True)
class LedgerRow:
	"""One serial in or out of one warehouse; `kind` is `stock` or `in service`."""

	serial: str
	quantity: int
	warehouse: str
	kind: str


@dataclass(frozen=True, slots=True)
class Voucher:
	"""The document behind the rows. `date` is its posting date; `subscription` the one it names, if any."""

	doctype: str
	name: str
	date: date
	cancelled: bool = False
	customer: str | None = None
	site: str | None = None
	subscription: str | None = None
	supplier: str | None = None
	company: str | None = None


@dataclass(frozen=True, slots=True)
class Position:
	"""Where a TV is and for whom. `warranty_until` is the last day covered."""

	state: str = OUT_OF_STOCK
	warehouse: str | None = None
	customer: str | None = None
	site: str | None = None
	subscription: str | None = None
	warranty_from: date | None = None
	warranty_until: date | None = None


@dataclass(frozen=True, slots=True)
class PastMovement:
	"""A line of the TV's history that a stock voucher wrote, oldest first."""

	event: str
	doctype: str
	voucher: str
	position: Position


@dataclass(frozen=True, slots=True)
class Device:
	"""What is known of a TV before the movement. `paired`: it is bound to a line of a subscription."""

	serial: str
	position: Position
	credential: str
	paired: bool
	past: tuple[PastMovement, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
	"""What the movement makes of a TV. `unbind`: its pairing and its keys are forgotten."""

	serial: str
	new: bool
	event: str
	position: Position
	from_warehouse: str | None
	credential: str
	unbind: bool


def decide(
	voucher: Voucher,
	rows: Iterable[LedgerRow],
	devices: Mapping[str, Device],
	warranty_months: Mapping[str, int],
) -> tuple[Change, ...]:
	"""Changes a voucher makes, in the order of its rows.

	:param rows: every serial row of the voucher; of a cancelled one, its original rows
	:param devices: the TVs already known, by serial
	:param warranty_months: customer warranty of each serial's model; 0 or missing: none
	"""
	by_serial: dict[str, list[LedgerRow]] = {}
	for row in rows:
		by_serial.setdefault(row.serial, []).append(row)
	changes = (
		_undo(voucher, devices.get(serial))
		if voucher.cancelled
		else _follow(voucher, serial, moves, devices.get(serial), warranty_months.get(serial, 0))
		for serial, moves in by_serial.items()
	)
	return tuple(change for change in changes if change)


def _follow(
	voucher: Voucher, serial: str, rows: list[LedgerRow], device: Device | None, months: int
) -> Change | None:
	left = next((row for row in rows if row.quantity < 0), None)
	entered = next((row for row in reversed(rows) if row.quantity > 0), None)
	if left and entered and left.warehouse == entered.warehouse:
		return None  # a stock count writes both rows; nothing moved
	if device and _standing(device, voucher):
		return None  # already followed: a landed cost voucher posts the rows of its receipt again
	before = device.position if device else Position()
	event, after = _target(voucher, before, entered, months)
	return _change(serial, device, event, after, left.warehouse if left else None)


def _target(
	voucher: Voucher, before: Position, entered: LedgerRow | None, months: int
) -> tuple[str, Position]:
	if entered is None:
		if not voucher.customer:
			return LEFT, Position(OUT_OF_STOCK)
		return SOLD_EVENT, _with_subscriber(voucher, before, Position(SOLD), months)
	if entered.kind == SERVICE_KIND:
		there = Position(IN_SERVICE, entered.warehouse)
		event = MOVED if before.state == IN_SERVICE else DELIVERED
		return event, _with_subscriber(voucher, before, there, months)
	event = {OUT_OF_STOCK: RECEIVED, IN_STOCK: MOVED}.get(before.state, RETURNED)
	return event, Position(IN_STOCK, entered.warehouse)


def _with_subscriber(voucher: Voucher, before: Position, after: Position, months: int) -> Position:
	"""The subscriber's TV; its warranty starts when it reaches him, and goes on when it moves within his sites."""
	if not voucher.customer:
		return after
	after = replace(after, customer=voucher.customer, site=voucher.site, subscription=voucher.subscription)
	if before.customer == voucher.customer and before.warranty_from:
		return replace(after, warranty_from=before.warranty_from, warranty_until=before.warranty_until)
	if months <= 0:
		return after
	return replace(after, warranty_from=voucher.date, warranty_until=last_day_covered(voucher.date, months))


def _undo(voucher: Voucher, device: Device | None) -> Change | None:
	if device is None or not _standing(device, voucher):
		return None
	kept = [past for past in _standing_all(device) if not _is(past, voucher)]
	after = kept[-1].position if kept else Position()
	return _change(device.serial, device, UNDONE, after, device.position.warehouse)


def _change(
	serial: str, device: Device | None, event: str, after: Position, from_warehouse: str | None
) -> Change:
	before = device.position if device else Position()
	paired = bool(device and device.paired)
	gone = after.state in (IN_STOCK, OUT_OF_STOCK)
	unbind = paired and (gone or after.subscription != before.subscription)
	return Change(
		serial=serial,
		new=device is None,
		event=event,
		position=after,
		from_warehouse=from_warehouse,
		credential=_credential(device.credential if device else STOCKED, after.state, unbind),
		unbind=unbind,
	)


def _credential(before: str, state: str, unbind: bool) -> str:
	"""A revoked TV stays revoked; one that left the operator is retired; one that came back may pair again."""
	if before == REVOKED:
		return REVOKED
	if state == OUT_OF_STOCK:
		return RETIRED
	if unbind or before == RETIRED:
		return STOCKED
	return before


def _is(past: PastMovement, voucher: Voucher) -> bool:
	return (past.doctype, past.voucher) == (voucher.doctype, voucher.name)


def _standing(device: Device, voucher: Voucher) -> bool:
	return any(_is(past, voucher) for past in _standing_all(device))


def _standing_all(device: Device) -> list[PastMovement]:
	"""Movements whose voucher was not cancelled, oldest first."""
	undone = {(past.doctype, past.voucher) for past in device.past if past.event == UNDONE}
	return [past for past in device.past if (past.doctype, past.voucher) not in undone]
