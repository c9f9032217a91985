"""Safety limits: each refuses what it is for, and a right bill touches none (see also tests/unit/properties)."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from billing_books import OFFER, Books, charged, contract, day, recurring

from subscriber_tv.core.billing.bill import Charge, Credit
from subscriber_tv.core.billing.claims import Claim
from subscriber_tv.core.billing.limits import Limits, check_limits
from subscriber_tv.core.billing.price import CORRECTION, RECURRING, USAGE, Refused
from subscriber_tv.core.billing.usage import Usage
from subscriber_tv.core.contracts.lines import Line
from subscriber_tv.core.pricing.models import PercentOf, PerUnit, Tier
from subscriber_tv.core.pricing.models import Usage as PricedUsage

UNTIL = day("2026-03-15")


def books() -> Books:
	found = Books(recurring("30.00"))
	found.run(contract("2026-01-01"), until=UNTIL)
	return found


def check(rows, charges, credits=(), *, months=24, rows_a_day=12):
	check_limits("TVS-1", rows, charges, credits, until=UNTIL, limits=Limits(months, rows_a_day), places=2)


def charge_of(row, *, start: date | None = None, revision: int = 1) -> Charge:
	claim = Claim(row.line, start or row.span.start, row.span.end, row.kind, revision)
	return Charge(row.subscription, claim, row.price, row.amount)


def credit_of(row) -> Credit:
	return Credit(row, Claim(row.line, row.span.start, row.span.end, CORRECTION), row.amount)


def test_a_day_that_stands_is_not_charged_again():
	rows = books().rows
	with pytest.raises(Refused) as refused:
		check(rows, [charge_of(rows[1])])
	assert (refused.value.code, refused.value.values["day"]) == ("overlap", "2026-02-01")
	check(rows, [charge_of(rows[1])], [credit_of(rows[1])])


def test_a_part_of_the_days_is_enough():
	rows = books().rows
	late = replace(
		charge_of(rows[2]), claim=Claim(rows[2].line, day("2026-03-20"), day("2026-04-20"), "recurring")
	)
	with pytest.raises(Refused, match="2026-03-20"):
		check(rows, [late])


def test_one_bill_charges_no_day_twice():
	rows = books().rows
	twice = [charge_of(rows[0], revision=1), charge_of(rows[0], revision=2)]
	with pytest.raises(Refused, match="overlap"):
		check([], twice)


def test_another_line_or_a_row_with_nothing_left_is_no_matter():
	rows = books().rows
	other = replace(charge_of(rows[1]), claim=replace(charge_of(rows[1]).claim, line="TVS-1/2/BASE"))
	check(rows, [other])
	given_back = replace(rows[1], conceded=rows[1].amount)
	check([given_back], [charge_of(rows[1])])


def test_days_that_cannot_be_credited_may_be_charged_anew():
	"""A day of a price of ten cents a month is worth less than a cent: its credit comes to nothing, the new price counts."""
	cheap = Books(recurring("0.10"))
	cheap.run(contract("2026-01-01"), until="2026-01-15")
	row = cheap.rows[0]
	claim = Claim(row.line, day("2026-01-31"), day("2026-02-01"), row.kind)
	check([row], [replace(charge_of(row), claim=claim)])


def test_rows_for_one_day():
	"""Charged and credited again and again: at the limit the contract waits, however right each bill looks."""
	row = books().rows[0]
	gone = [replace(row, name=f"R{n}", revision=n, conceded=row.amount) for n in range(3)]
	check(gone, [charge_of(row, revision=3)], rows_a_day=4)
	with pytest.raises(Refused) as refused:
		check(gone, [charge_of(row, revision=3)], rows_a_day=3)
	assert refused.value.values == {
		"subscription": "TVS-1",
		"line": row.line,
		"day": "2026-01-01",
		"rows": "4",
		"limit": "3",
	}


def test_many_periods_of_a_line_are_not_many_rows_of_a_day():
	found = Books(recurring("30.00"))
	bill = found.run(contract("2024-01-01"), until="2026-03-15")
	assert len(bill.charges) == 27
	check([], bill.charges, months=27, rows_a_day=1)


def test_months_back():
	bill = Books(recurring("30.00")).run(contract("2024-03-31"), until=UNTIL)
	check([], bill.charges, months=24)
	with pytest.raises(Refused, match="too_long_ago"):
		check([], bill.charges, months=23)


def test_nothing_to_charge_is_never_refused():
	rows = books().rows
	check(rows, [], [credit_of(rows[0])], months=0, rows_a_day=0)
	assert Decimal(rows[0].amount) == 30


def test_a_period_longer_than_the_limit_is_billed_when_it_closes():
	books = Books(replace(recurring("100.00", months=36), arrears=True))
	assert books.run(contract("2026-01-01"), "2029-01-01", max_months=24).net == Decimal("100.00")
	with pytest.raises(Refused, match="too_long_ago"):
		Books(*books.offers[OFFER]).run(contract("2026-01-01"), "2031-02-01", max_months=24)


FILM = charged(USAGE, PerUnit(Decimal(2)), "FILM")


def films(*days: str) -> dict:
	return {"usage": tuple(Usage("1", "FILM", day(text), Decimal(1)) for text in days)}


def test_usage_too_old_is_held_back_alone():
	# until March 2026, at most two months back: what closed on 1 December or before waits
	found = Books(recurring("30.00"), FILM)
	known = contract("2025-01-01", billed_through="2025-06-01")
	found.run(known, "2026-02-15")
	used = films("2025-07-03", "2025-11-30", "2025-12-05", "2026-02-05")
	bill = found.run(known, UNTIL, max_months=2, **used)
	assert [(c.claim.line[-4:], str(c.span.start)) for c in bill.charges] == [
		("BASE", "2026-03-01"),
		("FILM", "2025-12-01"),
		("FILM", "2026-02-01"),
	]
	assert [str(c.span.start) for c in bill.late] == ["2025-07-01", "2025-11-01"]
	assert not found.run(known, UNTIL, max_months=2, **used)
	raised = found.run(known, UNTIL, max_months=24, **used)
	assert [(str(c.span.start), str(c.amount)) for c in raised.charges] == [
		("2025-07-01", "2.00"),
		("2025-11-01", "2.00"),
	]


def test_what_was_billed_of_an_old_period_stays_and_is_credited_when_taken_back():
	found = Books(FILM)
	known = contract("2025-01-01")
	found.run(known, UNTIL, **films("2025-07-03"))
	late = found.run(known, UNTIL, max_months=2, **films("2025-07-03", "2025-07-04"))
	assert not late and [str(c.amount) for c in late.late] == ["2.00"]
	assert [str(c.amount) for c in found.run(known, UNTIL, max_months=2).credits] == ["2.00"]


def test_a_fee_that_was_never_billed_still_says_that_the_contract_was_not():
	fee = charged(USAGE, PricedUsage(Decimal(10), (Tier(None, Decimal(1)),), Decimal(5)), "FILM")
	with pytest.raises(Refused, match="too_long_ago"):
		Books(fee).run(contract("2025-01-01"), UNTIL, max_months=2)


def test_a_percentage_of_usage_waits_with_it():
	share = charged(RECURRING, PercentOf(Decimal(10)), "SHARE", of=("FILM",))
	found = Books(FILM, share)
	used = films("2025-07-03", "2026-02-05")
	bill = found.run(contract("2025-01-01"), UNTIL, max_months=2, **used)
	assert [str(c.span.start) for c in bill.charges] == ["2026-02-01", "2026-02-01"]
	assert [str(c.span.start) for c in bill.late] == ["2025-07-01", "2025-07-01"]


@pytest.mark.parametrize("since", ["2025-07-01", "2025-07-03", "2025-07-15"])
def test_usage_too_old_to_be_charged_anew_is_not_credited_either(since):
	"""A change learnt too late: what was billed of the period stands until the limit lets it be charged anew."""
	found = Books(recurring("30.00"), FILM)
	found.offers["NEW"] = (recurring("30.00"), replace(FILM, item="TV-CINEMA"))
	used = films("2025-07-03", "2025-07-20", "2026-02-05")
	known = contract("2025-07-01")
	found.run(known, "2026-01-15", **used)
	lines = (Line("1", OFFER, 1, end=day(since)), Line("1", "NEW", 1, start=day(since)))
	changed = contract("2025-07-01", lines=lines)
	bill = found.run(changed, UNTIL, max_months=2, **used)
	assert [str(c.span.start) for c in bill.late] == [since]
	assert [str(c.span.start) for c in bill.charges if c.claim.kind == USAGE] == ["2026-02-01"]
	assert not bill.credits
	raised = found.run(changed, UNTIL, max_months=24, **used)
	assert raised.charges and raised.net == 0
