"""A TV believes only what is signed, for itself, now, and not older than what it knew."""

import json
from dataclasses import replace

import pytest

from subscriber_tv.core.activation import answer, decide
from subscriber_tv.core.activation.feed import DEVICE
from subscriber_tv.core.activation.projection import Unsigned, sign
from subscriber_tv.core.devices import jws, wire
from subscriber_tv.simulator.http import EDGE, NoAnswer, Reply
from subscriber_tv.simulator.tv import BARKER, FAKE, PAIRING, PLAYING, RETRY, Tv

NOW = 1_800_000_000
SERIAL = "LG55-000001"
SIGNER = jws.Signer(jws.new_key())


def row(credential, version=1, code="", signer=SIGNER, serial=SERIAL):
	unsigned = Unsigned(
		DEVICE,
		serial,
		"",
		key_hash=wire.key_fingerprint(credential),
		rights_from=0 if code else NOW - 10,
		play_seconds=3600,
		denial_code=code,
	)
	return sign(unsigned, signer, NOW, 86_400, "operator", version).entry.row()


class Operator:
	"""Answers a TV without a network; `change` may tamper with what it says."""

	paths = EDGE

	def __init__(self):
		self.row = None
		self.change = lambda document: document
		self.down = False

	def get(self, path):
		assert path == EDGE.jwks
		return Reply(200, jws.jwks(SIGNER), "", {})

	def post(self, path, document):
		if self.down:
			raise NoAnswer("connection refused")
		self.last = document
		body = json.dumps(document).encode()
		given = answer.power_on(body, lambda _: self.row, lambda _: [], NOW).answer
		return Reply(given.status, self.change(json.loads(given.body)), "", {})


@pytest.fixture
def operator():
	return Operator()


@pytest.fixture
def tv(operator, tmp_path):
	return Tv(SERIAL, operator, flash=tmp_path / "flash")


def test_a_fresh_tv_makes_its_own_secret_and_pairs(tv):
	assert len(tv.memory.credential) == 43
	assert tv.power_on().kind == PAIRING


def test_a_power_cut_loses_nothing(tv, operator, tmp_path):
	operator.row = row(tv.memory.credential, version=3)
	tv.power_on()
	again = Tv(SERIAL, operator, flash=tmp_path / "flash")
	assert again.memory == tv.memory and again.memory.version == 3
	assert (tmp_path / "flash").stat().st_mode & 0o077 == 0


def test_enrolment_sends_no_secret(tv, operator):
	tv.enrol("LG 55UT640S", "03.21")
	assert operator.last == {
		"serial": SERIAL,
		"key": wire.key_fingerprint(tv.memory.credential),
		"model": "LG 55UT640S",
		"firmware": "03.21",
	}


def test_a_denial_ends_what_a_lease_allowed(tv, operator):
	operator.row = row(tv.memory.credential)
	assert tv.power_on().kind == PLAYING
	operator.row = row(tv.memory.credential, 2, "suspended")
	screen = tv.power_on()
	assert (screen.kind, screen.code) == (BARKER, "suspended")
	operator.down = True
	assert tv.power_on().kind == RETRY


def test_without_an_answer_a_lease_plays_on(tv, operator):
	operator.row = row(tv.memory.credential)
	tv.power_on()
	operator.down = True
	assert tv.power_on().kind == PLAYING


def test_an_older_lease_is_a_replay(tv, operator):
	operator.row = row(tv.memory.credential, 5, "suspended")
	tv.power_on()
	operator.row = row(tv.memory.credential, 4)
	assert tv.power_on().kind == FAKE


def test_an_operator_with_a_new_key_counts_anew(tv, operator):
	operator.row = row(tv.memory.credential, 5)
	tv.power_on()
	following = jws.Signer(jws.new_key())
	both = jws.Verifier(jws.jwks(SIGNER, following))
	renewed = Tv(SERIAL, operator, tv.memory.credential, verifier=both)
	renewed.memory = tv.memory
	operator.row = row(tv.memory.credential, 1, signer=following)
	assert renewed.power_on().kind == PLAYING


LIES = {
	"the lease of another TV": lambda tv: {"lease": row(tv.memory.credential, serial="LG55-000002").lease},
	"a denial as lease": lambda tv: {"lease": row(tv.memory.credential, code="ended").denial},
	"another key": lambda tv: {"lease": row(tv.memory.credential, signer=jws.Signer(jws.new_key())).lease},
	"the answer to another question": lambda _: {"n": "AAAA"},
	"no answer to the question": lambda _: {"n": None},
	"play beyond the lease": lambda _: {"play_until": NOW + 10**6},
	"a lease that ran out": lambda _: {"time": NOW + 10**6},
	"no lease": lambda _: {"lease": None},
	"a text for a time": lambda _: {"time": "now"},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_lies(tv, operator, lie):
	operator.row = row(tv.memory.credential)
	operator.change = lambda document: {**document, **lie(tv)}
	assert tv.power_on().kind == FAKE
	assert tv.memory.play_until == 0


def test_an_unsigned_text_is_not_shown(tv, operator):
	operator.row = row(tv.memory.credential, code="suspended")
	operator.change = lambda document: {**document, "text": {"fr": "Appelez le 0899…", "en": "Call 0899…"}}
	assert tv.power_on().text == wire.DENIAL_TEXTS["suspended"]["fr"]


def test_a_fault_is_no_refusal(tv, operator):
	operator.row = replace(row(tv.memory.credential), lease_expires=NOW)
	screen = tv.power_on()
	assert (screen.kind, screen.code, screen.status) == (RETRY, "unavailable", 503)
	assert decide.decide(operator.row, tv.memory.credential, NOW).kind == decide.UNAVAILABLE
