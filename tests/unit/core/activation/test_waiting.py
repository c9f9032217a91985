"""Minutes from delivery or installation to the first picture.

delivered 10:00      installed 11:30      allowed 11:42
"""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriber_tv.core.activation.waiting import First, by_group_and_month, minutes, percentile

ALLOWED = datetime(2026, 11, 22, 11, 42, 30)
DELIVERED = datetime(2026, 11, 22, 10, 0)
INSTALLED = datetime(2026, 11, 22, 11, 30)


@pytest.mark.parametrize(
	("delivered", "installed", "waited"),
	[
		(DELIVERED, INSTALLED, 12),
		(DELIVERED, None, 102),
		(None, INSTALLED, 12),
		(DELIVERED, ALLOWED + timedelta(hours=1), 102),
		(None, None, None),
		(None, ALLOWED + timedelta(1), None),
		(ALLOWED, None, 0),
	],
)
def test_the_later_of_the_two_begins_the_wait(delivered, installed, waited):
	assert minutes(First(ALLOWED, delivered, installed)) == waited


def test_figures_by_sector_and_month():
	def first(month: int, waited: int, sector: str) -> First:
		allowed = datetime(2026, month, 5, 12)
		return First(allowed, allowed - timedelta(minutes=waited), sector=sector)

	firsts = [first(10, waited, "Nord") for waited in range(1, 101)]
	firsts += [first(11, 7, "Sud"), first(11, 9, "Nord"), First(ALLOWED, sector="Sud")]
	rows = [(row.group, row.tvs, row.median, row.percentile_95) for row in by_group_and_month(firsts)]
	assert rows == [
		(("2026-10", "Nord"), 100, 50, 95),
		(("2026-11", "Nord"), 1, 9, 9),
		(("2026-11", "Sud"), 1, 7, 7),
	]


@given(st.lists(st.integers(0, 10_000), min_size=1), st.integers(1, 100))
def test_a_percentile_is_a_value_that_so_many_do_not_pass(values, share):
	found = percentile(values, share)
	assert found in values
	assert sum(value <= found for value in values) * 100 >= share * len(values)
	assert sum(value < found for value in values) * 100 < share * len(values)
