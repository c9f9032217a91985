"""A genuine TV, as the simulator has it, under siege: somebody records all it says, replays it, forges, and holds a copy of it.

However it goes: no number is accepted with two nonces, what was recorded moves nothing, the TV is back within three
questions, what a node counted never falls, and an epoch that is over opens nothing.
"""

import copy
import json

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule
from protocol_case import MASTERS, NOW, MemoryNode

from subscriber_tv.core.activation import counter, prove, respond
from subscriber_tv.core.activation.feed import DEVICE
from subscriber_tv.core.activation.projection import Unsigned, sign
from subscriber_tv.core.devices import jws, mac
from subscriber_tv.simulator.http import EDGE, NoAnswer, Reply
from subscriber_tv.simulator.tv import PLAYING, Tv

SERIAL = "LG55-000001"
SECRET = jws.b64url(bytes(range(32)))
OPERATOR = jws.Signer(jws.key_of_number(11))
KEY = jws.key_of_number(13).decode()
NODES = ("south", "north")
WEEK = 7 * 86_400
ANSWERS = {
	"auth": respond.auth,
	"assert": prove.assertion,
	"challenge": prove.give_challenge,
	"heartbeat": respond.heartbeat,
	"stream": respond.stream,
}
# What costs a TV a number: after this many it must be back.
PROVING = ("auth", "assert")
MOST = 3
# What only a TV that is held to be genuine is told.
KNOWN = (200, 204, 403, 409)


class Watched(MemoryNode):
	"""A node that notices at once when a number is worth two answers."""

	def __init__(self, audience):
		super().__init__(audience)
		self.accepted = {}

	def count(self, serial, number, nonce, proven):
		verdict = super().count(serial, number, nonce, proven)
		if verdict.kind == counter.ACCEPTED:
			assert number not in self.accepted, "one number was accepted twice"
			assert number > max(self.accepted, default=0), "a number below the last was accepted"
			self.accepted[number] = nonce
		elif verdict.kind == counter.REPEATED:
			assert self.accepted[number] == nonce, "one number was worth two nonces"
		return verdict


class Wire:
	"""The way to one node. Everything on it is overheard; replies may be lost."""

	paths = EDGE

	def __init__(self, node, siege):
		self.node = node
		self.siege = siege
		self.lost_from = None
		self.proofs = 0
		self.base = 0

	def get(self, path):
		if path == EDGE.hello:
			return Reply(200, {"aud": self.node.audience, "time": self.siege.now}, "", {})
		return Reply(200, jws.jwks(OPERATOR), "", {})

	def post(self, path, document):
		operation = path.rpartition("/")[2]
		body = json.dumps(document).encode()
		self.siege.heard.append((self.node.audience, operation, body))
		given = ANSWERS[operation](body, self.node, self.siege.now).answer
		said = json.loads(given.body or b"{}")
		if operation in PROVING:
			self.proofs += 1
		if said.get("error") == counter.REPLAYED:
			known = self.node.seen[SERIAL].counter
			assert int(said["base"]) == known >= self.base, "the base fell"
			self.base = known
		if self.lost_from is not None and self.proofs >= self.lost_from:
			raise NoAnswer("the reply was lost")
		return Reply(given.status, said, given.body.decode(), dict(given.headers), given.mac)


