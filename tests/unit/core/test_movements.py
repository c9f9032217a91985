from dataclasses import replace
from datetime import date

import pytest

from subscriber_tv.core.billing.periods import later
from subscriber_tv.core.devices.movements import (
	ACTIVE,
	IN_SERVICE,
	IN_STOCK,
	OUT_OF_STOCK,
	RETIRED,
	REVOKED,
	SOLD,
	STOCKED,
	Change,
	Device,
	LedgerRow,
	PastMovement,
	Position,
	Voucher,
	decide,
)
from subscriber_tv.core.devices.warranty import last_day_covered

DEPOT, VAN, SERVICE = "Depot", "Van", "In service"
RECEIPT = Voucher("Purchase Receipt", "PR-1", date(2026, 1, 10), supplier="Maker")
TRANSFER = Voucher(
	"Stock Entry", "SE-1", date(2026, 1, 31), customer="Hotel", site="S1", subscription="TVS-1"
)
BACK = Voucher("Stock Entry", "SE-2", date(2026, 3, 1))
SALE = Voucher("Delivery Note", "DN-1", date(2026, 2, 1), customer="Home", site="S2", subscription="TVS-2")


def into(warehouse: str, serial: str = "A-00001") -> LedgerRow:
	return LedgerRow(serial, 1, warehouse, "in service" if warehouse == SERVICE else "stock")


def out_of(warehouse: str, serial: str = "A-00001") -> LedgerRow:
	return LedgerRow(serial, -1, warehouse, "in service" if warehouse == SERVICE else "stock")


def one(voucher: Voucher, *rows: LedgerRow, device: Device | None = None, months: int = 24) -> Change | None:
	found = decide(voucher, rows, {device.serial: device} if device else {}, {"A-00001": months})
	assert len(found) <= 1
	return found[0] if found else None


def after(change: Change, voucher: Voucher, device: Device | None = None, paired: bool = False) -> Device:
	"""The TV once a change is applied, as the next movement will find it."""
	past = PastMovement(change.event, voucher.doctype, voucher.name, change.position)
	return Device(
		change.serial,
		change.position,
		ACTIVE if paired else change.credential,
		paired,
		(device.past if device else ()) + (past,),
	)


def received() -> Device:
	return after(one(RECEIPT, into(DEPOT)), RECEIPT)


def delivered(paired: bool = True) -> Device:
	device = received()
	return after(one(TRANSFER, out_of(DEPOT), into(SERVICE), device=device), TRANSFER, device, paired)


def test_a_receipt_makes_one_device_for_each_serial():
	rows = [into(DEPOT, f"A-{n:05}") for n in range(3)]
	changes = decide(RECEIPT, rows, {}, {})
	assert [(c.serial, c.new, c.event, c.position.state, c.credential) for c in changes] == [
		(f"A-{n:05}", True, "Received", IN_STOCK, STOCKED) for n in range(3)
	]


def test_a_transfer_to_service_puts_the_tv_at_the_site_and_starts_its_warranty():
	change = one(TRANSFER, out_of(DEPOT), into(SERVICE), device=received())
	assert change.event == "Delivered" and change.from_warehouse == DEPOT
	assert change.position == Position(
		IN_SERVICE, SERVICE, "Hotel", "S1", "TVS-1", date(2026, 1, 31), date(2028, 1, 30)
	)
	assert not change.unbind


def test_a_sale_needs_no_warehouse():
	change = one(SALE, out_of(DEPOT), device=received(), months=0)
	assert change.position == Position(SOLD, None, "Home", "S2", "TVS-2")


def test_a_move_between_depots_changes_the_warehouse_only():
	device = replace(received(), credential="Pending")
	change = one(BACK, out_of(DEPOT), into(VAN), device=device)
	assert (change.event, change.position, change.credential) == ("Moved", Position(IN_STOCK, VAN), "Pending")


def test_a_tv_that_comes_back_loses_its_pairing():
	change = one(BACK, out_of(SERVICE), into(DEPOT), device=delivered())
	assert change.event == "Returned" and change.unbind
	assert (change.position, change.credential) == (Position(IN_STOCK, DEPOT), STOCKED)


