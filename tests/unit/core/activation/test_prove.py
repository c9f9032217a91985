"""Assertions: what only the TV itself can say, once, to one node, just now; and every usual trick with tokens."""

import hmac
import json
from dataclasses import replace

import pytest
from protocol_case import MASTERS, NOW, PARTS, MemoryNode, PaperTv, ask, denial, row_of, said, spelled

from subscriber_tv.core.activation import decide, prove
from subscriber_tv.core.devices import challenge, jws, mac, wire

TV = PaperTv()
SMALL = PaperTv(serial="SMALL-000001", secret=jws.b64url(bytes(range(32))))
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@pytest.fixture
def node():
	found = MemoryNode()
	found.rows = {tv.serial: row_of(tv) for tv in (TV, SMALL)}
	return found


def chal(tv=TV, audience="south", now=NOW):
	return challenge.make(MASTERS, audience, tv.serial, now)


@pytest.mark.parametrize("tv", [TV, SMALL], ids=["key", "secret"])
def test_an_assertion_brings_the_key_and_takes_any_count(node, tv):
	answered = tv.prove(node, c=9_000_000)
	reply = said(answered)
	assert answered.answer.status == 200 and answered.proven
	assert (reply["epoch"], reply["key"], reply["n"]) == ("2", jws.b64url(tv.key(2)), "A" * 22)
	assert answered.answer.mac == mac.of_reply(tv.key(2), answered.answer.body)
	assert ask(node, tv.auth(c=9_000_001)).answer.status == 200


def test_a_refused_tv_gets_its_key_all_the_same(node):
	node.rows[TV.serial] = row_of(TV, rights_from=0, denial=denial("suspended"))
	answered = TV.prove(node)
	assert (answered.answer.status, said(answered)["code"], said(answered)["epoch"]) == (
		403,
		"suspended",
		"2",
	)


def test_an_assertion_counts_once(node):
	first = prove.assertion(body := TV.assertion(chal(), c=5), node, NOW)
	assert prove.assertion(body, node, NOW).answer == first.answer
	assert not prove.assertion(body, node, NOW).proven
	assert ask(node, TV.auth(c=6)).answer.status == 200
	replayed = prove.assertion(body, node, NOW)
	assert (replayed.answer.status, said(replayed)["base"]) == (409, "6")
	assert prove.assertion(TV.assertion(chal(), c=4), node, NOW).answer.status == 409


def test_a_challenge_is_of_one_tv_one_node_and_two_minutes(node):
	assert prove.assertion(TV.assertion(chal(now=NOW - 120)), node, NOW).answer.status == 200
	for number, stale in enumerate(
		(
			chal(now=NOW - 121),
			chal(now=NOW + 31),
			chal(audience="north"),
			chal(SMALL),
			"A" * 43,
			chal()[:-1] + ("A" if chal()[-1] != "A" else "B"),
		)
	):
		answered = prove.assertion(TV.assertion(stale, c=10 + number), node, NOW)
		assert (answered.answer.status, said(answered)["error"]) == (409, "resync_required"), number
		assert (
			prove.assertion(
				TV.assertion(said(answered)["challenge"], c=100 + number), node, NOW
			).answer.status
			== 200
		)


def test_a_challenge_outlives_the_change_of_epoch(node):
	given = challenge.make(mac.Masters({1: MASTERS.keys[1]}), "south", TV.serial, NOW)
	assert prove.assertion(TV.assertion(given), node, NOW).answer.status == 200


def test_anybody_gets_a_challenge(node):
	for serial in (TV.serial, "NEVER-SEEN-1"):
		given = said(prove.give_challenge(spelled({"d": serial}), node, NOW))["challenge"]
		assert challenge.is_fresh(MASTERS, "south", serial, given, NOW)
	to_desk = said(prove.give_challenge(spelled({"d": TV.serial, "aud": "desk"}), node, NOW))["challenge"]
	assert challenge.is_fresh(MASTERS, "desk", TV.serial, to_desk, NOW)


def test_parts_that_bind_bind_here_too(node):
	node.rows[TV.serial] = row_of(TV, fp="B" * 43)
	assert said(TV.prove(node))["code"] == "binding_mismatch"


def signed_claims(**changes):
	claims = {"aud": "south", "c": "1", "chal": chal(), "d": TV.serial, "f": PARTS, "n": "A" * 22}
	return spelled({**claims, **changes})


def token(header, claims=None, signature=None):
	signed = f"{jws.b64url(spelled(header))}.{jws.b64url(claims or signed_claims())}"
	if signature is None:
		genuine = TV.signer.sign(jws.ASSERTION, claims or signed_claims())
		signature = genuine.rpartition(".")[2]
	return f"{signed}.{signature}"


GOOD_HEADER = {"alg": "ES256", "typ": jws.ASSERTION, "kid": TV.signer.kid}


