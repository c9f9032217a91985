"""A batch of counted answers: strict in what it may say, and its keys are composed by whoever reads it."""

import json

import pytest

from subscriber_tv.core.activation import report, rollup

NOW = 1_800_000_000
EDGE = "south-0123456789ab"
ROW = {"kind": "Refused", "count": 3, "first": NOW, "last": NOW + 5, "code": "ended", "serial": "LG55-000001"}


def body(**changes):
	return json.dumps({"edge": EDGE, "number": 1, "rows": [ROW], **changes}).encode()


def test_round_trip():
	batch = report.decode(body())
	assert report.decode(report.encode(batch)) == batch
	assert (report.name_in(batch.edge), report.identity("south", "0123456789ab")) == ("south", EDGE)


def test_the_key_is_that_of_the_rollup():
	(row,) = report.decode(body()).rows
	tally = row.tally("south", NOW + 60)
	assert tally.bucket == rollup.named(
		"Refused", when=NOW, code="ended", serial="LG55-000001", audience="south"
	)
	assert (tally.count, tally.first, tally.last) == (3, NOW, NOW + 5)


def test_the_future_is_now():
	(row,) = report.decode(body()).rows
	tally = row.tally("south", NOW - 7)
	assert (tally.first, tally.last) == (NOW - 7, NOW - 7)


@pytest.mark.parametrize(
	"bad",
	[
		b"",
		b"[]",
		b"{",
		body(edge="south"),
		body(edge="so|uth-0123456789ab"),
		body(edge=EDGE + "\n"),
		body(number=0),
		body(number="1"),
		body(more=1),
		body(rows=[ROW] * (report.BATCH_ROWS + 1)),
		*(
			body(rows=[{**ROW, **change}])
			for change in (
				{"kind": "State Change"},
				{"count": 0},
				{"count": 2**31},
				{"count": 1.5},
				{"serial": "A|B"},
				{"serial": "X" * 33},
				{"code": "Ended"},
				{"network": "10.0.0.0/24|"},
				{"first": -1},
				{"key": "C|x"},
			)
		),
	],
)
def test_anything_else_is_no_batch(bad):
	with pytest.raises(report.BadReport):
		report.decode(bad)


@pytest.mark.parametrize("bad", ["", "south", "-0123456789ab", "a b-0123456789ab", "south-0123456789AB"])
def test_no_identity(bad):
	with pytest.raises(report.BadReport):
		report.name_in(bad)


def test_a_full_batch_fits():
	row = report.Row(
		"Stranger",
		report.LARGEST,
		2**33,
		2**33,
		"wrong_credential",
		"X" * 32,
		"ffff:ffff:ffff::/48",
		report.LARGEST,
	)
	batch = report.Batch(f"{'n' * 40}-0123456789ab", report.LARGEST, (row,) * report.BATCH_ROWS)
	assert len(report.encode(batch)) < report.MAX_BYTES
