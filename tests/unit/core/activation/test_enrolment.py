"""A code is given to who holds the key it is asked with, and worth nothing to anybody else."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protocol_case import MASTERS, NOW, PARTS, PaperTv, spelled

from subscriber_tv.core.activation import enrolment
from subscriber_tv.core.devices import challenge, jws, requests, wire

TV = PaperTv()
CODE = jws.b64url(bytes(32))


def claims(tv=TV, **changes):
	point = {axis: tv.signer.jwk[axis] for axis in "xy"}
	chal = challenge.make(MASTERS, "desk", tv.serial, NOW)
	found = {
		"aud": "desk",
		"chal": chal,
		"f": PARTS,
		"firmware": "3.21",
		"model": "LG 55",
		"serial": tv.serial,
	}
	return spelled({**found, **point, **changes})


def enrolling(payload, signer=TV.signer, typ=jws.ENROLMENT):
	return spelled({"a": signer.sign(typ, payload)})


def test_a_tv_that_holds_its_key():
	found = enrolment.read_enrolment(enrolling(claims()), MASTERS, NOW)
	assert found == enrolment.Enrolment(TV.serial, TV.thumbprint, TV.point, PARTS, "LG 55", "3.21")


def test_a_tv_without_a_key_store():
	body = spelled({"serial": TV.serial, "key": CODE, "f": PARTS, "firmware": "1", "model": "Small"})
	assert enrolment.read_enrolment(body, MASTERS, NOW) == enrolment.Enrolment(
		TV.serial, CODE, "", PARTS, "Small", "1"
	)


STRANGER = jws.Signer(jws.new_key())


@pytest.mark.parametrize(
	"body",
	[
		enrolling(claims(), STRANGER),
		enrolling(claims(), jws.Signer(jws.new_key(), TV.signer.kid)),
		enrolling(claims(), typ=jws.ASSERTION),
		enrolling(claims(chal=challenge.make(MASTERS, "south", TV.serial, NOW))),
		enrolling(claims(chal=challenge.make(MASTERS, "desk", "LG55-000002", NOW))),
		enrolling(claims(chal=challenge.make(MASTERS, "desk", TV.serial, NOW - 121))),
		enrolling(claims(chal=CODE)),
	],
	ids=[
		"another key",
		"another key, our name",
		"an assertion",
		"another node's challenge",
		"another TV's",
		"old",
		"none",
	],
)
def test_what_proves_nothing(body):
	with pytest.raises(enrolment.Unproven):
		enrolment.read_enrolment(body, MASTERS, NOW)


@pytest.mark.parametrize(
	"changes", [{"x": CODE}, {"aud": "south"}, {"serial": "lg"}, {"x": TV.signer.jwk["x"][:-1] + "_"}]
)
def test_what_is_no_enrolment(changes):
	with pytest.raises((wire.InvalidRequest, enrolment.Unproven)) as refusal:
		enrolment.read_enrolment(enrolling(claims(**changes)), MASTERS, NOW)
	# A point beside the curve is no key, and is told apart before any proof is checked.
	assert "x" not in changes or changes["x"] != CODE or refusal.type is wire.InvalidRequest


def polling(code=CODE, said=CODE, signer=TV.signer, typ=jws.TOKEN):
	token = signer.sign(typ, spelled({"aud": "desk", "device_code": said}))
	return spelled({"grant_type": requests.DEVICE_CODE, "device_code": code, "a": token})


def test_only_the_tv_that_asked_is_given_anything():
	assert enrolment.read_poll(polling()).is_by(TV.thumbprint, TV.point)
	for body in (
		polling(signer=STRANGER),
		polling(signer=jws.Signer(jws.new_key(), TV.signer.kid)),
		polling(typ=jws.ASSERTION),
	):
		assert not enrolment.read_poll(body).is_by(TV.thumbprint, TV.point)
	assert not enrolment.read_poll(polling()).is_by("", "")
	with pytest.raises(wire.InvalidRequest):
		enrolment.read_poll(polling(said=jws.b64url(bytes(range(32)))))


def test_a_secret_asks_where_there_is_no_key():
	secret = jws.b64url(bytes(range(32)))
	body = spelled({"grant_type": requests.DEVICE_CODE, "device_code": CODE, "credential": secret})
	poll = enrolment.read_poll(body)
	assert poll.is_by(wire.key_fingerprint(secret), "")
	assert not poll.is_by(wire.key_fingerprint(secret), TV.point)
	assert not poll.is_by(CODE, "") and not poll.is_by("", "")


def test_what_a_paired_tv_is_given():
	reply = json.loads(
		enrolment.granted(MASTERS, TV.serial, TV.thumbprint, ({"aud": "desk", "url": "u"},)).body
	)
	assert reply == {
		"device": TV.serial,
		"epoch": "2",
		"key": jws.b64url(TV.key(2)),
		"audiences": [{"aud": "desk", "url": "u"}],
	}


def test_the_address_with_the_code():
	given_back = enrolment.enrolled(
		device_code=CODE, user_code="BCDF-GHJK", uri="https://tv.example/p", expires_in=900
	)
	assert json.loads(given_back.body) == {
		"device_code": CODE,
		"user_code": "BCDF-GHJK",
		"verification_uri": "https://tv.example/p",
		"verification_uri_complete": "https://tv.example/p?code=BCDF-GHJK",
		"expires_in": 900,
		"interval": 5,
	}


#  asked at   0   5   7(too soon: 10 from here)   16(too soon: 15)   31
def test_who_asks_too_fast_must_slow_down_for_good():
	pace = enrolment.Pace()
	outcomes = []
	for moment in (100, 105, 107, 116, 131):
		pace, too_fast = enrolment.pace(pace, moment)
		outcomes.append((too_fast, pace.interval))
	assert outcomes == [(False, 5), (False, 5), (True, 10), (True, 15), (False, 15)]


@given(st.lists(st.integers(5, 100), max_size=20))
def test_who_keeps_the_interval_is_never_slowed(pauses):
	pace, moment = enrolment.Pace(), NOW
	for pause in pauses:
		pace, too_fast = enrolment.pace(pace, moment)
		assert not too_fast and pace.interval == enrolment.INTERVAL
		moment += pause


def test_refusals_are_those_of_the_rfc():
	assert {error: json.loads(answer.body)["error"] for error, answer in enrolment.ERRORS.items()} == {
		error: error for error in ("authorization_pending", "slow_down", "access_denied", "expired_token")
	}
	assert {answer.status for answer in enrolment.ERRORS.values()} == {400}
