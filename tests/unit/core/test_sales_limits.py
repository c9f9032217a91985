"""What goes beyond the limits of sales: discount, trial, and a price of one's own with the discount off it."""

from decimal import Decimal as D

from subscriber_tv.core.contracts.sales_limits import Excess, NegotiatedPrice, SalesLimits, beyond

LIMITS = SalesLimits(percent=D(20), trial_days=30)


def found(**granted):
	return beyond(LIMITS, **granted)


def test_a_limit_itself_may_be_granted():
	assert found(percent=D(20), trial_days=30) == ()
	assert found(prices=[NegotiatedPrice(1, D(30), D(24))]) == ()


def test_each_excess_is_told_with_its_limit():
	assert found(percent=D("20.01"), trial_days=31) == (
		Excess("discount", D("20.01"), D(20)),
		Excess("trial", D(31), D(30)),
	)


def test_a_price_counts_with_the_discount_that_is_taken_off_it():
	# 30.00 for 27.00 is 10 percent; another 15 percent off 27.00 leaves 22.95, 23.5 percent below the offer.
	row = NegotiatedPrice(2, D(30), D(27))
	assert found(percent=D(10), prices=[row]) == ()
	assert found(percent=D(15), prices=[row]) == (Excess("price", D("23.5"), D(20), 2),)


def test_a_dearer_price_pays_for_a_discount():
	assert beyond(SalesLimits(D(0), 0), prices=[NegotiatedPrice(1, D(30), D(31))]) == ()
	assert found(percent=D(20), prices=[NegotiatedPrice(1, D(30), D(40))]) == ()


def test_nothing_lies_below_what_is_free():
	assert found(prices=[NegotiatedPrice(1, D(0), D(5))]) == ()


def test_zero_allows_none():
	none = SalesLimits(D(0), 0)
	assert [one.code for one in beyond(none, percent=D(1), trial_days=1)] == ["discount", "trial"]
