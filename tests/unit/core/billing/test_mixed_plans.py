"""Plans of any interval, Item, proration and timing, under a minimum: no order of runs and changes moves what is owed."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from billing_books import Books, contract, recurring
from hypothesis import given
from hypothesis import strategies as st

from subscriber_tv.core.billing.periods import Span
from subscriber_tv.core.billing.terms import Discount, Terms
from subscriber_tv.core.contracts.timeline import Line

START = date(2026, 1, 14)
VERSIONS = ("V0", "V1", "V2", "V3")


@st.composite
def charges(draw, code):
	charge = recurring(
		str(draw(st.sampled_from((5, 30, 365, 1000)))), months=draw(st.sampled_from((1, 3, 6, 12))), code=code
	)
	return replace(
		charge,
		item=draw(st.sampled_from(("TV", "FILMS"))),
		prorate=draw(st.booleans()),
		arrears=draw(st.booleans()),
		minimum=draw(st.sampled_from((None, Decimal(50)))),
	)


@st.composite
def offers(draw):
	codes = st.sampled_from((("B",), ("C",), ("B", "C")))
	return {name: tuple(draw(charges(code)) for code in draw(codes)) for name in VERSIONS}


@st.composite
def lines(draw):
	found = []
	for number in range(1, draw(st.integers(2, 3))):
		cuts = draw(st.sets(st.integers(1, 300), max_size=2))
		edges = [None, *(START + timedelta(cut) for cut in sorted(cuts)), None]
		found += [
			Line(str(number), draw(st.sampled_from(VERSIONS)), draw(st.integers(1, 3)), start=start, end=end)
			for start, end in pairwise(edges)
		]
	return tuple(found)


@st.composite
def terms(draw):
	off = draw(st.sampled_from(((), (Discount(percent=Decimal(10)),), (Discount(amount=Decimal(7)),))))
	moved = draw(st.none() | st.tuples(st.integers(20, 200), st.integers(1, 31)))
	return Terms(
		minimum=draw(st.sampled_from((None, Decimal(20), Decimal(400)))),
		discounts=off,
		unbilled=draw(st.sampled_from(((), (Span(START, START + timedelta(20)),)))),
		anchors=((START + timedelta(moved[0]), moved[1]),) if moved else (),
		calendar=draw(st.booleans()),
	)


@pytest.mark.histories
@given(
	offers=offers(),
	before=lines(),
	after=lines(),
	terms=terms(),
	anchor=st.integers(1, 31),
	end=st.integers(30, 500),
	opening=st.none() | st.integers(0, 90),
	runs=st.lists(st.integers(0, 400), min_size=1, max_size=5),
)
def test_billed_in_steps_with_plans_learnt_late_it_comes_to_the_same(
	offers, before, after, terms, anchor, end, opening, runs
):
	def known(plans, end):
		return contract(
			str(START),
			str(START + timedelta(end)) if end else None,
			anchor=anchor,
			billed_through=str(START + timedelta(opening)) if opening is not None else None,
			lines=plans,
		)

	books, at_once = Books(), Books()
	books.offers = at_once.offers = offers
	# Ended, so that nothing waits for a row in arrears.
	last = known(after, end)
	far = START + timedelta(700)
	for number, run in enumerate(sorted(runs)):
		told = last if number > len(runs) // 2 else known(before, None)
		books.run(told, START + timedelta(run), terms=terms)
		assert not books.run(told, START + timedelta(run), terms=terms)
	books.run(last, far, terms=terms)
	at_once.run(last, far, terms=terms)
	assert abs(books.net - at_once.net) <= Decimal("0.01") * len(books.rows)
