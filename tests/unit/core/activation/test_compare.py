"""An edge is compared with the ERP slice by slice: every difference is found, and nothing that is only on its way."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subscriber_tv.core.activation import compare
from subscriber_tv.core.activation.compare import (
	DIFFERENT,
	EXTRA,
	MISSING,
	Difference,
	Line,
	Rows,
	Slices,
	Sums,
	differences,
	fingerprint,
	offer_differences,
	packed,
	slice_of,
	unequal,
)
from subscriber_tv.core.activation.feed import Entry


def tv(number, seq=1, **fields):
	return Entry("Device", f"HOTEL-{number:06}", seq=seq, **fields)


def summed(entries, slices=8):
	sums = Sums(slices)
	for entry in entries:
		sums.add(entry.subject, packed(entry))
	return sums


def said(sums, seq=100):
	return Slices(seq, 0, tuple(sums.counts), sums.sums(), {})


def line(entry):
	return Line(entry.subject, entry.seq, "" if entry.removed else fingerprint(packed(entry)))


def found(ours, theirs, edge_seq, erp_seq, slices=8):
	"""What the two steps together find between these rows."""
	mine = summed(entry for entry in ours if not entry.removed)
	looked = set(unequal(mine, said(summed(theirs), edge_seq)))

	def within(entries):
		return [line(entry) for entry in entries if slice_of(entry.subject, slices) in looked]

	return differences(within(ours), Rows(edge_seq, tuple(within(theirs))), erp_seq)


def test_equal_rows_need_no_second_look():
	rows = [tv(number) for number in range(500)]
	assert unequal(summed(rows), said(summed(reversed(rows)))) == []


@pytest.mark.parametrize(
	("ours", "theirs", "expected"),
	[
		([tv(1, 5)], [], [Difference(MISSING, "HOTEL-000001", 5, 0)]),
		([], [tv(1, 5)], [Difference(EXTRA, "HOTEL-000001", 0, 5)]),
		([tv(1, 7, removed=True)], [tv(1, 5)], [Difference(EXTRA, "HOTEL-000001", 7, 5)]),
		([tv(1, 5, state="Active")], [tv(1, 5)], [Difference(DIFFERENT, "HOTEL-000001", 5, 5)]),
		([tv(1, 7)], [tv(1, 5)], [Difference(DIFFERENT, "HOTEL-000001", 7, 5)]),
		([tv(1, 7, removed=True)], [], []),
		# On its way: the edge has not come so far.
		([tv(1, 11)], [tv(1, 5)], []),
		([tv(1, 11)], [], []),
		([tv(1, 11, removed=True)], [tv(1, 5)], []),
		# Sent since the ERP was read.
		([tv(1, 5)], [tv(1, 21)], []),
	],
)
def test_what_is_a_difference(ours, theirs, expected):
	assert found(ours, theirs, edge_seq=10, erp_seq=20) == expected


@pytest.mark.parametrize(
	("ours", "theirs", "expected"),
	[
		({"V1": (3, "h")}, {"V1": "h"}, []),
		({"V1": (3, "h")}, {}, [Difference(MISSING, "V1", 3)]),
		({"V1": (3, "h2")}, {"V1": "h"}, [Difference(DIFFERENT, "V1", 3)]),
		({"V1": (3, "")}, {"V1": "h"}, [Difference(EXTRA, "V1", 3)]),
		({}, {"V1": "h"}, [Difference(EXTRA, "V1", 0)]),
		({"V1": (11, "h2")}, {"V1": "h"}, []),
	],
)
def test_offers(ours, theirs, expected):
	assert offer_differences(ours, theirs, 10) == expected


def test_other_slices_cannot_be_compared():
	with pytest.raises(ValueError, match="4 slices instead of 8"):
		unequal(Sums(8), said(Sums(4)))


def test_a_list_cut_short_calls_nothing_missing():
	cut = Rows(10, (), complete=False)
	assert differences([line(tv(1, 5))], cut, 20) == []


ROWS = st.dictionaries(
	st.integers(1, 60), st.tuples(st.integers(1, 30), st.sampled_from(["", "a", "b"])), max_size=40
)


@settings(max_examples=150, deadline=None)
@given(ROWS, ROWS)
def test_the_slices_hide_nothing(ours, theirs):
	"""What the sums let through is exactly what comparing every row would have found."""
	mine = [tv(number, seq, state=state) for number, (seq, state) in ours.items()]
	other = [tv(number, seq, state=state) for number, (seq, state) in theirs.items()]
	everything = differences(map(line, mine), Rows(20, tuple(map(line, other))), 25)
	assert found(mine, other, edge_seq=20, erp_seq=25) == everything


def test_the_largest_operator_costs_little():
	slices = Slices(
		563_000, 1_800_000_000, (137,) * compare.SLICES, ("f" * 16,) * compare.SLICES, {"V1": "h" * 43}
	)
	assert len(compare.msgspec.json.encode(slices)) < 120_000
	rows = Rows(563_000, tuple(Line(f"AB43H-{number:06}", number, "f" * 16) for number in range(137)))
	assert len(compare.msgspec.json.encode(rows)) < 8_000
