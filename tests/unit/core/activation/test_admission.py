"""Who comes in, who is asked back when, and what a stranger can never do to anybody else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subscriber_tv.core.activation.admission import (
	HORIZON,
	Gate,
	Rank,
	rank_of,
	slot_in,
	ticket,
)
from subscriber_tv.core.activation.capacity import FIRST_GUESS, LEAST, Capacity, Sample
from subscriber_tv.core.activation.limits import Limiter, Limits, source_of

SECRET = b"s" * 32


@pytest.mark.parametrize(
	("path", "priority", "rank"),
	[
		("/v1/auth", "", Rank.RENEWAL),
		("/v1/auth", "u=0", Rank.NO_LEASE),
		("/v1/auth", "u=0, i", Rank.NO_LEASE),
		("/v1/auth", "u=1", Rank.ENDING),
		("/v1/auth", "u=3", Rank.RENEWAL),
		("/v1/auth", "u=0x", Rank.RENEWAL),
		("/v1/assert", "u=0", Rank.NO_LEASE),
		("/v1/offer/abc", "", Rank.ENDING),
		("/v1/heartbeat", "u=0", Rank.HEARTBEAT),
		("/v1/token", "u=0", Rank.POLL),
		("/v1/enrol", "", Rank.POLL),
		("/tv/", "u=0", Rank.POLL),
	],
)
def test_rank(path, priority, rank):
	assert rank_of(path, priority) == rank


@pytest.mark.parametrize(
	("address", "source"),
	[
		("192.0.2.7", "192.0.2.7"),
		("::ffff:192.0.2.7", "192.0.2.7"),
		("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
		("2001:db8:1:2:ffff::9", "2001:db8:1:2::/64"),
		("fe80::1%eth0", "fe80::/64"),
		("", "unknown"),
		("not an address", "unknown"),
	],
)
def test_whose_failures_count_together(address, source):
	assert source_of(address) == source


def test_an_idle_worker_lets_everybody_in():
	gate = Gate(1000, 0.0)
	assert all(gate.ask(rank, 1.0, 0.5).admitted for rank in Rank)


def test_the_most_urgent_come_in_longest():
	def admitted(rank):
		gate = Gate(1000, 0.0)
		return sum(gate.ask(rank, 0.0, 0.5).admitted for _ in range(1000))

	counts = [admitted(rank) for rank in Rank]
	assert counts == sorted(counts, reverse=True) and len(set(counts)) == len(counts)
	assert counts[Rank.POLL] > 0


def drained(gate, now=0.0):
	"""Refused once, so that there is a queue."""
	while gate.ask(Rank.NO_LEASE, now, 0.0).admitted:
		pass
	return gate


def test_slots_follow_each_other_at_seven_tenths_of_the_capacity():
	gate = drained(Gate(100, 0.0))
	slots = [gate.ask(Rank.NO_LEASE, 0.0, 0.0).slot for _ in range(71)]
	assert slots[-1] - slots[0] == pytest.approx(1.0)
	assert [gate.ask(Rank.NO_LEASE, 0.0, draw).slot for draw in (0.0, 0.99)][1] > slots[-1] + 0.99


def test_who_has_a_lease_waits_behind_who_has_none():
	gate = drained(Gate(100, 0.0))
	without = [gate.ask(Rank.NO_LEASE, 0.0, 0.0).slot for _ in range(100)]
	assert gate.ask(Rank.RENEWAL, 0.0, 0.0).slot > max(without)
	assert gate.ask(Rank.NO_LEASE, 0.0, 0.0).slot == pytest.approx(max(without) + 1 / 70)


@pytest.mark.parametrize("rank", [Rank.HEARTBEAT, Rank.POLL])
def test_who_can_wait_gets_no_slot_and_lengthens_no_queue(rank):
	gate = drained(Gate(100, 0.0))
	before = gate.queue(0.0)
	refused = gate.ask(rank, 0.0, 0.5)
	assert not refused.slot and refused.wait >= before + 5
	assert gate.queue(0.0) == before


def test_who_comes_at_his_slot_comes_in_though_nobody_else_does():
	gate = drained(Gate(100, 0.0))
	slot = gate.ask(Rank.NO_LEASE, 0.0, 0.5).slot
	drained(gate, slot)
	assert not gate.ask(Rank.NO_LEASE, slot, 0.5).admitted
	assert gate.ask(Rank.NO_LEASE, slot, 0.5, slot).admitted


def test_a_slot_is_good_once():
	gate = drained(Gate(100, 0.0))
	slot = gate.ask(Rank.NO_LEASE, 0.0, 0.5).slot
	drained(gate, slot)
	assert gate.ask(Rank.NO_LEASE, slot, 0.5, slot).admitted
	assert not gate.ask(Rank.NO_LEASE, slot, 0.5, slot).admitted


def test_a_slot_used_early_is_not_good_again_at_its_end():
	gate = drained(Gate(100, 0.0))
	slot = gate.ask(Rank.NO_LEASE, 0.0, 0.5).slot
	assert gate.ask(Rank.NO_LEASE, slot - 0.5, 0.5, slot).admitted
	drained(gate, slot + 29.9)
	assert not gate.ask(Rank.NO_LEASE, slot + 29.9, 0.5, slot).admitted


def test_who_comes_too_early_keeps_his_place():
	gate = drained(Gate(100, 0.0))
	for _ in range(500):
		slot = gate.ask(Rank.NO_LEASE, 0.0, 0.5).slot
	before = gate.queue(1.0)
	early = gate.ask(Rank.NO_LEASE, 1.0, 0.9, slot)
	assert (early.admitted, early.slot) == (False, slot)
	assert early.wait == pytest.approx(slot - 1.0) and gate.queue(1.0) == before


def test_who_comes_much_too_late_is_a_newcomer():
	gate = drained(Gate(100, 0.0))
	slot = gate.ask(Rank.NO_LEASE, 0.0, 0.5).slot
	drained(gate, slot + 31)
	assert not gate.ask(Rank.NO_LEASE, slot + 31, 0.5, slot).admitted


@pytest.mark.parametrize("given", ["", ".", "1", "12.abc", "9" * 30 + ".x", "-5.x", "١.x"])
def test_no_ticket(given):
	assert slot_in(given, SECRET, "192.0.2.7") == 0


def test_a_ticket_is_of_one_address_and_one_secret():
	given = ticket(SECRET, "192.0.2.7", 1234.5678)
	assert slot_in(given, SECRET, "192.0.2.7") == pytest.approx(1234.5678)
	assert slot_in(given, SECRET, "192.0.2.8") == 0
	assert slot_in(given, b"t" * 32, "192.0.2.7") == 0
	moment, _, mac = given.partition(".")
	assert slot_in(f"{int(moment) + 1}.{mac}", SECRET, "192.0.2.7") == 0


RANKS = st.sampled_from(list(Rank))
ASKING = st.lists(
	st.tuples(RANKS, st.floats(0, 0.2), st.floats(0, 0.999), st.booleans(), st.floats(0, 1)), max_size=300
)


@settings(max_examples=60, deadline=None)
@given(st.floats(50, 5000), ASKING)
def test_whatever_comes(capacity, asked):
	"""Nobody waits without end, a slot lies ahead, and no more come in than capacity, savings and slots allow."""
	gate, now, admitted, slots = Gate(capacity, 0.0), 0.0, 0, []
	for rank, passed, draw, with_ticket, late in asked:
		now += passed
		slot = slots.pop(0) if with_ticket and slots else 0.0
		verdict = gate.ask(rank, now, draw, slot, late)
		if verdict.admitted:
			admitted += not slot
			continue
		assert 0 < verdict.wait <= HORIZON + 31
		assert not verdict.slot or now < verdict.slot <= now + HORIZON + 1
		if verdict.slot:
			slots.append(verdict.slot)
	assert admitted <= 1.3 * capacity * (now + 0.25) + 2


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 30), st.booleans()), max_size=200))
def test_a_limit_lets_through_its_burst_and_its_rate(steps):
	limiter, now, taken = Limiter(6, 4), 0.0, []
	for passed, _ in steps:
		now += passed
		if not limiter.take("a", now):
			taken.append(now)
	for first in range(len(taken)):
		for last in range(first, len(taken)):
			assert last - first + 1 <= 4 + (taken[last] - taken[first]) / 10 + 1e-6


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 1000), st.integers(1, 500))
def test_failing_on_does_not_prolong_the_wait(now, failures):
	limits = Limits()
	for _ in range(failures):
		limits.failed("192.0.2.7", now)
	assert limits.is_hostile("192.0.2.7", now) == (failures >= 20)
	assert not limits.is_hostile("192.0.2.7", now + 3.001)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 50), st.floats(0, 2)), max_size=200))
def test_strangers_never_use_up_what_a_tv_may_ask(failures):
	"""However often strangers fail from wherever, the victim's own allowance and its own address stay whole."""
	limits, now = Limits(), 0.0
	for stranger, passed in failures:
		now += passed
		limits.failed(f"203.0.113.{stranger}", now)
	assert [limits.tv("VICTIM-000001", now) for _ in range(4)] == [0, 0, 0, 0]
	assert limits.tv("VICTIM-000001", now) > 0
	assert not limits.is_hostile("192.0.2.7", now)