def test_a_move_to_another_subscription_of_the_customer_unbinds_and_keeps_the_warranty():
	other = replace(TRANSFER, name="SE-3", subscription="TVS-9", site="S9", date=date(2026, 6, 1))
	change = one(other, out_of(SERVICE), into(SERVICE + " 2"), device=delivered())
	assert change.position.state == IN_STOCK  # that warehouse is no service warehouse
	row = LedgerRow("A-00001", 1, "In service North", "in service")
	change = one(other, out_of(SERVICE), row, device=delivered())
	assert change.unbind and change.credential == STOCKED
	assert change.position.warranty_from == date(2026, 1, 31)


def test_a_tv_scrapped_is_retired():
	change = one(BACK, out_of(SERVICE), device=delivered())
	assert (change.event, change.position.state, change.credential) == ("Left Stock", OUT_OF_STOCK, RETIRED)
	assert change.unbind


def test_a_revoked_tv_stays_revoked():
	device = replace(delivered(), credential=REVOKED)
	assert one(BACK, out_of(SERVICE), into(DEPOT), device=device).credential == REVOKED


def test_cancelling_a_delivery_puts_the_tv_back_in_its_depot():
	change = one(replace(TRANSFER, cancelled=True), out_of(DEPOT), into(SERVICE), device=delivered())
	assert (change.event, change.position, change.unbind) == ("Undone", Position(IN_STOCK, DEPOT), True)


def test_cancelling_a_return_restores_the_place_but_not_the_pairing():
	device = delivered()
	back = after(one(BACK, out_of(SERVICE), into(DEPOT), device=device), BACK, device)
	change = one(replace(BACK, cancelled=True), out_of(SERVICE), into(DEPOT), device=back)
	assert change.position == device.position and change.credential == STOCKED and not change.unbind


def test_cancelling_the_receipt_retires_the_tv_and_a_new_receipt_revives_it():
	device = received()
	gone = one(replace(RECEIPT, cancelled=True), into(DEPOT), device=device)
	assert (gone.position, gone.credential) == (Position(OUT_OF_STOCK), RETIRED)
	device = after(gone, RECEIPT, device)
	again = one(replace(RECEIPT, name="PR-1-1"), into(DEPOT), device=device)
	assert (again.event, again.credential, again.new) == ("Received", STOCKED, False)


def test_a_voucher_is_followed_once_and_undone_once():
	device = delivered()
	assert one(TRANSFER, out_of(DEPOT), into(SERVICE), device=device) is None
	cancelled = replace(TRANSFER, cancelled=True)
	undone = after(one(cancelled, into(SERVICE), device=device), TRANSFER, device)
	assert one(cancelled, into(SERVICE), device=undone) is None


def test_a_stock_count_moves_nothing():
	assert one(BACK, out_of(DEPOT), into(DEPOT), device=received()) is None


def test_a_cancelled_voucher_of_an_unknown_tv_is_nothing():
	assert one(replace(RECEIPT, cancelled=True), into(DEPOT)) is None


@pytest.mark.parametrize(
	("first", "months", "last"),
	[
		(date(2026, 1, 31), 1, date(2026, 2, 27)),
		(date(2026, 1, 31), 2, date(2026, 3, 30)),
		(date(2024, 2, 29), 12, date(2025, 2, 27)),
		(date(2026, 11, 22), 24, date(2028, 11, 21)),
		(date(2026, 12, 1), 1, date(2026, 12, 31)),
	],
)
def test_warranty_counts_whole_months(first: date, months: int, last: date):
	assert last_day_covered(first, months) == last


def test_months_clamp_and_never_drift():
	assert later(date(2026, 1, 31), 1) == date(2026, 2, 28)
	assert later(date(2026, 1, 31), 2) == date(2026, 3, 31)
	with pytest.raises(ValueError):
		last_day_covered(date(2026, 1, 1), 0)
