"""Reads and writes TV Devices by the batch: a receipt of 300 TVs costs as many queries as one of three.

The only writer of a TV's place, warranty and history of movements. It writes rows directly, without
loading documents: TV Device has no validation of its own that a flow could break.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import frappe
from frappe.utils import now_datetime

from subscriber_tv.core.devices import movements
from subscriber_tv.flows.activation.note_change import note_changes

PLACE = ("state", "warehouse", "customer", "site", "subscription", "warranty_from", "warranty_until")
PAIRING = (
	"line_id",
	"bound_on",
	"bound_by",
	"key_hash",
	"public_key",
	"parts",
	"parental_lock",
	"pin_set_on",
	"pin_verifier",
	"pending_key_hash",
	"pending_public_key",
	"pending_parts",
	"device_code_hash",
	"pairing_code",
	"pairing_until",
	"pairing_network",
	"suspicion",
)
"""Fields that are emptied when a TV is unbound."""

HISTORY = (
	"at",
	"event",
	"voucher_type",
	"voucher_no",
	"from_warehouse",
	"to_warehouse",
	"site",
	"subscription",
	"note",
	"state",
	"customer",
	"warranty_from",
	"warranty_until",
)


@dataclass(frozen=True, slots=True)
class Known:
	"""A TV Device as the core sees it, and how many lines its history has."""

	device: movements.Device
	lines: int
	subscription: str | None
	line_id: str | None


def load(serials: Iterable[str]) -> dict[str, Known]:
	"""The TV Devices among these serials, locked until the transaction ends, with their movements."""
	serials = sorted(serials)
	table = frappe.qb.DocType("TV Device")
	columns = ("name", "credential_state", "line_id", *PLACE)
	devices = (
		frappe.qb.from_(table)
		.select(*columns)
		.where(table.name.isin(serials))
		.orderby(table.name)
		.for_update()
		.run(as_dict=True)
	)
	past = _movements([device.name for device in devices])
	return {device.name: _known(device, past.get(device.name, [])) for device in devices}


def apply_changes(
	voucher: movements.Voucher,
	changes: Iterable[movements.Change],
	known: Mapping[str, Known],
	models: Mapping[str, tuple[str, str]],
) -> None:
	"""Write the changes: new TVs, moved TVs, their history, and the rights that end with a pairing.

	:param models: (item, model) of each serial
	"""
	changes = tuple(changes)
	_insert([change for change in changes if change.new], voucher, models)
	_update([change for change in changes if not change.new], voucher)
	add_history(
		(change.serial, known[change.serial].lines if change.serial in known else 0, _line(change, voucher))
		for change in changes
	)
	unbound = [change.serial for change in changes if change.unbind]
	count_bound({(known[serial].subscription, known[serial].line_id) for serial in unbound})
	note_changes("Device", unbound)


def add_history(lines: Iterable[tuple[str, int, dict]]) -> None:
	"""Append one history line to each TV: (serial, lines it has already, values of HISTORY)."""
	now, user = now_datetime(), frappe.session.user
	columns = [
		"name",
		"parent",
		"parenttype",
		"parentfield",
		"idx",
		"creation",
		"modified",
		"owner",
		"modified_by",
	]
	frappe.db.bulk_insert(
		"TV Device Event Line",
		[*columns, *HISTORY],
		[
			(
				frappe.generate_hash(length=16),
				serial,
				"TV Device",
				"history",
				count + 1,
				now,
				now,
				user,
				user,
				*(values.get(field) for field in HISTORY),
			)
			for serial, count, values in lines
		],
	)


def add_event(device: str, event: str, state: str, subscription: str, site: str, note: str) -> None:
	"""Append one history line that no stock voucher wrote, such as Bound, to the TV the caller has locked."""
	lines = frappe.db.count("TV Device Event Line", {"parenttype": "TV Device", "parent": device})
	line = {
		"at": now_datetime(),
		"event": event,
		"state": state,
		"subscription": subscription,
		"site": site,
		"note": note,
	}
	add_history([(device, lines, line)])


def count_bound(lines: Iterable[tuple[str, str]]) -> None:
	"""Write again how many TVs are bound to each (subscription, line id): a figure for the form only."""
	for subscription, line_id in lines:
		bound = frappe.db.count("TV Device", {"subscription": subscription, "line_id": line_id})
		frappe.db.set_value(
			"TV Subscription Line",
			{"parent": subscription, "line_id": line_id},
			"bound",
			bound,
			update_modified=False,
		)


def _movements(serials: list[str]) -> dict[str, list]:
	if not serials:
		return {}
	rows = frappe.get_all(
		"TV Device Event Line",
		filters={"parenttype": "TV Device", "parent": ("in", serials)},
		fields=["parent", "event", "voucher_type", "voucher_no", "to_warehouse", *PLACE_IN_HISTORY],
		order_by="parent asc, idx asc",
		limit=0,
	)
	by_serial: dict[str, list] = {}
	for row in rows:
		by_serial.setdefault(row.parent, []).append(row)
	return by_serial


PLACE_IN_HISTORY = tuple(field for field in PLACE if field != "warehouse")


def _known(device, past: list) -> Known:
	return Known(
		device=movements.Device(
			serial=device.name,
			position=movements.Position(**{field: device[field] or None for field in PLACE}),
			credential=device.credential_state,
			paired=bool(device.line_id),
			past=tuple(
				movements.PastMovement(
					row.event,
					row.voucher_type,
					row.voucher_no,
					movements.Position(
						warehouse=row.to_warehouse or None,
						**{field: row[field] or None for field in PLACE_IN_HISTORY},
					),
				)
				for row in past
				if row.voucher_no
			),
		),
		lines=len(past),
		subscription=device.subscription,
		line_id=device.line_id,
	)


def _insert(changes: list[movements.Change], voucher: movements.Voucher, models: Mapping) -> None:
	if not changes:
		return
	now, user = now_datetime(), frappe.session.user
	standard = [
		"name",
		"serial_no",
		"creation",
		"modified",
		"owner",
		"modified_by",
		"docstatus",
		"item",
		"model",
	]
	values = [_values(change, voucher) for change in changes]
	frappe.db.bulk_insert(
		"TV Device",
		[*standard, *values[0]],
		[
			(change.serial, change.serial, now, now, user, user, 0, *models[change.serial], *row.values())
			for change, row in zip(changes, values, strict=True)
		],
	)


def _update(changes: list[movements.Change], voucher: movements.Voucher) -> None:
	"""One statement for all TVs that end up alike."""
	alike: dict[tuple, list[str]] = {}
	for change in changes:
		values = _values(change, voucher, received=change.event == movements.RECEIVED)
		values |= dict.fromkeys(PAIRING) if change.unbind else {}
		alike.setdefault(tuple(values.items()), []).append(change.serial)
	for values, serials in alike.items():
		frappe.db.set_value("TV Device", {"name": ("in", serials)}, dict(values))


def _values(change: movements.Change, voucher: movements.Voucher, received: bool = True) -> dict:
	values = {field: getattr(change.position, field) for field in PLACE}
	values["company"] = _company_of(change.position) or voucher.company
	values["credential_state"] = change.credential
	if received:
		is_receipt = change.event == movements.RECEIVED
		values |= {
			"receipt_type": voucher.doctype if is_receipt else None,
			"receipt_no": voucher.name if is_receipt else None,
			"supplier": voucher.supplier if is_receipt else None,
			"received_on": voucher.date if is_receipt else None,
		}
	return values


def _company_of(position: movements.Position) -> str | None:
	"""Whose TV it is: of the warehouse it is booked in, else of the contract it was sold with."""
	if position.warehouse:
		return frappe.get_cached_value("Warehouse", position.warehouse, "company")
	if position.subscription:
		return frappe.db.get_value("TV Subscription", position.subscription, "company")
	return None


def _line(change: movements.Change, voucher: movements.Voucher) -> dict:
	return {
		"at": now_datetime(),
		"event": change.event,
		"voucher_type": voucher.doctype,
		"voucher_no": voucher.name,
		"from_warehouse": change.from_warehouse,
		"to_warehouse": change.position.warehouse,
		**{field: getattr(change.position, field) for field in PLACE_IN_HISTORY},
	}
