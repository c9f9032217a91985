"""A quote held against the bills: example rows, kept, broken and changed."""

from decimal import Decimal

from billing_books import OFFER, Books, contract, day, one_off, recurring

from subscriber_tv.core.billing.bill import ContractFacts
from subscriber_tv.core.billing.quote import compare, total_difference
from subscriber_tv.core.billing.upcoming import upcoming


def quoted(*charges, until="2026-03-31"):
	facts = ContractFacts(contract("2026-01-10", anchor=1), {OFFER: charges})
	played = upcoming([facts], today=day("2026-01-10"), until=day(until), max_months=24)
	return [bill for one in played for bill in one.bills]


def billed(*charges, until="2026-03-31"):
	books = Books(*charges)
	for run in ("2026-01-20", "2026-02-03", until):
		books.run(contract("2026-01-10", anchor=1), run)
	return books.rows


def amounts(rows):
	return [(str(row.start), str(row.quoted), str(row.billed)) for row in rows]


def test_what_was_quoted_was_billed_whatever_the_days_of_the_runs():
	rows = compare(quoted(one_off(), recurring()), billed(one_off(), recurring()), None)
	assert amounts(rows) == [
		("2026-01-10", "50.00", "50.00"),
		("2026-01-10", "21.29", "21.29"),
		("2026-02-01", "30.00", "30.00"),
		("2026-03-01", "30.00", "30.00"),
	]
	assert total_difference(rows) == 0


def test_another_price_shows_row_by_row():
	rows = compare(quoted(recurring("30.00")), billed(recurring("31.00")), None)
	assert [str(row.difference) for row in rows] == ["0.71", "1.00", "1.00"]
	assert total_difference(rows) == Decimal("2.71")


def test_a_row_never_quoted_and_one_never_billed_show_against_nothing():
	rows = compare(quoted(one_off()), billed(recurring(), until="2026-02-03"), None)
	assert amounts(rows) == [
		("2026-01-10", "50.00", "0"),
		("2026-01-10", "0", "21.29"),
		("2026-02-01", "0", "30.00"),
	]


def test_from_the_day_of_a_change_on_nothing_is_compared():
	rows = compare(quoted(recurring("30.00")), billed(recurring("31.00")), day("2026-02-15"))
	assert [str(row.end) for row in rows] == ["2026-02-01"]
