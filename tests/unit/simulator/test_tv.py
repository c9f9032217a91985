"""A TV believes only what stands under its MAC and is signed, for itself, now, and not older than what it knew."""

import json
import time
from dataclasses import replace

import pytest
from msgspec import structs
from protocol_case import MASTERS, MemoryNode

from subscriber_tv.core.activation import enrolment, prove, respond
from subscriber_tv.core.activation.feed import DEVICE
from subscriber_tv.core.activation.projection import Unsigned, sign
from subscriber_tv.core.devices import jws, mac, wire
from subscriber_tv.core.devices.root import sign_keys
from subscriber_tv.simulator.http import EDGE, NoAnswer, Reply
from subscriber_tv.simulator.tv import BARKER, FAKE, PAIRING, PLAYING, RETRY, Tv

NOW = 1_800_000_000
SERIAL = "LG55-000001"
SIGNER = jws.Signer(jws.new_key())
SECRET = jws.b64url(bytes(range(32)))
ANSWERS = {
	"auth": respond.auth,
	"assert": prove.assertion,
	"challenge": prove.give_challenge,
	"heartbeat": respond.heartbeat,
	"stream": respond.stream,
}


class Operator:
	"""Answers a TV without a network; `change` may tamper with what it says, `forge` with its MAC."""

	paths = EDGE

	def __init__(self):
		self.node = MemoryNode()
		self.change = None
		self.down = False
		self.keys = jws.jwks(SIGNER)
		self.asked = []

	def get(self, path):
		if path == EDGE.hello:
			return Reply(200, {"aud": self.node.audience, "time": NOW}, "", {})
		assert path == EDGE.jwks
		return Reply(200, self.keys, "", {})

	def post(self, path, document):
		if self.down:
			raise NoAnswer("connection refused")
		operation = path.rpartition("/")[2]
		self.asked.append(operation)
		self.last = document
		body = json.dumps(document).encode()
		if operation in ("enrol", "token"):
			return self.pair(operation, body)
		given = ANSWERS[operation](body, self.node, NOW).answer
		said = json.loads(given.body or b"{}")
		if not self.change:
			return Reply(given.status, said, given.body.decode(), dict(given.headers), given.mac)
		# A liar that holds the TV's own key: what is believed then must be signed.
		said = {**said, **self.change}
		text = json.dumps(said)
		return Reply(given.status, said, text, {}, mac.of_reply(self.key, text.encode()))

	def pair(self, operation, body):
		if operation == "enrol":
			self.enrolment = enrolment.read_enrolment(body, MASTERS, NOW)
			answer = enrolment.enrolled(
				device_code=SECRET, user_code="BCDF-GHJK", uri="https://tv", expires_in=900
			)
		else:
			poll = enrolment.read_poll(body)
			assert poll.is_by(self.enrolment.thumbprint, self.enrolment.key)
			row = self.node.row(SERIAL)
			answer = (
				enrolment.granted(MASTERS, SERIAL, row.key_hash, ())
				if row
				else enrolment.ERRORS["authorization_pending"]
			)
		return Reply(answer.status, json.loads(answer.body), answer.body.decode(), {})

	def bind(self, tv, version=1, code="", signer=SIGNER, serial=SERIAL, jkt="", fp="", broker=False):
		unsigned = Unsigned(
			DEVICE,
			serial,
			"",
			key_hash=jkt or tv.thumbprint,
			fp=fp,
			rights_from=0 if code else NOW - 10,
			offers=("HOTEL-V1",),
			play_seconds=3600,
			denial_code=code,
			key="" if tv.memory.credential else tv._own_key().point,
		)
		row = sign(unsigned, signer, NOW, 86_400, "operator", version, has_broker=broker).entry.row()
		self.node.rows[SERIAL] = structs.replace(row, serial=SERIAL)
		self.key = MASTERS.newest(SERIAL, tv.thumbprint)


@pytest.fixture
def operator():
	return Operator()


@pytest.fixture(params=["key", "secret"])
def tv(operator, tmp_path, request):
	return Tv(SERIAL, operator, SECRET if request.param == "secret" else "", tmp_path / "flash")


def test_from_the_box_to_the_picture(tv, operator):
	assert tv.power_on().kind == PAIRING
	assert tv.enrol().document["user_code"] == "BCDF-GHJK"
	assert tv.poll().document["error"] == "authorization_pending"
	operator.bind(tv)
	assert tv.poll().status == 200
	operator.asked.clear()
	assert tv.power_on().kind == PLAYING
	assert tv.power_on().kind == PLAYING
	assert operator.asked == ["auth", "auth"]


