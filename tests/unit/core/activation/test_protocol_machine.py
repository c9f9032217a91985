"""Any history of power-ons, lost replies, eavesdroppers, restored flashes, copies and new epochs.

What must hold however it goes: no captured bytes are ever worth a second lease to anybody but the TV that lost the reply,
the honest TV is always answered in the end, and a count seen by a node never falls.
"""

import itertools
import json

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule
from protocol_case import MASTERS, NOW, MemoryNode, PaperTv, ask, row_of, said

from subscriber_tv.core.activation import respond
from subscriber_tv.core.devices import jws, mac

TV = PaperTv()


class Set:
	"""A TV with a flash: its key, the epoch it is of, and its count at each node, written before each question."""

	def __init__(self):
		self.epoch = "2"
		self.key = TV.key(2)
		self.counts = {"south": 0, "north": 0}

	def image(self):
		return self.epoch, self.key, dict(self.counts)

	def restore(self, image):
		epoch, key, counts = image
		self.epoch, self.key, self.counts = epoch, key, dict(counts)


class Protocol(RuleBasedStateMachine):
	captured = Bundle("captured")
	lost = Bundle("lost")
	images = Bundle("images")

	def __init__(self):
		super().__init__()
		self.nodes = {name: MemoryNode(name) for name in ("south", "north")}
		for node in self.nodes.values():
			node.rows[TV.serial] = row_of(TV)
		self.masters = dict(MASTERS.keys)
		self.tv = Set()
		self.nonces = (jws.b64url(number.to_bytes(16, "big")) for number in itertools.count())
		self.accepted = {}
		self.highest = {"south": 0, "north": 0}

	def question(self, name):
		self.tv.counts[name] += 1
		nonce = next(self.nonces)
		body = TV.auth(self.tv.counts[name], nonce, name, self.tv.epoch, key=self.tv.key)
		return body, nonce

	def note(self, name, body, answered):
		if answered.answer.status == 200:
			number = int(json.loads(body)["c"])
			known = self.accepted.setdefault((name, number), body)
			assert known == body, "one number was worth two answers"

	def power_on(self, name):
		"""What an honest TV does until it plays: at most the fast way, then the slow way."""
		node = self.nodes[name]
		body, nonce = self.question(name)
		answered = ask(node, body)
		self.note(name, body, answered)
		if answered.answer.status == 200:
			assert answered.answer.mac == mac.of_reply(self.tv.key, answered.answer.body)
			assert said(answered)["n"] == nonce
			return body
		base = int(said(answered).get("base", 0))
		number = max(base, self.tv.counts[name])
		for _attempt in range(3):
			number += 1
			proven = TV.prove(node, number, next(self.nonces))
			if proven.answer.status == 200:
				break
			assert proven.answer.status == 409
			number = max(number, int(said(proven)["base"]))
		assert proven.answer.status == 200
		self.tv.counts[name] = number
		self.tv.epoch, self.tv.key = said(proven)["epoch"], jws.b64url_decode(said(proven)["key"])
		return body

	@rule(target=captured, name=st.sampled_from(["south", "north"]))
	def plays(self, name):
		return name, self.power_on(name)

	@rule(target=lost, name=st.sampled_from(["south", "north"]))
	def asks_and_loses_the_reply(self, name):
		body, _ = self.question(name)
		answered = ask(self.nodes[name], body)
		self.note(name, body, answered)
		return name, body, answered.answer

	@rule(reply=consumes(lost))
	def asks_again(self, reply):
		name, body, before = reply
		number = int(json.loads(body)["c"])
		again = ask(self.nodes[name], body)
		self.note(name, body, again)
		if before.status == 200 and self.nodes[name].seen[TV.serial].counter == number:
			current = json.loads(body)["e"] in map(str, self.nodes[name].masters.valid)
			assert again.answer.status == (200 if current else 401)

	@rule(record=captured, name=st.sampled_from(["south", "north"]))
	def replays(self, record, name):
		at, body = record
		node = self.nodes[name]
		before = node.seen.get(TV.serial)
		answered = ask(node, body)
		self.note(name, body, answered)
		if name != at:
			assert answered.answer.status == 401
		elif answered.answer.status == 200:
			# Only the last question, and only its own bytes: nothing is learnt, nothing moves.
			assert before and before.counter == int(json.loads(body)["c"])
		assert node.seen.get(TV.serial) == before

	@rule(record=captured, position=st.integers(0, 10**6), byte=st.integers(33, 126))
	def tampers(self, record, position, byte):
		name, body = record
		position %= len(body)
		changed = body[:position] + bytes([byte]) + body[position + 1 :]
		if changed != body:
			assert ask(self.nodes[name], changed).answer.status in (400, 401)

	@rule(target=images)
	def flash_is_read_out(self):
		return self.tv.image()

	@rule(image=images)
	def flash_is_restored(self, image):
		self.tv.restore(image)

	@rule(name=st.sampled_from(["south", "north"]), image=images)
	def a_copy_asks(self, name, image):
		"""A copy of the flash has the MAC key and not the TV's own key: it plays or is refused, and leaves a fork."""
		copy = Set()
		copy.restore(image)
		body = TV.auth(copy.counts[name] + 1, next(self.nonces), name, copy.epoch, key=copy.key)
		answered = ask(self.nodes[name], body)
		self.note(name, body, answered)
		assert answered.answer.status in (200, 401, 409)

	@rule()
	def epoch_is_rotated(self):
		self.masters[max(self.masters) + 1] = bytes([len(self.masters)] * 32)
		for node in self.nodes.values():
			node.masters = mac.Masters(self.masters)

	@rule(name=st.sampled_from(["south", "north"]), far=st.integers(1, 10**9))
	def count_runs_away(self, name, far):
		self.tv.counts[name] = min(10**15, self.tv.counts[name] + far)

	@invariant()
	def counts_never_fall(self):
		for name, node in self.nodes.items():
			seen = node.seen.get(TV.serial)
			assert not seen or seen.counter >= self.highest[name]
			self.highest[name] = seen.counter if seen else 0


Protocol.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestProtocol = Protocol.TestCase


def test_a_copy_that_is_used_beside_its_tv_shows_within_two_questions():
	"""The fork that clone detection counts: both sets use one number with two nonces."""
	node = MemoryNode()
	node.rows[TV.serial] = row_of(TV)
	assert ask(node, TV.auth(1, "A" * 22)).answer.status == 200
	assert ask(node, TV.auth(2, "B" * 22)).answer.status == 200
	fork = ask(node, TV.auth(2, "C" * 22))
	assert (fork.decision.kind, fork.decision.code) == ("conflict", "replayed")
	assert respond.CONFLICT == "conflict" and NOW
