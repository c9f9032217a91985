"""Disputes: the table of states, and the amounts for any course of events."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriber_tv.core.collections import disputes
from subscriber_tv.core.collections.disputes import Claimed, NotDisputable, NotNow, Row, claim, grant

D = Decimal
ROW = Row("a", D("30"), with_tax=D("36"))


def test_the_table_of_states():
	ends = {disputes.ACCEPTED, disputes.REJECTED, disputes.WITHDRAWN, disputes.CLOSED}
	for state in disputes.STATES:
		allowed = {event for before, event in disputes.TRANSITIONS if before == state}
		if state in disputes.WAITING:
			assert {"accept", "reject", "withdraw", "close"} <= allowed
		elif state == disputes.ACCEPTED:
			assert allowed == {"reopen"}
		else:
			assert state in ends and not allowed
	assert disputes.next_state(None, "raise") == disputes.OPEN
	assert set(disputes.TRANSITIONS.values()) == set(disputes.STATES)


def test_a_button_never_closes_or_reopens():
	assert disputes.allowed_events(disputes.OPEN) == ("review", "accept", "reject", "withdraw")
	assert disputes.allowed_events(disputes.UNDER_REVIEW) == ("accept", "reject", "withdraw")
	assert disputes.allowed_events(disputes.ACCEPTED) == ()


def test_what_does_not_fit_says_what_would():
	with pytest.raises(NotNow) as refused:
		disputes.next_state(disputes.UNDER_REVIEW, "review")
	assert refused.value.allowed == ("accept", "reject", "withdraw")


def test_a_claim_of_a_part_and_of_all():
	rows = [ROW, Row("b", D("10"), corrected=D("4"), conceded=D("1"), disputed=D("2"), with_tax=D("11"))]
	assert claim(rows, [("a", D("12.50")), ("b", None)], 2) == (
		Claimed("a", D("12.50"), D("15.00")),
		Claimed("b", D("3"), D("3.30")),
	)
	assert disputes.claim_all([*rows, Row("c", D("5"), conceded=D("5"))]) == [("a", None), ("b", None)]


@pytest.mark.parametrize(
	("asked", "code", "most"),
	[
		([], "no_rows", "0"),
		([("x", None)], "unknown_row", "0"),
		([("a", D("1")), ("a", D("1"))], "twice", "0"),
		([("a", D("0"))], "not_positive", "0"),
		([("a", D("-1"))], "not_positive", "0"),
		([("a", D("0.001"))], "places", "0"),
		([("a", D("30.01"))], "too_much", "30"),
		([("b", None)], "nothing_left", "0"),
	],
)
def test_what_cannot_be_disputed(asked, code, most):
	with pytest.raises(NotDisputable) as refused:
		claim([ROW, Row("b", D("10"), corrected=D("10"))], asked, 2)
	assert (refused.value.code, refused.value.amount) == (code, D(most))


def test_a_grant_is_at_most_what_is_held_and_still_owed():
	held = [Claimed("a", D("20"), D("24"))]
	assert grant(held, [ROW], None, 2) == {"a": D("20")}
	assert grant(held, [ROW], {"a": D("5")}, 2) == {"a": D("5")}
	corrected = replace(ROW, corrected=D("18"))
	assert grant(held, [corrected], None, 2) == {"a": D("12")}
	for rows, granted, code in (
		([ROW], {"a": D("20.01")}, "too_much"),
		([corrected], {"a": D("12.01")}, "too_much"),
		([ROW], {"a": D("0")}, "nothing_granted"),
		([ROW], {"a": D("-1")}, "not_positive"),
		([ROW], {"a": D("0.001")}, "places"),
		([ROW], {}, "row_left_out"),
		([ROW], {"a": D("1"), "b": D("1")}, "unknown_row"),
		([replace(ROW, conceded=D("30"))], None, "nothing_granted"),
	):
		with pytest.raises(NotDisputable) as refused:
			grant(held, rows, granted, 2)
		assert refused.value.code == code


def test_nobody_waits_for_what_is_no_longer_owed():
	held = [Claimed("a", D("20"), D("24")), Claimed("a", D("10"), D("12"))]
	assert disputes.waiting(held, [ROW], 2) == [D("24"), D("12")]
	assert disputes.waiting(held, [replace(ROW, corrected=D("7"))], 2) == [D("24"), D("3.60")]
	assert disputes.waiting(held, [replace(ROW, corrected=D("30"))], 2) == [D("0"), D("0")]


def test_rows_with_taxes_come_to_the_total():
	mixed = [(D("50"), D("20")), (D("20"), D("10"))]
	assert disputes.with_taxes(mixed, D("82"), 2) == [D("60"), D("22")]
	thirds = [(D("0.33"), D("20"))] * 3
	assert disputes.with_taxes(thirds, D("1.19"), 2) == [D("0.40"), D("0.39"), D("0.40")]
	assert disputes.with_taxes([(D("0"), D("20"))], D("5"), 2) == [D("0")]


CENTS = st.integers(1, 9000).map(lambda cents: D(cents).scaleb(-2))
STEPS = st.lists(
	st.tuples(
		st.sampled_from(["raise", "accept", "reject", "withdraw", "concede", "correct"]),
		st.integers(0, 5),
		st.sampled_from("ab"),
		CENTS,
	),
	max_size=25,
)


class Books:
	"""A ledger of two rows, in which every step is taken as the flows take it."""

	def __init__(self):
		self.rows = {"a": ROW, "b": Row("b", D("75.25"), with_tax=D("82.78"))}
		self.held: list[Claimed] = []

	def take(self, step, number, name, amount):
		if step == "raise":
			self.held += claim(list(self.rows.values()), [(name, amount)], 2)
			self._add(name, disputed=amount)
		elif step in ("concede", "correct"):
			field = "conceded" if step == "concede" else "corrected"
			self._add(name, **{field: min(amount, self.rows[name].standing)})
		elif self.held:
			self._decide(step, self.held[number % len(self.held)], amount)

	def _decide(self, step, part, amount):
		given = {}
		if step == "accept":
			given = grant([part], list(self.rows.values()), {part.row: amount}, 2)
		self.held.remove(part)
		self._add(part.row, disputed=-part.amount, conceded=given.get(part.row, D(0)))

	def _add(self, name, **amounts):
		row = self.rows[name]
		self.rows[name] = replace(
			row, **{field: getattr(row, field) + more for field, more in amounts.items()}
		)


@pytest.mark.histories
@given(STEPS)
def test_no_course_of_events_gives_back_more_than_was_billed(steps):
	books = Books()
	for step in steps:
		try:
			books.take(*step)
		except NotDisputable:
			continue
	for row in books.rows.values():
		assert row.corrected + row.conceded <= row.billed
		assert row.disputed == sum(part.amount for part in books.held if part.row == row.name)
		assert 0 <= row.left <= row.standing
	waits = disputes.waiting(books.held, books.rows.values(), 2)
	assert all(amount >= 0 for amount in waits)
	for row in books.rows.values():
		of_row = sum(amount for amount, part in zip(waits, books.held, strict=True) if part.row == row.name)
		# Each part is rounded by itself.
		assert of_row <= row.with_tax + D("0.005") * len(books.held)


@pytest.mark.histories
@given(st.lists(CENTS, min_size=1, max_size=8), st.sampled_from([D("0"), D("10"), D("20")]))
def test_a_whole_invoice_is_disputed_to_the_cent(nets, rate):
	total = sum(net * (100 + rate) / 100 for net in nets).quantize(D("0.01"))
	gross = disputes.with_taxes([(net, rate) for net in nets], total, 2)
	rows = [
		Row(str(number), net, with_tax=tax) for number, (net, tax) in enumerate(zip(nets, gross, strict=True))
	]
	whole = claim(rows, disputes.claim_all(rows), 2)
	assert sum(part.with_tax for part in whole) == total
	assert sum(part.amount for part in whole) == sum(nets)