def test_a_fresh_tv_makes_a_key_that_it_never_shows(operator):
	tv = Tv(SERIAL, operator)
	tv.enrol()
	assert "PRIVATE KEY" in tv.memory.private_key
	assert operator.enrolment.key == tv._own_key().point


def test_a_tv_that_knows_no_broker_asks_the_desk_when_its_lease_tells_of_one(tv, operator):
	desk, place = Operator(), {"host": "broker.tv", "password": "secret"}
	desk.node.audience = "desk"
	desk.node.place = lambda serial: place if serial == SERIAL else None
	for node in (operator, desk):
		node.bind(tv)
	assert tv.power_on().kind == PLAYING and not tv.wants_place
	for node in (operator, desk):
		node.bind(tv, version=2, broker=True)
	assert tv.power_on().kind == PLAYING and tv.wants_place
	assert tv.learn_place(desk).kind == PLAYING
	assert tv.memory.mqtt == place and not tv.wants_place
	assert tv.audience() == "south" and tv.power_on().kind == PLAYING


def test_enrolment_sends_no_secret(operator):
	tv = Tv(SERIAL, operator, SECRET)
	tv.enrol()
	assert operator.last["key"] == wire.key_fingerprint(SECRET) and SECRET not in operator.last.values()


def test_a_power_cut_loses_nothing(tv, operator, tmp_path):
	operator.bind(tv, version=3)
	tv.power_on()
	again = Tv(SERIAL, operator, tv.memory.credential, tmp_path / "flash")
	assert again.memory == tv.memory and again.memory.version == 3
	assert (tmp_path / "flash").stat().st_mode & 0o077 == 0
	operator.asked.clear()
	assert again.power_on().kind == PLAYING and operator.asked == ["auth"]


def test_a_count_is_in_flash_before_it_is_used(tv, operator, tmp_path):
	operator.bind(tv)
	tv.power_on()
	operator.down = True
	tv.power_on()
	again = Tv(SERIAL, operator, tv.memory.credential, tmp_path / "flash")
	assert again.memory.counts == {"south": 2}


def test_a_restored_flash_proves_itself_and_goes_on(tv, operator):
	operator.bind(tv)
	tv.power_on()
	counts = dict(tv.memory.counts)
	for _ in range(5):
		tv.power_on()
	tv.memory.counts = counts
	operator.asked.clear()
	assert tv.power_on().kind == PLAYING
	assert operator.asked == ["auth", "assert"]
	assert tv.memory.counts["south"] > 6


def test_a_lost_key_comes_back(tv, operator):
	operator.bind(tv)
	tv.power_on()
	tv.memory.key = jws.b64url(bytes(32))
	operator.asked.clear()
	assert tv.power_on().kind == PLAYING
	assert operator.asked == ["auth", "challenge", "assert"]


def test_a_new_epoch_is_met_the_slow_way(tv, operator):
	operator.bind(tv)
	tv.power_on()
	operator.node.masters = mac.Masters({**MASTERS.keys, 3: bytes(32)})
	assert tv.power_on().hints == ("rotate",)
	operator.node.masters = mac.Masters({**MASTERS.keys, 3: bytes(32), 4: bytes(32)})
	assert tv.power_on().kind == PLAYING and tv.memory.epoch == "4"


def test_a_denial_ends_what_a_lease_allowed(tv, operator):
	operator.bind(tv)
	assert tv.power_on().kind == PLAYING
	operator.bind(tv, 2, "suspended")
	screen = tv.power_on()
	assert (screen.kind, screen.code) == (BARKER, "suspended")
	operator.down = True
	assert tv.power_on().kind == RETRY


def test_without_an_answer_a_lease_plays_on(tv, operator):
	operator.bind(tv)
	tv.power_on()
	operator.down = True
	assert tv.power_on().kind == PLAYING


def test_without_an_answer_it_plays_no_longer_than_it_was_told(operator):
	moment = [NOW]
	tv = Tv(SERIAL, operator, SECRET, clock=lambda: moment[0])
	operator.bind(tv)
	tv.power_on()
	operator.node.rows[SERIAL] = structs.replace(operator.node.rows[SERIAL], lease_expires=NOW)
	moment[0] = NOW + 3599
	screen = tv.power_on()
	assert (screen.kind, screen.code, screen.wait) == (PLAYING, "unavailable", 30.0)
	operator.down = True
	assert tv.power_on().kind == PLAYING
	moment[0] = NOW + 3600
	assert tv.power_on().kind == RETRY
	# Set back, its clock does not bring the time back.
	tv.memory.floor, moment[0] = NOW + 3600, NOW
	assert tv.power_on().kind == RETRY