def test_a_hotel_behind_one_address_is_not_hostile():
	"""10,000 TVs ask within minutes, and one in twenty of them is not paired yet."""
	limits, now = Limits(), 0.0
	for number in range(10_000):
		now += 0.02
		if number % 20:
			limits.succeeded("192.0.2.7")
		else:
			limits.failed("192.0.2.7", now)
		assert not limits.is_hostile("192.0.2.7", now)


def test_successes_cannot_be_saved_up():
	limits = Limits()
	for _ in range(1000):
		limits.succeeded("192.0.2.7")
	for _ in range(20):
		limits.failed("192.0.2.7", 1.0)
	assert limits.is_hostile("192.0.2.7", 1.0)


def test_memory_is_bounded_and_forgetting_lets_through():
	limits = Limits(size=100)
	for number in range(20_000):
		limits.failed(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 0.0)
		limits.tv(f"TV-{number:06}", 0.0)
		assert max(limits.sizes()) <= 200
	assert not limits.is_hostile("10.0.0.1", 0.0)


def test_who_keeps_failing_is_remembered_in_the_crowd():
	limits = Limits(size=100)
	for number in range(5000):
		limits.failed(f"10.0.{number >> 8}.{number & 255}", 0.0)
		limits.failed("203.0.113.1", 0.0)
	assert limits.is_hostile("203.0.113.1", 0.0)


