"""Each usual attack on signed tokens, on each kind of token there is: what the operator signs, and what TVs sign."""

import json
from itertools import permutations

import pytest
from jose_forger import ORDER, PRIME, Genuine, attacks, malleated
from protocol_case import MASTERS, NOW, SERIAL, MemoryNode, PaperTv, row_of, spelled

from subscriber_tv.core.activation import prove
from subscriber_tv.core.devices import challenge, jws, requests, wire

PEM = jws.new_key()
SIGNER = jws.Signer(PEM)
OPERATORS = tuple(jws.MAX_TOKEN)
TVS = (jws.ASSERTION, jws.ENROLMENT, jws.TOKEN)
CLAIMS = b'{"sub":"LG55-000001","ver":4}'
GENUINE = {typ: Genuine(PEM, typ, CLAIMS) for typ in (*OPERATORS, *TVS)}
# Two keys in the set, as while one replaces another.
VERIFIER = jws.Verifier(jws.jwks(SIGNER, jws.Signer(jws.new_key())))
ATTACKS = {typ: attacks(genuine) for typ, genuine in GENUINE.items()}


def accepts(typ, token):
	"""Whether a token is taken: as the operator's, or as a TV's."""
	if typ in TVS:
		return jws.check_proof(typ, SIGNER.kid, SIGNER.point, token)
	try:
		VERIFIER.verify(typ, token)
	except jws.BadSignature:
		return False
	return True


@pytest.mark.parametrize("typ", GENUINE)
def test_the_genuine_one_is_taken(typ):
	assert accepts(typ, GENUINE[typ].token)


@pytest.mark.parametrize("name", ATTACKS[jws.LEASE])
def test_attack_fails(name):
	taken = [typ for typ, found in ATTACKS.items() if name in found and accepts(typ, found[name])]
	assert taken == []


def test_the_attacks_are_all_different_and_none_is_the_genuine_token():
	for typ, found in ATTACKS.items():
		assert GENUINE[typ].token not in found.values()
		assert len(found) > 180


@pytest.mark.parametrize(("signed", "used"), tuple(permutations(GENUINE, 2)))
def test_a_token_is_for_one_use(signed, used):
	assert not accepts(used, GENUINE[signed].token)


def test_one_key_does_not_sign_under_the_name_of_another():
	other = jws.Signer(jws.new_key())
	both = jws.Verifier(jws.jwks(SIGNER, other))
	mixed = jws.Signer(PEM, other.kid).sign(jws.LEASE, CLAIMS)
	with pytest.raises(jws.BadSignature):
		both.verify(jws.LEASE, mixed)


def point(x: int, y: int):
	return jws.b64url(x.to_bytes(32, "big")), jws.b64url(y.to_bytes(32, "big"))


def own(axis: str) -> int:
	return int.from_bytes(jws.b64url_decode(SIGNER.jwk[axis]), "big")


# No key of anybody: no point of the curve, the point of no coordinates, numbers beyond the field.
NO_POINTS = {
	"off the curve": point(own("x"), own("y") ^ 1),
	"zero": point(0, 0),
	"on the twist": point(1, 1),
	"x beyond the field": point(PRIME, own("y")),
	"y beyond the field": point(own("x"), 2**256 - 1),
	"x is the order": point(ORDER, own("y")),
	"33 bytes": (jws.b64url(b"\0" + own("x").to_bytes(32, "big")), point(0, own("y"))[1]),
	"nothing": ("", ""),
	"padding": (SIGNER.jwk["x"] + "=", SIGNER.jwk["y"]),
}


@pytest.mark.parametrize("pair", NO_POINTS.values(), ids=NO_POINTS.keys())
def test_what_is_no_point_is_no_key(pair):
	with pytest.raises(ValueError):
		jws.point_of(*pair)
	with pytest.raises(ValueError):
		jws.Verifier({"keys": [{**SIGNER.jwk, "x": pair[0], "y": pair[1]}]})
	assert not jws.check_proof(jws.ASSERTION, SIGNER.kid, "".join(pair), GENUINE[jws.ASSERTION].token)


@pytest.mark.parametrize(
	"change", [{"kty": "oct"}, {"kty": "RSA"}, {"crv": "P-384"}, {"crv": "secp256k1"}, {"kid": ""}]
)
def test_a_key_of_another_kind_opens_nothing(change):
	with pytest.raises(ValueError, match="no P-256 key"):
		jws.Verifier({"keys": [{**SIGNER.jwk, **change}]})


# The one attack that is no attack: see docs/device-protocol.md.


@pytest.mark.parametrize("typ", GENUINE)
def test_the_other_half_of_a_signature_says_the_same(typ):
	other = malleated(GENUINE[typ])
	assert other != GENUINE[typ].token and accepts(typ, other)
	if typ in OPERATORS:
		assert VERIFIER.verify(typ, other) == CLAIMS


# The same through the door that TVs come in by.

TV = PaperTv(signer=SIGNER)
CHALLENGE = challenge.make(MASTERS, "south", SERIAL, NOW)
ASKED = Genuine(
	PEM,
	jws.ASSERTION,
	spelled({"aud": "south", "c": "1", "chal": CHALLENGE, "d": SERIAL, "f": TV.parts, "n": "A" * 22}),
)
ATTEMPTS = attacks(ASKED)


@pytest.fixture
def node():
	found = MemoryNode()
	found.rows[SERIAL] = row_of(TV)
	return found


@pytest.mark.parametrize("name", ATTEMPTS)
def test_attack_gets_nothing_from_a_node(node, name):
	answered = prove.assertion(_request(ATTEMPTS[name]), node, NOW)
	assert answered.answer in (wire.STRANGER, wire.INVALID_REQUEST) and node.counted == 0


def test_the_genuine_one_gets_its_answer(node):
	assert prove.assertion(spelled({"a": ASKED.token}), node, NOW).answer.status == 200


def test_the_other_half_of_a_signature_is_worth_no_second_answer(node):
	first = prove.assertion(spelled({"a": ASKED.token}), node, NOW)
	repeated = prove.assertion(spelled({"a": malleated(ASKED)}), node, NOW)
	assert (first.answer.status, repeated.answer, repeated.proven) == (200, first.answer, False)
	assert node.seen[SERIAL].counter == 1


def _request(token: str) -> bytes:
	return json.dumps({"a": token}, ensure_ascii=False).encode(errors="surrogatepass")


DOUBLED = {
	"a claim twice, the other first": b'{"c":"9","aud":"south",',
	"a claim twice in other letters": b'{"\\u0063":"9","aud":"south",',
	"a claim that is none": b'{"admin":"1","aud":"south",',
	"a claim within a claim": b'{"aud":{"aud":"south"},',
	"aud as a list": b'{"aud":["south"],',
}


@pytest.mark.parametrize("start", DOUBLED.values(), ids=DOUBLED.keys())
def test_claims_have_one_form_however_well_they_are_signed(node, start):
	claims = ASKED.claims.replace(b'{"aud":"south",', start, 1)
	signed = spelled({"a": SIGNER.sign(jws.ASSERTION, claims)})
	with pytest.raises(wire.InvalidRequest):
		requests.assertion(signed)
	assert prove.assertion(signed, node, NOW).answer is wire.INVALID_REQUEST
