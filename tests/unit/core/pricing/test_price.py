"""Each price model at its bounds, and what holds for any quantity."""

from dataclasses import replace
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriber_tv.core.pricing.models import (
	Flat,
	Free,
	Graduated,
	Package,
	Percentage,
	PercentOf,
	PerUnit,
	Tier,
	TierFault,
	Usage,
	Volume,
	faults_of_tiers,
)
from subscriber_tv.core.pricing.price import price_of

TIERS = (
	Tier(D(10), D("5"), D("100")),
	Tier(D(20), D("4"), D("50")),
	Tier(None, D("3"), D("25")),
)


@pytest.mark.parametrize(
	("model", "quantity", "amount"),
	[
		(Free(), "7", "0"),
		(Flat(D("50")), "0", "50"),
		(Flat(D("50")), "9", "50"),
		(PerUnit(D("7.4193")), "100", "741.93"),
		(PerUnit(D("7.4193")), "0", "0"),
		# graduated: 5 each up to 10, 4 up to 20, then 3; 100, 50 and 25 on entering
		(Graduated(TIERS), "0", "100"),
		(Graduated(TIERS), "1", "105"),
		(Graduated(TIERS), "10", "150"),
		(Graduated(TIERS), "10.5", "202"),
		(Graduated(TIERS), "11", "204"),
		(Graduated(TIERS), "20", "240"),
		(Graduated(TIERS), "20.001", "265.003"),
		(Graduated(TIERS), "21", "268"),
		# volume: all of them at the price of the tier reached
		(Volume(TIERS), "0", "100"),
		(Volume(TIERS), "10", "150"),
		(Volume(TIERS), "10.5", "92"),
		(Volume(TIERS), "11", "94"),
		(Volume(TIERS), "20", "130"),
		(Volume(TIERS), "20.001", "85.003"),
		(Volume(TIERS), "21", "88"),
		# package: 9 for each 10 started, after 5 free ones
		(Package(D(9), D(10), D(5)), "0", "0"),
		(Package(D(9), D(10), D(5)), "5", "0"),
		(Package(D(9), D(10), D(5)), "5.001", "9"),
		(Package(D(9), D(10), D(5)), "6", "9"),
		(Package(D(9), D(10), D(5)), "15", "9"),
		(Package(D(9), D(10), D(5)), "15.001", "18"),
		(Package(D(9), D(10), D(5)), "16", "18"),
		(Package(D(9), D(10)), "10", "9"),
		(Package(D(9), D("0.3")), "0.9", "27"),
		# usage: 20 holds 100, then 0.50 up to 50 more, then 0.20, with 3 once on the first unit above
		(Usage(D(100), (Tier(D(50), D("0.5"), D(3)), Tier(None, D("0.2"))), D(20)), "0", "20"),
		(Usage(D(100), (Tier(D(50), D("0.5"), D(3)), Tier(None, D("0.2"))), D(20)), "100", "20"),
		(Usage(D(100), (Tier(D(50), D("0.5"), D(3)), Tier(None, D("0.2"))), D(20)), "100.5", "23.25"),
		(Usage(D(100), (Tier(D(50), D("0.5"), D(3)), Tier(None, D("0.2"))), D(20)), "150", "48"),
		(Usage(D(100), (Tier(D(50), D("0.5"), D(3)), Tier(None, D("0.2"))), D(20)), "151", "48.2"),
	],
)
def test_what_a_quantity_costs(model, quantity, amount):
	priced = price_of(model, D(quantity))
	assert priced.amount == D(amount)
	assert sum(part.amount for part in priced.parts) == priced.amount


SHARE = PercentOf(D(10), D("5"), D("40"))
EVENTS = Percentage(D(2), D("0.3"))


@pytest.mark.parametrize(
	("model", "amounts", "amount"),
	[
		(PercentOf(D("2.5")), "19.99 0.01", "0.5"),
		(PercentOf(D(10)), "80 -30", "5"),
		(PercentOf(D(10)), "", "0"),
		(SHARE, "", "5"),
		(SHARE, "49.99", "5"),
		(SHARE, "50", "5"),
		(SHARE, "50.01", "5.001"),
		(SHARE, "400", "40"),
		(SHARE, "400.01", "40"),
		(EVENTS, "", "0"),
		(EVENTS, "100 50", "3.6"),
		(EVENTS, "0", "0.3"),
		(replace(EVENTS, free_events=1), "100 50", "1.3"),
		(replace(EVENTS, free_events=2), "100 50", "0"),
		# the free amount ends within the second event: its fixed part is due, the first one's is not
		(replace(EVENTS, free_amount=D(120)), "100 50", "0.9"),
		(replace(EVENTS, free_amount=D(100)), "100 50", "1.3"),
		(replace(EVENTS, free_amount=D(100)), "100 0", "0.3"),
		(replace(EVENTS, free_amount=D(101)), "100 0", "0"),
		(replace(EVENTS, free_amount=D(150)), "100 50", "0"),
		# a free event leaves the free amount to those after it
		(replace(EVENTS, free_events=1, free_amount=D(20)), "100 50", "0.9"),
		(replace(EVENTS, minimum=D(2)), "100 50", "4.3"),
		(replace(EVENTS, maximum=D("1.5")), "100 50", "2.8"),
		(replace(EVENTS, minimum=D(2), free_events=2), "100 50", "0"),
	],
)
def test_a_percentage(model, amounts, amount):
	priced = price_of(model, tuple(D(text) for text in amounts.split()))
	assert priced.amount == D(amount)
	assert sum(part.amount for part in priced.parts) == priced.amount


