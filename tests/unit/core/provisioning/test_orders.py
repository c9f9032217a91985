"""The life of an order, and the one promise that matters: whatever happens, a platform never ends on an older order."""

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subscriber_tv.core.provisioning import orders
from subscriber_tv.core.provisioning.orders import (
	DONE,
	FAILED,
	OK,
	PENDING,
	REFUSED,
	RETRY,
	SENT,
	SUPERSEDED,
	WAITING,
	Order,
	Outcome,
	Step,
)

NOW = 1_800_000_000


def order(sequence: int, state: str = PENDING, **values) -> Order:
	return Order(f"k{sequence}", sequence, state, **values)


class TestWhatIsSentNext:
	def test_the_lowest_open_one(self):
		assert orders.next_up([order(3), order(2), order(1, DONE)], NOW).sequence == 2

	def test_none_while_another_is_under_way(self):
		assert orders.next_up([order(1, SENT, due=NOW + 60), order(2)], NOW) is None

	def test_one_whose_worker_died_is_taken_up_again(self):
		assert orders.next_up([order(1, SENT, due=NOW), order(2)], NOW).sequence == 1

	def test_a_newer_one_does_not_overtake_one_that_waits_for_its_next_try(self):
		assert orders.next_up([order(1, due=NOW + 9, in_doubt=True), order(2)], NOW) is None

	def test_a_refused_one_blocks_nobody(self):
		assert orders.next_up([order(1, FAILED), order(2)], NOW).sequence == 2

	def test_nothing_left(self):
		assert orders.next_up([order(1, DONE), order(2, SUPERSEDED)], NOW) is None


def test_a_newer_order_replaces_what_surely_did_not_arrive():
	found = [order(1, DONE), order(2, FAILED), order(3), order(4, in_doubt=True), order(5, SENT)]
	assert orders.replaced(found) == ("k2", "k3")


@pytest.mark.parametrize(
	("outcome", "newer", "step"),
	[
		(Outcome(OK), False, Step(DONE)),
		(Outcome(OK), True, Step(DONE)),
		(Outcome(REFUSED), False, Step(FAILED)),
		(Outcome(REFUSED), True, Step(SUPERSEDED)),
		(Outcome(RETRY), False, Step(PENDING, NOW + 5)),
		(Outcome(RETRY), True, Step(SUPERSEDED)),
		(Outcome(RETRY, arrived=True), True, Step(PENDING, NOW + 5, True)),
		(Outcome(RETRY, retry_after=90), False, Step(PENDING, NOW + 90)),
		(Outcome(RETRY, retry_after=10**8), False, Step(PENDING, NOW + 86_400)),
		(Outcome(WAITING, retry_after=3600), True, Step(SENT, NOW + 3600, True)),
		(Outcome(WAITING, retry_after=259_200), False, Step(SENT, NOW + 259_200, True)),
	],
)
def test_what_follows_from_an_answer(outcome, newer, step):
	assert orders.follow(order(1, SENT, attempts=1), outcome, NOW, 0.5, newer) == step


def test_a_doubt_stays_until_the_platform_answers():
	step = orders.follow(order(1, SENT, attempts=2, in_doubt=True), Outcome(RETRY), NOW, 0.5, True)
	assert step == Step(PENDING, NOW + 10, True)


def test_tries_go_on_for_ever_further_and_further_apart():
	waits = [orders.delay(attempts, 0.5) for attempts in range(1, 15)]
	assert waits[:5] == [5, 10, 20, 40, 80]
	assert waits[-1] == orders.LAST_DELAY == orders.delay(10**9, 0.5)
	assert (orders.delay(3, 0.0), orders.delay(3, 0.999)) == (10, 30)


def test_a_platform_that_answers_nobody_is_asked_less_and_with_one_order():
	fault, poison, fine = Outcome(RETRY, platform=True), Outcome(RETRY), Outcome(OK)
	assert orders.failures_after(2, [fault, fault]) == 3
	assert orders.failures_after(2, [fault, fine]) == 0
	assert orders.failures_after(2, [fault, Outcome(REFUSED)]) == 0
	assert orders.failures_after(2, [poison]) == 0
	assert orders.failures_after(2, []) == 2
	assert (orders.round_size(0, 64), orders.round_size(3, 64)) == (64, 1)
	assert [orders.pause(n, 0.5) for n in (0, 1, 2, 3, 50)] == [0, 2, 4, 8, 300]


