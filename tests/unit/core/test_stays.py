"""Where a TV of the operator was when, read off its history."""

from datetime import date

import pytest

from subscriber_tv.core.devices.stays import Event, Stay, stays


def on(day: int) -> date:
	return date(2026, 3, day)


def moved(day, state, subscription="", event="Moved"):
	return Event(on(day), event, state, subscription, moved=True)


def bound(day, subscription, line):
	return Event(on(day), "Bound", "In Service", subscription, line)


RECEIVED = moved(1, "In Stock", event="Received")
DELIVERED = moved(5, "In Service", "A", "Delivered")
RETURNED = moved(20, "In Stock", event="Returned")


@pytest.mark.parametrize(
	("events", "found"),
	[
		([RECEIVED], []),
		([RECEIVED, DELIVERED], [Stay("A", on(5))]),
		([RECEIVED, DELIVERED, bound(6, "A", "L1")], [Stay("A", on(5), None, "L1")]),
		([DELIVERED, bound(6, "A", "L1"), bound(9, "A", "L2"), RETURNED], [Stay("A", on(5), on(20), "L2")]),
		# To another place of the same subscription; unbinding moves nothing.
		(
			[DELIVERED, moved(8, "In Service", "A"), Event(on(9), "Unbound", "In Service", "A"), RETURNED],
			[Stay("A", on(5), on(20))],
		),
		(
			[DELIVERED, moved(8, "In Service", "B"), RETURNED],
			[Stay("A", on(5), on(8)), Stay("B", on(8), on(20))],
		),
		([DELIVERED, moved(8, "Sold", "A", "Sold")], [Stay("A", on(5), on(8))]),
		([DELIVERED, moved(8, "Out of Stock", event="Left Stock")], [Stay("A", on(5), on(8))]),
		([DELIVERED, moved(5, "In Stock", event="Undone")], []),
		([moved(5, "In Service"), bound(6, "A", "L1")], []),
	],
)
def test_a_tv_stays_from_its_delivery_until_it_moves_elsewhere(events, found):
	assert list(stays(events)) == found