def with_hmac(secret):
	signed = f"{jws.b64url(spelled({**GOOD_HEADER, 'alg': 'HS256'}))}.{jws.b64url(signed_claims())}"
	return f"{signed}.{jws.b64url(hmac.digest(secret, signed.encode(), 'sha512'))}"


def raw(r, s):
	return jws.b64url(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


STRANGERS_KEY = jws.Signer(jws.new_key(), TV.signer.kid)
ATTACKS = {
	"alg none": token({**GOOD_HEADER, "alg": "none"}),
	"public key as HMAC secret": with_hmac(jws.b64url_decode(TV.point)),
	"HMAC under our header": token(GOOD_HEADER, signature=raw(1 << 255, 1 << 254)),
	"crit": token({**GOOD_HEADER, "crit": ["b64"], "b64": False}),
	"jku": token({**GOOD_HEADER, "jku": "https://evil.example/keys"}),
	"jwk": token({**GOOD_HEADER, "jwk": TV.signer.jwk}),
	"header spelled otherwise": token(dict(reversed(GOOD_HEADER.items()))),
	"zero signature": token(GOOD_HEADER, signature=raw(0, 0)),
	"r is zero": token(GOOD_HEADER, signature=raw(0, 1)),
	"s is the order": token(GOOD_HEADER, signature=raw(1, P256_ORDER)),
	"another key under this name": STRANGERS_KEY.sign(jws.ASSERTION, signed_claims()),
	"a token for another use": TV.signer.sign(jws.TOKEN, signed_claims()),
	"an enrolment": TV.signer.sign(jws.ENROLMENT, signed_claims()),
	"another node's": TV.signer.sign(jws.ASSERTION, signed_claims(aud="north")),
	"another TV's": PaperTv().signer.sign(jws.ASSERTION, signed_claims()),
	"the key that strangers are compared with": jws.Signer(jws.key_of_number(1), TV.signer.kid).sign(
		jws.ASSERTION, signed_claims()
	),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_attack_fails_as_a_stranger(node, attack):
	answered = prove.assertion(spelled({"a": attack}), node, NOW)
	assert answered.answer is wire.STRANGER
	assert answered.decision.kind == decide.STRANGER and node.counted == 0


MALFORMED = {
	"claim twice": TV.signer.sign(jws.ASSERTION, signed_claims()[:-1] + b',"c":"2"}'),
	"claim more": TV.signer.sign(jws.ASSERTION, signed_claims(admin="1")),
	"claim missing": TV.signer.sign(jws.ASSERTION, b'{"d":"LG55-000001"}'),
	"claim with an escape": TV.signer.sign(jws.ASSERTION, signed_claims().replace(b"LG55", b"\\u004cG55")),
	"number": TV.signer.sign(jws.ASSERTION, signed_claims().replace(b'"c":"1"', b'"c":1')),
	"padding": token(GOOD_HEADER) + "==",
	"four parts": token(GOOD_HEADER) + ".AAAA",
	"no signature": token(GOOD_HEADER).rpartition(".")[0],
	"signature too long": token(GOOD_HEADER) + "AA",
	"oversize": token(GOOD_HEADER, claims=signed_claims() + b" " * 2000, signature="A" * 86),
}


@pytest.mark.parametrize("bad", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_no_assertion(node, bad):
	assert prove.assertion(spelled({"a": bad}), node, NOW).answer is wire.INVALID_REQUEST
	assert node.counted == 0


def test_two_tokens_in_one_request_are_none(node):
	body = f'{{"a":"{token(GOOD_HEADER)}","a":"{token(GOOD_HEADER)}"}}'.encode()
	assert prove.assertion(body, node, NOW).answer is wire.INVALID_REQUEST


def test_a_secret_is_for_tvs_without_a_key(node):
	wrong = replace(SMALL, secret=jws.b64url(bytes(32)))
	assert prove.assertion(wrong.assertion(chal(SMALL)), node, NOW).answer is wire.STRANGER
	# A row that has both (it cannot) is opened by the key alone.
	node.rows[SMALL.serial] = row_of(SMALL, key=TV.point)
	assert prove.assertion(SMALL.assertion(chal(SMALL)), node, NOW).answer is wire.STRANGER


def test_a_stranger_costs_a_verification(node, monkeypatch):
	checked = []
	genuine = jws.check_proof
	monkeypatch.setattr(jws, "check_proof", lambda *given: checked.append(given[2]) or genuine(*given))
	unknown = PaperTv(serial="NEVER-SEEN-1")
	assert prove.assertion(unknown.assertion(chal(unknown)), node, NOW).answer is wire.STRANGER
	assert checked == [""]


def test_json_of_every_refusal_is_one_object(node):
	for answered in (
		prove.assertion(b"{", node, NOW),
		prove.assertion(spelled({"a": ATTACKS["alg none"]}), node, NOW),
	):
		assert set(json.loads(answered.answer.body)) == {"error", "error_description"}
