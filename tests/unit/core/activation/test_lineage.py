"""Lines of questions: one memory that falls back never looks like two sets, and two sets cannot help it."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protocol_case import MemoryNode, PaperTv, ask, row_of

from subscriber_tv.core.activation import lineage
from subscriber_tv.core.activation.lineage import BACK, FORK, STRAIGHT, UNTOLD, Line, judge
from subscriber_tv.core.devices import jws

TV = PaperTv()
SMALL = PaperTv(serial="SMALL-000001", secret=jws.b64url(bytes(range(32))))


@pytest.mark.parametrize(
	("told", "line", "kind", "overtaken"),
	[
		((), Line("t", ("a",)), UNTOLD, ("a", "t")),
		(("x",), Line(), STRAIGHT, ()),
		(("x", "t"), Line("t", ("a",)), STRAIGHT, ("a",)),
		(("x",), Line("t"), BACK, ("t",)),
		(("x",), Line("t", ("a", "b", "c", "d")), BACK, ("a", "b", "c", "t")),
		(("x", "a"), Line("t", ("b", "a")), FORK, ("b", "t")),
	],
)
def test_the_rule(told, line, kind, overtaken):
	found = judge(told, line)
	assert (found.kind, found.overtaken) == (kind, overtaken)


class Flash:
	"""A set that keeps count and line by the book; `image` is what somebody may copy or bring back."""

	names = itertools.count()

	def __init__(self, image=((), 0)):
		self.line, self.number = image

	@property
	def image(self):
		return self.line, self.number

	def asks(self, node, tv=TV, answered=True):
		"""What the node finds of it, "" when it was simply answered."""
		self.number += 1
		nonce = jws.b64url(next(self.names).to_bytes(16, "big"))
		reply = ask(node, tv.auth(self.number, nonce))
		if reply.answer.status == 200:
			self.line = (nonce,) if answered else (nonce, *self.line)[:4]
			return ""
		told = {"l": lineage.spell(self.line)} if self.line else {}
		self.number = node.seen[tv.serial].counter + 1
		proof = tv.prove(node, self.number, nonce, **told)
		assert proof.answer.status == 200
		self.line = (nonce,)
		return proof.line


def node_for(tv=TV):
	found = MemoryNode()
	found.rows[tv.serial] = row_of(tv)
	return found


@pytest.mark.parametrize("tv", [TV, SMALL], ids=["key", "secret"])
def test_a_copy_shows_when_the_original_comes_back(tv):
	node, original = node_for(tv), Flash()
	for _day in range(5):
		original.asks(node, tv)
	copy = Flash(original.image)
	original.asks(node, tv)
	assert [copy.asks(node, tv), copy.asks(node, tv)] == [BACK, ""]
	assert [original.asks(node, tv), original.asks(node, tv)] == [FORK, ""]
	assert [copy.asks(node, tv), original.asks(node, tv), copy.asks(node, tv)] == [FORK] * 3


def test_a_copy_that_comes_first_shows_at_its_second_start():
	node, original = node_for(), Flash()
	original.asks(node)
	copy = Flash(original.image)
	assert [copy.asks(node), original.asks(node), copy.asks(node)] == ["", BACK, FORK]


def test_a_lost_answer_hides_nobody():
	"""The original's last question was counted, but its answer never came: it still knows the tip."""
	node, original = node_for(), Flash()
	original.asks(node)
	copy = Flash(original.image)
	original.asks(node, answered=False)
	assert [copy.asks(node), original.asks(node)] == [BACK, FORK]


def test_a_copy_that_tells_nothing_or_lies_is_given_away_by_the_original():
	node, original = node_for(), Flash()
	original.asks(node)
	copy = Flash(original.image)
	original.asks(node)
	for number in range(20):
		copy.line, copy.number = ((), 0) if number % 2 else (("x" * 22,), 0)
		assert copy.asks(node) in (UNTOLD, BACK)
	assert original.asks(node) == FORK


@given(st.randoms(use_true_random=False))
def test_one_set_is_never_two_however_its_memory_falls_back(chance: random.Random):
	node, tv, kept = node_for(), Flash(), ((), 0)
	for _step in range(40):
		if chance.random() < 0.3:
			kept = tv.image
		if chance.random() < 0.3:
			tv.line, tv.number = kept
		assert tv.asks(node, answered=chance.random() < 0.8) != FORK
