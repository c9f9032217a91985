"""A token is accepted only when our key signed it for exactly this use; every classic JOSE trick fails alike."""

import base64
import hashlib
import hmac
import json

import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from subscriber_tv.core.devices import jws

PEM = jws.new_key()
SIGNER = jws.Signer(PEM)
VERIFIER = jws.Verifier(jws.jwks(SIGNER))
TOKEN = SIGNER.sign(jws.LEASE, b'{"sub":"AB-123456"}')
HEADER, CLAIMS, SIGNATURE = TOKEN.split(".")

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def header(**fields):
	return jws.b64url(json.dumps(fields, separators=(",", ":")).encode())


def forged(r: int, s: int) -> str:
	return f"{HEADER}.{CLAIMS}.{jws.b64url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def public_key_bytes():
	key = serialization.load_pem_private_key(PEM, None).public_key()
	return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def hs256_with_the_public_key() -> str:
	head = header(alg="HS256", typ=jws.LEASE, kid=SIGNER.kid)
	mac = hmac.digest(public_key_bytes(), f"{head}.{CLAIMS}".encode(), "sha256")
	return f"{head}.{CLAIMS}.{jws.b64url(mac)}"


ATTACKS = {
	"alg none": f"{header(alg='none', typ=jws.LEASE, kid=SIGNER.kid)}.{CLAIMS}.",
	"alg none, signature kept": f"{header(alg='none', typ=jws.LEASE, kid=SIGNER.kid)}.{CLAIMS}.{SIGNATURE}",
	"public key as HMAC secret": hs256_with_the_public_key(),
	"HMAC under our header": f"{HEADER}.{CLAIMS}.{jws.b64url(bytes(32))}",
	"other type": f"{header(alg='ES256', typ=jws.DENIAL, kid=SIGNER.kid)}.{CLAIMS}.{SIGNATURE}",
	"unknown kid": f"{header(alg='ES256', typ=jws.LEASE, kid='other')}.{CLAIMS}.{SIGNATURE}",
	"own key in the header": f"{header(alg='ES256', typ=jws.LEASE, kid=SIGNER.kid, jwk=SIGNER.jwk)}.{CLAIMS}.{SIGNATURE}",
	"crit": f"{header(alg='ES256', typ=jws.LEASE, kid=SIGNER.kid, crit=['b64'], b64=False)}.{CLAIMS}.{SIGNATURE}",
	"header spelled otherwise": f"{header(typ=jws.LEASE, alg='ES256', kid=SIGNER.kid)}.{CLAIMS}.{SIGNATURE}",
	"zero signature": forged(0, 0),
	"r only": forged(1, 0),
	"s is the order": forged(1, P256_ORDER),
	"signature too long": f"{HEADER}.{CLAIMS}.{SIGNATURE}AA",
	"DER signature": f"{HEADER}.{CLAIMS}.{jws.b64url(b'0D' + bytes(68))}",
	"truncated": TOKEN[:-1],
	"no signature": f"{HEADER}.{CLAIMS}",
	"no claims": f"{HEADER}..{SIGNATURE}",
	"four parts": f"{TOKEN}.{SIGNATURE}",
	"five parts, as encrypted": f"{HEADER}.a.b.c.d",
	"padding": TOKEN + "==",
	"stray bits": TOKEN[:-1] + chr(ord(TOKEN[-1]) + 1),
	"newline": TOKEN + "\n",
	"not ASCII": TOKEN + "é",
	"oversize": f"{HEADER}.{CLAIMS * 400}.{SIGNATURE}",
	"empty": "",
	"dots": "..",
}


@pytest.mark.parametrize("token", ATTACKS.values(), ids=ATTACKS.keys())
def test_attack_fails(token):
	with pytest.raises(jws.BadSignature) as refusal:
		VERIFIER.verify(jws.LEASE, token)
	assert str(refusal.value) == ""


@pytest.mark.parametrize("typ", [jws.DENIAL, jws.OFFER, jws.FEED])
def test_a_lease_is_nothing_else(typ):
	with pytest.raises(jws.BadSignature):
		VERIFIER.verify(typ, TOKEN)


def test_another_key_of_the_same_name_does_not_sign_for_us():
	stranger = jws.Signer(jws.new_key(), SIGNER.kid)
	with pytest.raises(jws.BadSignature):
		VERIFIER.verify(jws.LEASE, stranger.sign(jws.LEASE, b"{}"))


@given(st.binary(max_size=2000))
def test_claims_come_back_as_they_were(claims):
	assert VERIFIER.verify(jws.LEASE, SIGNER.sign(jws.LEASE, claims)) == claims


@given(st.integers(0, len(TOKEN) - 1), st.characters(max_codepoint=127))
def test_no_byte_can_be_changed(position, letter):
	changed = TOKEN[:position] + letter + TOKEN[position + 1 :]
	if changed != TOKEN:
		with pytest.raises(jws.BadSignature):
			VERIFIER.verify(jws.LEASE, changed)


def test_a_token_longer_than_its_type_allows_is_not_made():
	with pytest.raises(ValueError, match="more than the 4096"):
		SIGNER.sign(jws.LEASE, bytes(4096))
	assert VERIFIER.verify(jws.OFFER, SIGNER.sign(jws.OFFER, bytes(4096))) == bytes(4096)


def test_several_keys_serve_while_one_replaces_another():
	following = jws.Signer(jws.new_key())
	both = jws.Verifier(json.dumps(jws.jwks(SIGNER, following)))
	assert both.verify(jws.LEASE, TOKEN)
	assert both.verify(jws.LEASE, following.sign(jws.LEASE, b"{}")) == b"{}"


def test_the_kid_is_the_thumbprint():
	point = {name: SIGNER.jwk[name] for name in ("crv", "kty", "x", "y")}
	digest = hashlib.sha256(json.dumps(point, separators=(",", ":"), sort_keys=True).encode()).digest()
	assert SIGNER.kid == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def test_an_empty_key_set_is_an_error_at_once():
	with pytest.raises(ValueError, match="no P-256 key"):
		jws.Verifier({"keys": []})


def test_claims_of_what_is_no_token_are_empty():
	assert jws.unverified_claims("") == jws.unverified_claims("a.*.c") == b""
	assert jws.unverified_claims(TOKEN) == b'{"sub":"AB-123456"}'