@pytest.mark.parametrize(
	("model", "given"),
	[
		(PerUnit(D(1)), D(-1)),
		(PerUnit(D(1)), D("NaN")),
		(PerUnit(D(1)), (D(1),)),
		(SHARE, D(1)),
		(SHARE, (D(1), D(-2))),
		(EVENTS, (D(-1),)),
	],
)
def test_what_cannot_be_priced(model, given):
	with pytest.raises(ValueError):
		price_of(model, given)


@pytest.mark.parametrize(
	("tiers", "faults"),
	[
		(TIERS, []),
		((Tier(None, D(1)),), []),
		((Tier(D(1), free=True), Tier(None, D(1))), []),
		((), [TierFault("no_tiers")]),
		((Tier(D(1), D(1)),), [TierFault("last_tier_bound", 0, "up_to")]),
		((Tier(None, D(1)), Tier(None, D(1))), [TierFault("tier_open", 0, "up_to")]),
		((Tier(D(0), D(1)), Tier(None, D(1))), [TierFault("tier_order", 0, "up_to")]),
		(
			(Tier(D(5), D(1)), Tier(D(5), D(1)), Tier(None, D(1))),
			[TierFault("tier_order", 1, "up_to")],
		),
		((Tier(None, D(-1)),), [TierFault("tier_negative", 0, "unit_price")]),
		((Tier(None),), [TierFault("tier_no_price")]),
		((Tier(None, D(1), free=True),), [TierFault("tier_free_priced", 0, "free")]),
	],
)
def test_faults_of_tiers(tiers, faults):
	assert faults_of_tiers(tiers) == faults


prices = st.decimals("0.01", "999.99", places=4)
fees = st.decimals("0", "500", places=2)
quantities = st.decimals("0", "5000", places=3)


@st.composite
def tables(draw, *, falling=False, fees=fees):
	bounds = sorted(draw(st.lists(st.integers(1, 4000), max_size=4, unique=True)))
	drawn = draw(st.lists(prices, min_size=len(bounds) + 1, max_size=len(bounds) + 1))
	if falling:
		drawn.sort(reverse=True)
	return tuple(
		Tier(bound and D(bound), price, draw(fees))
		for bound, price in zip([*bounds, None], drawn, strict=True)
	)


rising = st.one_of(
	prices.map(Flat),
	prices.map(PerUnit),
	tables().map(Graduated),
	st.builds(Package, prices, st.decimals("0.5", "50", places=1), fees),
	st.builds(Usage, quantities, tables(), fees),
)


@given(model=rising, one=quantities, other=quantities)
def test_more_never_costs_less(model, one, other):
	"""True of every model but volume, where the next tier may be cheaper for all."""
	less, more = sorted((one, other))
	assert price_of(model, less).amount <= price_of(model, more).amount


@given(model=rising | tables().map(Volume), quantity=quantities)
def test_parts_add_up_and_are_products(model, quantity):
	priced = price_of(model, quantity)
	assert sum(part.amount for part in priced.parts) == priced.amount >= 0
	assert all(part.amount == part.quantity * part.unit_price for part in priced.parts)


@given(tiers=tables(falling=True, fees=st.just(D(0))), quantity=quantities)
def test_where_prices_fall_volume_is_at_most_graduated_and_that_at_most_the_first_price(tiers, quantity):
	graduated = price_of(Graduated(tiers), quantity).amount
	assert price_of(Volume(tiers), quantity).amount <= graduated
	assert graduated <= price_of(PerUnit(tiers[0].unit_price), quantity).amount


@given(tiers=tables(), quantity=quantities)
def test_within_the_first_tier_graduated_and_volume_are_one(tiers, quantity):
	if tiers[0].up_to is not None:
		quantity = min(quantity, tiers[0].up_to)
	assert price_of(Graduated(tiers), quantity).amount == price_of(Volume(tiers), quantity).amount


@given(tiers=tables(), quantity=quantities)
def test_units_of_a_graduated_price_are_the_quantity(tiers, quantity):
	parts = price_of(Graduated(tiers), quantity).parts
	assert sum(part.quantity for part in parts if part.what == "units") == quantity


@given(price=prices, size=st.decimals("0.5", "50", places=1), free=fees, quantity=quantities)
def test_a_package_is_whole_blocks_and_never_one_too_many(price, size, free, quantity):
	(blocks,) = (part.quantity for part in price_of(Package(price, size, free), quantity).parts[-1:])
	assert blocks == int(blocks)
	assert blocks * size >= quantity - free > (blocks - 1) * size or (blocks == 0 and quantity <= free)


events = st.lists(st.decimals("0", "300", places=2), max_size=8).map(tuple)


@given(
	amounts=events,
	percent=st.decimals("0.01", "100", places=2),
	fixed=fees,
	free_events=st.integers(0, 4),
	free_amount=fees,
	minimum=st.none() | st.decimals("0", "10", places=2),
	room=st.none() | st.decimals("0", "50", places=2),
)
def test_each_event_stays_within_its_bounds(amounts, percent, fixed, free_events, free_amount, minimum, room):
	maximum = None if room is None else (minimum or D(0)) + room
	model = Percentage(percent, fixed, free_events, free_amount, minimum, maximum)
	priced = price_of(model, amounts)
	assert sum(part.amount for part in priced.parts) == priced.amount
	for number in range(1, len(amounts) + 1):
		parts = [part for part in priced.parts if part.event == number]
		cost = sum(part.amount for part in parts)
		if all(part.what == "free" for part in parts):
			assert parts and cost == 0
			continue
		assert number > free_events
		assert cost >= (minimum or 0)
		assert maximum is None or cost <= maximum