def test_an_older_lease_is_a_replay(tv, operator):
	operator.bind(tv, 5, "suspended")
	tv.power_on()
	operator.bind(tv, 4)
	assert tv.power_on().kind == FAKE


def test_an_operator_with_a_new_key_counts_anew(tv, operator):
	operator.bind(tv, 5)
	tv.power_on()
	following = jws.Signer(jws.new_key())
	both = jws.Verifier(jws.jwks(SIGNER, following))
	renewed = Tv(SERIAL, operator, tv.memory.credential, verifier=both)
	renewed.memory = tv.memory
	operator.bind(tv, 1, signer=following)
	assert renewed.power_on().kind == PLAYING


def lease_of(tv, **changes):
	other = Operator()
	other.bind(tv, **changes)
	row = other.node.row(SERIAL)
	return {"lease": row.lease or row.denial}


LIES = {
	"the lease of another TV": lambda tv: lease_of(tv, serial="LG55-000002"),
	"the lease of another key": lambda tv: lease_of(tv, jkt=jws.Signer(jws.new_key()).kid),
	"the lease of other parts": lambda tv: lease_of(tv, fp="B" * 43),
	"a denial as lease": lambda tv: lease_of(tv, code="ended"),
	"another key": lambda tv: lease_of(tv, signer=jws.Signer(jws.new_key())),
	"the answer to another question": lambda _: {"n": "A" * 22},
	"no answer to the question": lambda _: {"n": None},
	"play beyond the lease": lambda _: {"play_until": NOW + 10**6},
	"a lease that ran out": lambda _: {"time": NOW + 10**6},
	"no lease": lambda _: {"lease": None},
	"a text for a time": lambda _: {"time": "now"},
}


def test_a_lease_for_just_these_parts_plays(tv, operator):
	operator.bind(tv, fp=tv.parts)
	assert tv.power_on().kind == PLAYING


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_lies(tv, operator, lie):
	operator.bind(tv)
	tv.memory.key, tv.memory.epoch = jws.b64url(operator.key), "2"
	operator.change = lie(tv)
	assert tv.power_on().kind == FAKE
	assert tv.memory.play_until == 0


def test_a_reply_without_its_mac_is_nothing(tv, operator):
	operator.bind(tv)
	tv.memory.key, tv.memory.epoch = jws.b64url(operator.key), "2"
	genuine = operator.post
	operator.post = lambda path, document: replace(genuine(path, document), mac="A" * 43)
	assert tv.power_on().kind == FAKE
	operator.post = lambda path, document: replace(genuine(path, document), mac="")
	assert tv.power_on().kind == FAKE


def test_an_unsigned_text_is_not_shown(tv, operator):
	operator.bind(tv, code="suspended")
	tv.memory.key, tv.memory.epoch = jws.b64url(operator.key), "2"
	operator.change = {"text": {"fr": "Appelez le 0899…", "en": "Call 0899…"}}
	assert tv.power_on().text == wire.DENIAL_TEXTS["suspended"]["fr"]
	operator.change = {"denial": None}
	assert tv.power_on().kind == FAKE


def test_changed_parts_are_told_by_the_node(tv, operator):
	operator.bind(tv)
	operator.node.rows[SERIAL] = structs.replace(operator.node.rows[SERIAL], fp="B" * 43)
	screen = tv.power_on()
	assert (screen.kind, screen.code) == (BARKER, "binding_mismatch")
	assert screen.text == wire.DENIAL_TEXTS["binding_mismatch"]["fr"]


def test_with_a_root_only_signed_keys_count(operator):
	root = jws.Signer(jws.new_key())
	signed = sign_keys(jws.jwks(SIGNER), root, int(time.time()), 30)
	for key_set, kind in ((signed, PLAYING), (jws.jwks(SIGNER), FAKE)):
		tv = Tv(SERIAL, operator, SECRET, root=root.jwk)
		operator.bind(tv)
		operator.node.seen.clear()
		operator.keys = key_set
		assert tv.power_on().kind == kind


def test_a_fault_is_no_refusal(tv, operator):
	operator.bind(tv)
	operator.node.rows[SERIAL] = structs.replace(operator.node.rows[SERIAL], lease_expires=NOW)
	screen = tv.power_on()
	assert (screen.kind, screen.code, screen.status) == (RETRY, "unavailable", 503)


def test_heartbeat_and_streams(tv, operator):
	operator.bind(tv)
	tv.power_on()
	assert tv.heartbeat(up="60", temp="40").status == 204
	assert tv.stream("start", "TF1", "one").document["until"] == NOW + 90
	assert tv.stream("start", "CANAL", "one").status == 403
