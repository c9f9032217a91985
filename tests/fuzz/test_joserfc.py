"""Our signatures against joserfc's: each takes what the other signs, and both refuse the same forgeries."""

import json
import random

import pytest
from jose_forger import Genuine, attacks, malleated

from subscriber_tv.core.devices import jws

theirs = pytest.importorskip("joserfc.jws", reason="joserfc is not installed")
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

OPERATORS = tuple(jws.MAX_TOKEN)
TVS = (jws.ASSERTION, jws.ENROLMENT, jws.TOKEN)
ES256 = ["ES256"]
TEXTS = ("", "A", "é", "\u2028", "\U0001f4fa", "a.b", '"', "\\", "\x00", "' or 1=1 --", "=" * 5, "日本" * 9)


def claims(dice: random.Random, depth: int = 0):
	"""Some JSON; objects most of the time, as claims are."""
	kind = dice.randrange(8 if depth < 3 else 5)
	if kind == 0:
		return dice.choice((None, True, False, 0, -1, 10**18, 1.5, 1e-9))
	if kind < 3:
		return dice.choice(TEXTS) + jws.b64url(dice.randbytes(dice.randrange(24)))
	if kind == 3:
		return dice.randrange(2**63)
	if kind == 4:
		return [claims(dice, depth + 1) for _ in range(dice.randrange(4))] if depth < 3 else []
	return {dice.choice(TEXTS) + str(n): claims(dice, depth + 1) for n in range(dice.randrange(6))}


def payload(dice: random.Random) -> bytes:
	if dice.random() < 0.2:
		return dice.randbytes(dice.randrange(400))
	return json.dumps(claims(dice), ensure_ascii=dice.random() < 0.5).encode()[:1200]


def takes(typ: str, signer: jws.Signer, token: str) -> bytes | None:
	"""The claims of a token that ours accept; None when they do not."""
	if typ in TVS:
		return jws.unverified_claims(token) if jws.check_proof(typ, signer.kid, signer.point, token) else None
	try:
		return jws.Verifier(jws.jwks(signer)).verify(typ, token)
	except jws.BadSignature:
		return None


@pytest.mark.parametrize("typ", (*OPERATORS, *TVS))
def test_each_takes_what_the_other_signs(typ, tokens_wanted, die):
	dice = random.Random(f"{typ}{die}")
	for number in range(tokens_wanted):
		if number % 50 == 0:
			pem = jws.new_key()
			signer, key = jws.Signer(pem), ECKey.import_key(pem)
			public = KeySet.import_key_set(jws.jwks(signer))
		body = payload(dice)
		ours = signer.sign(typ, body)
		read = theirs.deserialize_compact(ours, public, algorithms=ES256)
		assert (read.payload, read.headers()) == (body, {"alg": "ES256", "typ": typ, "kid": signer.kid})
		header = {"alg": "ES256", "typ": typ, "kid": signer.kid}
		their = theirs.serialize_compact(header, body, key, algorithms=ES256)
		assert takes(typ, signer, their) == body
		assert their.rpartition(".")[0] == ours.rpartition(".")[0]


@pytest.mark.parametrize("typ", (*OPERATORS, *TVS))
def test_the_key_is_named_alike(typ):
	pem = jws.new_key()
	assert ECKey.import_key(pem).thumbprint() == jws.Signer(pem).kid
	assert ECKey.import_key(jws.Signer(pem).jwk).as_pem(private=False) == ECKey.import_key(pem).as_pem(
		private=False
	)


@pytest.mark.parametrize("typ", (jws.LEASE, jws.ASSERTION))
def test_what_they_refuse_we_refuse(typ):
	"""Theirs is laxer where a header may be spelled in many ways; ours never takes what theirs does not."""
	genuine = Genuine(jws.new_key(), typ, b'{"sub":"AB-123456"}')
	key = ECKey.import_key(genuine.signer.jwk)
	both, laxer = 0, []
	for name, token in attacks(genuine).items():
		assert takes(typ, genuine.signer, token) is None, name
		try:
			theirs.deserialize_compact(token, key, algorithms=ES256)
			laxer.append(name)
		except (JoseError, ValueError, TypeError, KeyError, AttributeError, UnicodeError):
			both += 1
	assert both > 120
	# What they take beside the genuine token was signed by the genuine key, under a header that only we are strict about.
	assert [name for name in laxer if "signed by the key itself" not in name] == []


def test_the_other_half_of_a_signature_is_taken_by_both():
	genuine = Genuine(jws.new_key(), jws.LEASE, b"{}")
	read = theirs.deserialize_compact(
		malleated(genuine), ECKey.import_key(genuine.signer.jwk), algorithms=ES256
	)
	assert read.payload == takes(jws.LEASE, genuine.signer, malleated(genuine)) == b"{}"