@pytest.mark.parametrize(
	("held", "known", "action"),
	[(True, False, "Grant"), (True, True, "Replace"), (False, True, "Revoke"), (False, False, "Revoke")],
)
def test_the_action_tells_the_change(held, known, action):
	assert orders.action(held, known) == action


# What may befall one try. A copy that is "late" arrives whenever the network likes, perhaps never.
EVENTS = (
	"desire",
	"answered",
	"refused",
	"lost on the way",
	"lost on the way, late copy",
	"answer lost",
	"answer 500, late copy",
	"worker dies before sending",
	"worker dies after sending",
	"late copy arrives",
	"time passes",
)


@dataclass
class World:
	"""One subject, its orders as flows keep them, and a platform that knows keys but looks at no sequence."""

	now: int = NOW
	found: dict[str, Order] = field(default_factory=dict)
	late: list[str] = field(default_factory=list)
	carried_out: list[int] = field(default_factory=list)
	refusing: set[str] = field(default_factory=set)

	def happen(self, event: str) -> None:
		if event == "desire":
			return self.desire()
		if event == "late copy arrives":
			return self.arrive(self.late.pop(0)) if self.late else None
		if event == "time passes":
			self.now += 4000
			return None
		return self.attempt(event)

	def desire(self) -> None:
		for key in orders.replaced(self.found.values()):
			self.found[key] = replace(self.found[key], state=SUPERSEDED)
		new = order(len(self.found) + 1, due=self.now)
		self.found[new.key] = new

	def attempt(self, event: str) -> None:
		before = orders.next_up(self.found.values(), self.now)
		if not before:
			return
		taken = replace(before, state=SENT, attempts=before.attempts + 1, due=self.now + 600, in_doubt=True)
		self.found[taken.key] = taken
		outcome = self.send(taken, event)
		if outcome:
			newer = any(one.sequence > taken.sequence and one.state == PENDING for one in self.found.values())
			tried = replace(before, attempts=taken.attempts)
			step = orders.follow(tried, outcome, self.now, 0.5, newer)
			self.found[taken.key] = replace(taken, state=step.state, due=step.due, in_doubt=step.in_doubt)

	def send(self, taken: Order, event: str) -> Outcome | None:
		if event == "refused" and taken.sequence not in self.carried_out:
			self.refusing.add(taken.key)
		if "late copy" in event:
			self.late.append(taken.key)
		if event in ("answered", "refused", "answer lost", "worker dies after sending"):
			self.arrive(taken.key)
		if event.startswith("worker dies"):
			return None
		if event in ("answered", "refused"):
			return Outcome(REFUSED if taken.key in self.refusing else OK)
		return Outcome(RETRY, arrived=True, platform=True)

	def arrive(self, key: str) -> None:
		sequence = self.found[key].sequence
		if key not in self.refusing and sequence not in self.carried_out:
			self.carried_out.append(sequence)

	def settle(self) -> None:
		"""The network is sound from here on, and every copy arrives."""
		while orders.next_up(self.found.values(), self.now) or any(
			one.state in orders.OPEN for one in self.found.values()
		):
			self.happen("answered")
			self.happen("time passes")
		while self.late:
			self.happen("late copy arrives")


@settings(max_examples=1500, deadline=None)
@given(st.lists(st.sampled_from(EVENTS), max_size=60))
def test_no_history_ends_on_an_older_order(events):
	world = World()
	for event in events:
		world.happen(event)
		assert world.carried_out == sorted(world.carried_out)
		under_way = [one for one in world.found.values() if one.state == SENT]
		assert len(under_way) <= 1
	world.settle()
	assert world.carried_out == sorted(world.carried_out)
	if not world.found:
		return
	last = max(world.found.values(), key=lambda one: one.sequence)
	assert last.state in (DONE, FAILED)
	if last.state == DONE:
		assert world.carried_out[-1] == last.sequence
	assert {one.state for one in world.found.values()} <= {DONE, FAILED, SUPERSEDED}


def test_the_property_can_fail(monkeypatch):
	"""Were an order in doubt replaced as an unsent one is, its late copy would be carried out over the newer one."""
	monkeypatch.setattr(
		orders, "replaced", lambda found: tuple(one.key for one in found if one.state == PENDING)
	)
	world = World()
	for event in ("desire", "lost on the way, late copy", "desire", "answered", "late copy arrives"):
		world.happen(event)
	assert world.carried_out == [2, 1]
