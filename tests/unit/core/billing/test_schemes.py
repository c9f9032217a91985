"""Charges priced by tiers and blocks: billed, prorated, credited at the price then, and read back from the books."""

import json
from decimal import Decimal as D

import pytest
from billing_books import OFFER, Books, contract, day, recurring, shown
from hypothesis import given
from hypothesis import strategies as st

from subscriber_tv.core.billing.periods import Span
from subscriber_tv.core.billing.price import RECURRING, OfferCharge, Price, Refused
from subscriber_tv.core.pricing.models import (
	Flat,
	Free,
	Graduated,
	Package,
	Percentage,
	PercentOf,
	PerUnit,
	Tier,
	Usage,
	Volume,
)
from subscriber_tv.core.pricing.offered import model_of
from subscriber_tv.core.pricing.read import read_model
from subscriber_tv.core.pricing.write import write_model

TIERS = (Tier(D(10), D(5), D(20)), Tier(D(50), D(4)), Tier(None, D("3.5")))
NOVEMBER = Span(day("2026-11-01"), day("2026-12-01"))


def charge(scheme, price="0", model="Graduated"):
	return OfferCharge("BASE", RECURRING, "TV-BASE", model, D(price), scheme=scheme)


def price(scheme=None, model="Graduated", unit_price="0", quantity=60):
	return Price(OFFER, "BASE", "TV-BASE", model, D(unit_price), quantity, 1, NOVEMBER, scheme=scheme)


@pytest.mark.parametrize(
	("scheme", "amount"),
	[
		(Graduated(TIERS), "265.00"),  # 10 × 5 + 20, 40 × 4, 10 × 3.5
		(Volume(TIERS), "210.00"),
		(Package(D(9), D(10), D(5)), "54.00"),
	],
)
def test_a_whole_month_and_the_half_of_it_given_back(scheme, amount):
	books = Books(charge(scheme))
	bill = books.run(contract("2026-11-01", quantity=60), "2026-11-01")
	assert shown(bill) == [("+", "BASE", "2026-11-01", "2026-12-01", amount)]
	books.run(contract("2026-11-01", "2026-11-16", quantity=60), "2026-11-16")
	assert books.net == D(amount) / 2


def test_a_credit_is_worth_the_price_then():
	"""The tiers of the version are gone from the facts of the run; those on the row count."""
	books = Books(charge(Graduated(TIERS)))
	books.run(contract("2026-11-01", quantity=60), "2026-11-01")
	row = books.rows[0]
	facts = json.loads(json.dumps(row.price.snapshot(row.span)))
	assert Price.from_snapshot(facts, "TV-BASE").full_amount == D(265)
	assert facts["scheme"]["tiers"][0] == {"up_to": "10", "unit_price": "5", "flat_fee": "20", "free": False}
	books.offers[OFFER] = (charge(Volume(TIERS)),)
	bill = books.run(contract("2026-11-01", quantity=60), "2026-11-01")
	assert shown(bill) == [
		("+", "BASE", "2026-11-01", "2026-12-01", "210.00"),
		("-", "BASE", "2026-11-01", "2026-12-01", "265.00"),
	]


def test_a_quantity_within_the_free_units_is_no_row():
	assert not Books(charge(Package(D(9), D(10), D(5)))).run(contract("2026-11-01", quantity=5), "2026-11-01")


@pytest.mark.parametrize(
	"lost",
	[
		charge(None),
		charge(Graduated(())),
		charge(Volume((Tier(None),))),
		charge(Package(D(0), D(10))),
		charge(Package(D(9), D(0))),
		charge(Flat(D(0))),
		charge(None, model="Package", price="9"),
	],
)
def test_a_price_that_is_missing_is_refused_by_name(lost):
	with pytest.raises(Refused) as refused:
		Books(lost).run(contract("2026-11-01"), "2026-11-01")
	assert refused.value.code == "no_price"
	assert (refused.value.values["charge"], refused.value.values["offer_version"]) == ("BASE", OFFER)


@pytest.mark.parametrize(("model", "amount"), [("Per Unit", "1800"), ("Flat", "30")])
def test_rows_billed_before_there_were_schemes_are_read(model, amount):
	facts = price(model=model, unit_price="30").snapshot(NOVEMBER)
	assert "scheme" not in facts
	assert Price.from_snapshot(facts, "TV-BASE").full_amount == D(amount)


@pytest.mark.parametrize(
	"damage",
	[
		{"scheme": {"kind": "graduated"}},
		{"scheme": {"kind": "flat", "amount": "0"}},
		{"scheme": None},
		{"unit_price": "0"},
		{"model": "Odd"},
		{"model": "Volume"},
	],
)
def test_damaged_facts_are_refused(damage):
	facts = price(model="Per Unit", unit_price="30").snapshot(NOVEMBER)
	with pytest.raises((KeyError, TypeError, ValueError)):
		Price.from_snapshot(facts | damage, "TV-BASE")


amounts = st.decimals("0.01", "999999", places=6)
tiers = st.lists(st.tuples(amounts, amounts), max_size=3).map(
	lambda pairs: (
		*(Tier(D(10 * n), price, fee) for n, (price, fee) in enumerate(pairs, start=1)),
		Tier(None, D(1)),
	)
)
free_first = tiers.map(lambda table: (Tier(D(5), free=True), *table))


@pytest.mark.histories
@given(
	st.one_of(
		st.just(Free()),
		amounts.map(Flat),
		amounts.map(PerUnit),
		(tiers | free_first).map(Graduated),
		tiers.map(Volume),
		st.builds(Package, amounts, amounts, amounts),
		st.builds(Usage, amounts, tiers, amounts),
		st.builds(PercentOf, amounts, st.none() | st.just(D(1)), st.none() | st.just(D(2))),
		st.builds(Percentage, amounts, amounts, st.integers(0, 9), amounts),
	)
)
def test_a_model_is_read_as_it_was_written(model):
	assert read_model(json.loads(json.dumps(write_model(model)))) == model


def test_the_one_function_prices_simple_charges_too(monkeypatch):
	"""Nothing multiplies on its own: a broken price_of breaks the bill of a price per unit."""

	def broken(model, quantity):
		raise ZeroDivisionError

	monkeypatch.setattr("subscriber_tv.core.billing.price.price_of", broken)
	with pytest.raises(ZeroDivisionError):
		Books(recurring()).run(contract("2026-11-01"), "2026-11-01")


def test_an_unknown_name_is_no_model():
	with pytest.raises(ValueError):
		model_of("Odd", D(1))
