"""JSON Web Signatures as this product uses them: ES256, compact form, one fixed header per type and key.

A token's header is compared byte for byte with the headers we would have written ourselves, so nothing in a
token can choose an algorithm, a key or a meaning: `alg`, `crit`, `b64`, `jku` and the rest are never parsed.
Signatures are the raw 64 bytes r || s of RFC 7518, section 3.4. Claims are bytes; their meaning is the caller's.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

LEASE = "tv-lease+jwt"
DENIAL = "tv-deny+jwt"
OFFER = "tv-offer+jwt"
FEED = "tv-feed+jwt"

# Largest compact form in bytes. An offer document lists every channel, so it may be longer than an answer.
MAX_TOKEN = {LEASE: 4096, DENIAL: 4096, FEED: 4096, OFFER: 262_144}

_ECDSA = ec.ECDSA(hashes.SHA256())
_COORDINATE = 32


class BadSignature(Exception):
	"""The token is not one that the expected key signed for the expected use; it never says which part failed."""


def b64url(data: bytes) -> str:
	"""Base64url without padding, as RFC 7515 writes it."""
	return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def b64url_decode(text: str) -> bytes:
	"""Bytes of an unpadded base64url text; ValueError for anything that is not its one canonical spelling."""
	data = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
	if b64url(data) != text:
		raise ValueError("not canonical base64url")
	return data


def new_key() -> bytes:
	"""A fresh P-256 private key as PKCS#8 PEM. The random numbers are OpenSSL's own."""
	return ec.generate_private_key(ec.SECP256R1()).private_bytes(
		serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
	)


def public_jwk(key: ec.EllipticCurvePublicKey, kid: str = "") -> dict[str, str]:
	"""The public key as a JWK; without `kid` it is named by its RFC 7638 thumbprint."""
	numbers = key.public_numbers()
	point = {
		"crv": "P-256",
		"kty": "EC",
		"x": b64url(numbers.x.to_bytes(_COORDINATE, "big")),
		"y": b64url(numbers.y.to_bytes(_COORDINATE, "big")),
	}
	thumbprint = b64url(hashlib.sha256(json.dumps(point, separators=(",", ":")).encode()).digest())
	return {**point, "kid": kid or thumbprint, "alg": "ES256", "use": "sig"}


class Signer:
	"""Signs claims with one private key. `kid` names the key in the header; its thumbprint when not given."""

	def __init__(self, private_key_pem: bytes, kid: str = ""):
		key = serialization.load_pem_private_key(private_key_pem, password=None)
		if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
			raise ValueError("the signing key must be an EC key on P-256")
		self._key = key
		self.jwk = public_jwk(key.public_key(), kid)
		self.kid = self.jwk["kid"]

	def sign(self, typ: str, claims: bytes) -> str:
		"""The compact token of `claims` (bytes, usually JSON); ValueError when it would be longer than its type allows."""
		signed = f"{_header(typ, self.kid)}.{b64url(claims)}"
		r, s = decode_dss_signature(self._key.sign(signed.encode("ascii"), _ECDSA))
		raw = r.to_bytes(_COORDINATE, "big") + s.to_bytes(_COORDINATE, "big")
		token = f"{signed}.{b64url(raw)}"
		if len(token) > MAX_TOKEN[typ]:
			raise ValueError(f"{typ}: {len(token)} bytes are more than the {MAX_TOKEN[typ]} allowed")
		return token


def jwks(*signers: Signer) -> dict[str, list[dict[str, str]]]:
	"""The public key set of the given signers, ready for JSON."""
	return {"keys": [signer.jwk for signer in signers]}


class Verifier:
	"""Verifies tokens with the public keys of a JWKS (a dict, or its JSON). ValueError when no key is usable."""

	def __init__(self, key_set: dict | bytes | str):
		parsed = json.loads(key_set) if isinstance(key_set, bytes | str) else key_set
		self._keys = {
			(typ, _header(typ, jwk["kid"])): key for jwk, key in _public_keys(parsed) for typ in MAX_TOKEN
		}
		if not self._keys:
			raise ValueError("the key set holds no P-256 key")

	def verify(self, typ: str, token: str) -> bytes:
		"""The claims of a token of exactly this type; BadSignature for anything else whatever its reason."""
		if not isinstance(token, str) or len(token) > MAX_TOKEN[typ] or not token.isascii():
			raise BadSignature
		signed, _, signature = token.rpartition(".")
		header, _, claims = signed.partition(".")
		key = self._keys.get((typ, header))
		if key is None:
			raise BadSignature
		try:
			key.verify(_der(signature), signed.encode("ascii"), _ECDSA)
			return b64url_decode(claims)
		except (InvalidSignature, ValueError):
			raise BadSignature from None


def unverified_claims(token: str) -> bytes:
	"""Claims of a token that we keep ourselves and need not verify again; b"" when it is none."""
	parts = token.split(".")
	try:
		return b64url_decode(parts[1]) if len(parts) == 3 else b""
	except ValueError:
		return b""


def key_id(token: str) -> str:
	"""Which key a token that was verified is signed with."""
	return json.loads(b64url_decode(token.partition(".")[0]))["kid"]


def _header(typ: str, kid: str) -> str:
	return b64url(json.dumps({"alg": "ES256", "typ": typ, "kid": kid}, separators=(",", ":")).encode())


def _public_keys(key_set: dict) -> Iterable[tuple[dict, ec.EllipticCurvePublicKey]]:
	for jwk in key_set.get("keys", ()):
		if jwk.get("kty") == "EC" and jwk.get("crv") == "P-256" and jwk.get("kid"):
			x, y = (int.from_bytes(b64url_decode(jwk[axis]), "big") for axis in "xy")
			yield jwk, ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()


def _der(signature: str) -> bytes:
	raw = b64url_decode(signature)
	if len(raw) != 2 * _COORDINATE:
		raise ValueError("not a P-256 signature")
	r, s = int.from_bytes(raw[:_COORDINATE], "big"), int.from_bytes(raw[_COORDINATE:], "big")
	if not r or not s:
		raise ValueError("zero is no signature")
	return encode_dss_signature(r, s)