class Siege(RuleBasedStateMachine):
	images = Bundle("images")
	small = False

	def __init__(self):
		super().__init__()
		self.now = NOW
		self.heard = []
		self.masters = dict(MASTERS.keys)
		self.nodes = {name: Watched(name) for name in NODES}
		self.wires = {name: Wire(node, self) for name, node in self.nodes.items()}
		self.highest = dict.fromkeys(NODES, 0)
		self.tv = self.set_of(None)

	@initialize()
	def is_paired(self):
		unsigned = Unsigned(
			DEVICE,
			SERIAL,
			"",
			key_hash=self.tv.thumbprint,
			rights_from=NOW - 10,
			offers=("HOTEL-V1",),
			play_seconds=3600,
			key="" if self.small else self.tv._own_key().point,
		)
		row = sign(unsigned, OPERATOR, NOW, WEEK, "operator", 1).entry.row()
		for node in self.nodes.values():
			node.rows[SERIAL] = row

	def set_of(self, memory, *, with_key=True):
		"""A set with this memory, or the genuine one as it comes from the box; a copy may lack the key of the key store."""
		found = Tv(SERIAL, self.wires["south"], SECRET if self.small else "")
		if memory:
			found.memory = copy.deepcopy(memory)
		if not self.small:
			found.memory.private_key = KEY if with_key else jws.key_of_number(14).decode()
		return found

	def at(self, tv, name):
		wire = self.wires[name]
		wire.proofs, wire.lost_from = 0, None
		tv.move_to(wire)
		return wire

	# The TV

	@rule(name=st.sampled_from(NODES))
	def is_switched_on(self, name):
		wire = self.at(self.tv, name)
		screen = self.tv.power_on()
		assert (screen.kind, screen.status) == (PLAYING, 200), screen
		assert wire.proofs <= MOST

	@rule(name=st.sampled_from(NODES), lost_from=st.integers(1, MOST))
	def is_switched_on_and_loses_replies(self, name, lost_from):
		self.at(self.tv, name).lost_from = lost_from
		self.tv.power_on()

	@rule(name=st.sampled_from(NODES), stream=st.booleans())
	def says_how_it_is(self, name, stream):
		self.at(self.tv, name)
		if self.tv.memory.key:
			reply = self.tv.stream("start", "TF1", "one") if stream else self.tv.heartbeat(up="60")
			assert reply.status in (200, 204, 401, 409)

	@rule(target=images)
	def flash_is_read_out(self):
		return copy.deepcopy(self.tv.memory)

	@rule(image=images)
	def flash_is_restored(self, image):
		self.tv = self.set_of(image)

	@rule(counts=st.booleans())
	def flash_is_lost(self, counts):
		"""The counts alone, or the key with them: only what cannot be lost is left."""
		self.tv.memory.counts.clear()
		self.tv.memory.lines.clear()
		if not counts:
			self.tv.memory.key = self.tv.memory.epoch = ""

	@rule(name=st.sampled_from(NODES), far=st.sampled_from((1, 999_999, 1_000_000, 1_000_001, 10**9)))
	def count_runs_away(self, name, far):
		self.tv.memory.counts[name] = min(10**15, self.tv.memory.counts.get(name, 0) + far)

	@rule()
	def epoch_is_rotated(self):
		self.masters[max(self.masters) + 1] = bytes([len(self.masters)] * 32)
		for node in self.nodes.values():
			node.masters = mac.Masters(self.masters)

	@rule(seconds=st.sampled_from((1, 60, 121, 3600)))
	def time_passes(self, seconds):
		self.now = min(self.now + seconds, NOW + WEEK - 3600)

	def is_over(self, epoch):
		"""The newest epoch and the one before it go on."""
		return int(epoch) < max(self.masters) - 1

	# Whoever listens

	def fires(self, name, operation, body):
		"""Send this; nothing may come of it that a node would remember."""
		node = self.nodes[name]
		before = (dict(node.seen), dict(node.accepted))
		answered = ANSWERS[operation](body, node, self.now)
		assert (dict(node.seen), dict(node.accepted)) == before, "what was recorded or forged was counted"
		return answered

	@rule(data=st.data(), name=st.sampled_from(NODES))
	def replays(self, data, name):
		if not self.heard:
			return
		# The latest most of all: it is the one that may still be worth something.
		back = data.draw(st.integers(0, min(60, len(self.heard) - 1)))
		at, operation, body = self.heard[-1 - back]
		status = self.fires(name, operation, body).answer.status
		if operation == "challenge":
			return
		if name != at and not (self.small and operation == "assert"):
			assert status == 401
		epoch = json.loads(body).get("e")
		if epoch and self.is_over(epoch):
			assert status == 401, "an epoch that is over"

	@rule(data=st.data(), field=st.sampled_from("decnfmta"), name=st.sampled_from(NODES))
	def mixes_two_questions(self, data, field, name):
		if len(self.heard) < 2:
			return
		picks = [data.draw(st.integers(0, min(40, len(self.heard) - 1))) for _ in "ab"]
		(_, operation, body), (_, _, other) = (self.heard[-1 - pick] for pick in picks)
		one, two = json.loads(body), json.loads(other)
		if (
			operation == "challenge"
			or field not in two
			or one.get(field) == two[field]
			or "credential" in one
		):
			return
		if field == "a" and "a" in one:
			return  # a whole token is a whole question
		status = self.fires(name, operation, json.dumps({**one, field: two[field]}).encode()).answer.status
		assert status not in KNOWN

	@rule(data=st.data(), at=st.integers(0, 10**6), byte=st.integers(32, 126), name=st.sampled_from(NODES))
	def changes_a_byte(self, data, at, byte, name):
		if not self.heard:
			return
		pick = data.draw(st.integers(0, min(40, len(self.heard) - 1)))
		_, operation, body = self.heard[-1 - pick]
		if operation == "challenge" or b"credential" in body:
			return
		changed = bytearray(body)
		changed[at % len(body)] = byte
		if json_of(changed) != json_of(body):
			assert self.fires(name, operation, bytes(changed)).answer.status in (400, 401)

	@rule(name=st.sampled_from(NODES), number=st.integers(1, 10**6))
	def proves_itself_with_another_key(self, name, number):
		node = self.nodes[name]
		stranger = self.set_of(self.tv.memory, with_key=False)
		stranger.memory.credential = ""
		stranger.memory.private_key = jws.key_of_number(14).decode()
		stranger.memory.counts[name] = number
		stranger.move_to(self.wires[name])
		given = prove.give_challenge(json.dumps({"d": SERIAL}).encode(), node, self.now)
		chal = json.loads(given.answer.body)["challenge"]
		assert self.fires(name, "assert", json.dumps(stranger.prove(chal)).encode()).answer.status == 401

	@rule(name=st.sampled_from(NODES), image=images)
	def a_copy_is_switched_on(self, name, image):
		"""It has all of the flash; of the key store nothing, where there is one."""
		copied = self.set_of(image, with_key=False)
		self.at(copied, name)
		screen = copied.power_on()
		if not self.small and screen.status == 200:
			epoch = json.loads(self.heard[-1][2])["e"]
			assert not self.is_over(epoch), "a copy lives on in an epoch that is over"

	@invariant()
	def nothing_falls(self):
		for name, node in self.nodes.items():
			seen = node.seen.get(SERIAL, counter.Seen())
			assert seen.counter >= self.highest[name]
			self.highest[name] = seen.counter
			assert seen.counter == max(node.accepted, default=0)

	def teardown(self):
		"""Whatever happened: the genuine TV gets back in everywhere, and the copy's day ends with its epoch."""
		for name in NODES:
			self.is_switched_on(name)


def json_of(body):
	try:
		found = json.loads(bytes(body))
	except ValueError:
		return None
	return found if isinstance(found, dict) else None


class SmallSiege(Siege):
	"""The same of a model without a key store, whose copy holds all that it has."""

	small = True


SETTINGS = settings(max_examples=40, stateful_step_count=50, deadline=None)
Siege.TestCase.settings = SmallSiege.TestCase.settings = SETTINGS
TestSiege = pytest.mark.histories(Siege.TestCase)
TestSmallSiege = pytest.mark.histories(SmallSiege.TestCase)