def test_capacity_is_measured():
	capacity = Capacity()
	assert capacity.value == FIRST_GUESS
	for _ in range(40):
		capacity.note(Sample(admitted=8000, refused=0, busy=1.6))
	assert capacity.value == pytest.approx(5000, rel=0.01)


def test_refusals_count_for_what_they_cost():
	capacity = Capacity()
	for _ in range(40):
		capacity.note(Sample(admitted=2000, refused=5000, busy=1.0))
	assert capacity.value == pytest.approx(4000, rel=0.01)


def test_an_idle_second_says_nothing_about_capacity():
	capacity = Capacity()
	capacity.note(Sample(admitted=3, refused=0, busy=0.2))
	assert capacity.value == FIRST_GUESS


def test_a_late_loop_lets_in_less_and_recovers():
	capacity = Capacity(fixed=4000)
	for _ in range(50):
		capacity.note(Sample(0, 0, 0.0, late=1.0))
	assert capacity.value == pytest.approx(1200)
	for _ in range(20):
		capacity.note(Sample(0, 0, 0.0))
	assert capacity.value == 4000


@given(st.lists(st.builds(Sample, *[st.integers(0, 10**6)] * 2, *[st.floats(0, 100)] * 2), max_size=30))
def test_capacity_stays_sane(samples):
	capacity = Capacity()
	for sample in samples:
		assert LEAST <= capacity.note(sample) <= 100_000
