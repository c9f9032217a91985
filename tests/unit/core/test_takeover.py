"""Standard Subscriptions as ERPNext leaves them, and the contracts that go on where it stopped."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from subscriber_tv.core.imports.takeover import (
	AT_THE_END,
	DAYS_BEFORE,
	MONTHLY_RATE,
	PRICE_LIST,
	Invoice,
	Plan,
	Standard,
	TakeOver,
	take_over,
)

TODAY = date(2026, 11, 22)
PLAN = Plan("Basic", "TV", "EUR", Decimal("30"), "Month", 1, 2)


def invoice(first: str, last: str, **values) -> Invoice:
	return Invoice(
		f"INV-{first}",
		values.get("draft", False),
		values.get("is_return", False),
		date.fromisoformat(first) if first else None,
		date.fromisoformat(last) if last else None,
	)


def standard(**values) -> Standard:
	return Standard(
		**{
			"name": "SUB-1",
			"party_type": "Customer",
			"company": "Antenne Bleue",
			"start": date(2026, 1, 10),
			"plans": (PLAN,),
			"invoices": (invoice("2026-01-10", "2026-02-09"), invoice("2026-10-10", "2026-11-09")),
			**values,
		}
	)


def taken(**values) -> TakeOver:
	found = take_over(standard(**values), TODAY)
	assert isinstance(found, TakeOver), found
	return found


def reasons(**values) -> list[str]:
	found = take_over(standard(**values), TODAY)
	assert isinstance(found, list), found
	return [finding.code for finding in found]


def remarks(**values) -> list[tuple]:
	return [(found.code, found.value, found.first, found.last) for found in taken(**values).remarks]


def test_it_goes_on_the_day_after_the_last_invoiced_one():
	"""
	ERPNext   |10 Jan ... 9 Nov|
	here                       |10 Nov ...
	"""
	found = taken()
	assert (found.start, found.activated_on) == (date(2026, 1, 10), date(2026, 1, 10))
	assert (found.billed_through, found.anchor_day, found.trial_days) == (date(2026, 11, 10), 10, 0)
	(line,) = found.lines
	assert (line.item, line.price, line.interval_months, line.quantity) == ("TV", Decimal(30), 1, 2)
	assert (found.arrears, found.end) == (False, None)


def test_a_short_month_has_only_bent_the_anchor():
	"""Start 31 Jan, invoiced until 27 Feb: on the 28th of Feb again, and on the 31st of March."""
	found = taken(start=date(2026, 1, 31), invoices=(invoice("2026-01-31", "2026-02-27"),))
	assert (found.billed_through, found.anchor_day) == (date(2026, 2, 28), 31)


def test_an_anchor_that_has_drifted_stays_where_customers_know_it():
	"""Start 31 Jan, drifted to the 28th, invoiced until 27 Oct: a whole period follows from 28 Oct."""
	found = taken(start=date(2026, 1, 31), invoices=(invoice("2026-09-28", "2026-10-27"),))
	assert (found.billed_through, found.anchor_day) == (date(2026, 10, 28), 28)


def test_a_year_that_has_moved_begins_anew_where_it_was_moved_to():
	"""Yearly from 10 Mar 2024, a missed night moved it to 5 Apr: served since a 5 Apr, so that a year fits."""
	found = taken(
		start=date(2024, 3, 10),
		plans=(replace(PLAN, interval="Year"),),
		invoices=(invoice("2024-03-10", "2025-03-09"), invoice("2025-04-05", "2026-04-04")),
	)
	assert (found.billed_through, found.anchor_day) == (date(2026, 4, 5), 5)
	assert found.activated_on == date(2025, 4, 5)
	assert found.remarks[0].code == "never_invoiced"
	assert (found.remarks[0].first, found.remarks[0].last) == (date(2025, 3, 10), date(2025, 4, 4))


def test_a_quarter_of_calendar_months_ends_with_the_month():
	"""17 Feb to 30 Apr was invoiced: the next quarter begins on 1 May."""
	found = taken(
		start=date(2026, 2, 17),
		calendar_months=True,
		plans=(replace(PLAN, count=3),),
		invoices=(invoice("2026-02-17", "2026-04-30"),),
	)
	assert (found.billed_through, found.anchor_day) == (date(2026, 5, 1), 1)
	assert found.activated_on == date(2026, 2, 17)


def test_an_invoice_cancelled_or_never_made_leaves_its_days_to_us():
	found = taken(invoices=())
	assert found.billed_through == date(2026, 1, 10)
	assert remarks(invoices=()) == [("catch_up", "", date(2026, 1, 10), TODAY)]


def test_a_running_trial_goes_on():
	"""Trial from 10 to 30 Nov: 21 days, billed from 1 Dec."""
	found = taken(start=date(2026, 11, 10), trial_end=date(2026, 11, 30), invoices=())
	assert (found.trial_days, found.billed_through, found.anchor_day) == (21, date(2026, 12, 1), 1)
	assert found.activated_on == date(2026, 11, 10)
	assert found.remarks == ()


def test_a_trial_whose_year_would_not_fit_is_taken_over_when_it_is_over():
	values = {"start": date(2026, 11, 10), "trial_end": date(2026, 11, 30), "invoices": ()}
	assert reasons(plans=(replace(PLAN, interval="Year"),), **values) == ["trial_running"]


def test_a_trial_that_is_over_is_history():
	"""Billed from 24 Jan, the day after fourteen days of trial."""
	found = taken(trial_end=date(2026, 1, 23), invoices=(invoice("2026-01-24", "2026-02-23"),))
	assert (found.trial_days, found.billed_through, found.anchor_day) == (0, date(2026, 2, 24), 24)
	assert found.activated_on == date(2026, 1, 10)


@pytest.mark.parametrize(
	("values", "end"),
	[
		({"end": date(2027, 1, 9)}, date(2027, 1, 10)),
		({"cancel_at_period_end": True, "current_end": date(2026, 12, 9)}, date(2026, 12, 10)),
		(
			{"cancel_at_period_end": True, "current_end": date(2026, 12, 9), "end": date(2026, 12, 1)},
			date(2026, 12, 2),
		),
		({"cancel_at_period_end": True}, None),
	],
)
def test_an_end_is_the_first_day_no_longer_served(values, end):
	assert taken(**values).end == end


def test_arrears_are_those_generated_at_the_end():
	assert taken(generate_at=AT_THE_END).arrears
	assert ("days_before", "", None, None) in remarks(generate_at=DAYS_BEFORE)


def test_the_monthly_rate_is_multiplied_by_all_months():
	"""10.00 a month for two years is 240.00; ERPNext takes 120.00."""
	plan = replace(PLAN, rate=Decimal(10), interval="Year", count=2, determination=MONTHLY_RATE)
	found = taken(plans=(plan,), start=date(2025, 1, 10), invoices=(invoice("2025-01-10", "2027-01-09"),))
	assert found.lines[0].price == Decimal(240)
	assert [remark.code for remark in found.remarks] == ["monthly_rate"]
	assert ("price_list", "Basic", None, None) in remarks(plans=(replace(PLAN, determination=PRICE_LIST),))


def test_credit_notes_and_invoices_without_a_period_are_said():
	found = remarks(
		invoices=(
			invoice("2026-10-10", "2026-11-22"),
			invoice("2026-10-10", "2026-11-09", is_return=True),
			invoice("", ""),
		)
	)
	assert [remark[0] for remark in found] == ["credited", "no_period"]


@pytest.mark.parametrize(
	("values", "codes"),
	[
		({"party_type": "Supplier"}, ["party_type"]),
		({"company": ""}, ["no_company"]),
		({"start": None}, ["no_start"]),
		({"start": date(2026, 12, 1)}, ["not_started"]),
		({"discounted": True}, ["additional_discount"]),
		({"tax_included": True}, ["tax_included"]),
		({"plans": ()}, ["no_plans"]),
		({"plans": (replace(PLAN, interval="Week"),)}, ["interval"]),
		({"plans": (replace(PLAN, interval="Year", count=6),)}, ["long_interval"]),
		({"plans": (replace(PLAN, rate=Decimal(0)),)}, ["no_price"]),
		({"plans": (replace(PLAN, quantity=0),)}, ["no_quantity"]),
		({"plans": (PLAN, replace(PLAN, interval="Year"))}, ["mixed_intervals"]),
		({"plans": (PLAN, replace(PLAN, currency="CHF"))}, ["mixed_currencies"]),
		({"invoices": (invoice("2026-01-10", "2026-02-09", draft=True),)}, ["draft_invoice"]),
		(
			{"party_type": "Supplier", "discounted": True, "plans": ()},
			["party_type", "additional_discount", "no_plans"],
		),
	],
)
def test_what_cannot_be_taken_over_says_every_reason(values, codes):
	assert reasons(**values) == codes
