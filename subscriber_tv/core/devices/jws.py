"""JSON Web Signatures as this product uses them: ES256, compact form, one fixed header per type and key.

A token's header is compared byte for byte with the headers we would have written ourselves, so nothing in a
token can choose an algorithm, a key or a meaning: `alg`, `crit`, `b64`, `jku` and the rest are never parsed.
Signatures are the raw 64 bytes r || s of RFC 7518, section 3.4. Claims are bytes; their meaning is the caller's.
"""

from __future__ import annotations

import base64
import binascii
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
COMMAND = "tv-cmd+jwt"
KEYS = "tv-jwks+jwt"
# What TVs sign, each for one use.
ASSERTION = "tv-auth+jwt"
ENROLMENT = "tv-enrol+jwt"
TOKEN = "tv-token+jwt"

# Largest compact form in bytes. An offer document lists every channel, so it may be longer than an answer.
MAX_TOKEN = {LEASE: 4096, DENIAL: 4096, FEED: 4096, COMMAND: 4096, KEYS: 16_384, OFFER: 262_144}
MAX_PROOF = 2048

_ECDSA = ec.ECDSA(hashes.SHA256())
_COORDINATE = 32
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
# The generator of the curve: a key for comparing with when there is none. Nobody signs with its private key, which is 1,
# and gets anything for it: the outcome is thrown away.
_NO_KEY = ec.derive_private_key(1, ec.SECP256R1()).public_key()


class BadSignature(Exception):
	"""The token is not one that the expected key signed for the expected use; it never says which part failed."""


def b64url(data: bytes) -> str:
	"""Base64url without padding, as RFC 7515 writes it."""
	return binascii.b2a_base64(data, newline=False).translate(_URL_SAFE, b"=").decode("ascii")


def b64url_decode(text: str) -> bytes:
	"""Bytes of an unpadded base64url text; ValueError for anything that is not its one canonical spelling."""
	data = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
	if b64url(data) != text:
		raise ValueError("not canonical base64url")
	return data


def new_key() -> bytes:
	"""A fresh P-256 private key as PKCS#8 PEM. The random numbers are OpenSSL's own."""
	return pem_of(ec.generate_private_key(ec.SECP256R1()))


def pem_of(key: ec.EllipticCurvePrivateKey) -> bytes:
	"""A private key as PKCS#8 PEM."""
	return key.private_bytes(
		serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
	)


def key_of_number(number: int) -> bytes:
	"""The P-256 private key that is this number, as PEM: for test vectors, which anybody can compute."""
	return pem_of(ec.derive_private_key(number, ec.SECP256R1()))


def public_jwk(key: ec.EllipticCurvePublicKey, kid: str = "") -> dict[str, str]:
	"""The public key as a JWK; without `kid` it is named by its RFC 7638 thumbprint."""
	numbers = key.public_numbers()
	point = {
		"crv": "P-256",
		"kty": "EC",
		"x": b64url(numbers.x.to_bytes(_COORDINATE, "big")),
		"y": b64url(numbers.y.to_bytes(_COORDINATE, "big")),
	}
	return {**point, "kid": kid or thumbprint(point["x"], point["y"]), "alg": "ES256", "use": "sig"}


def thumbprint(x: str, y: str) -> str:
	"""The RFC 7638 thumbprint of a P-256 key, by which it is named: 43 characters."""
	point = f'{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}'
	return b64url(hashlib.sha256(point.encode("ascii")).digest())


class Signer:
	"""Signs claims with one private key. `kid` names the key in the header; its thumbprint when not given.

	`repeatable` signs the same bytes alike each time (RFC 6979), which test vectors need.
	"""

	def __init__(self, private_key_pem: bytes, kid: str = "", *, repeatable: bool = False):
		key = serialization.load_pem_private_key(private_key_pem, password=None)
		if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
			raise ValueError("the signing key must be an EC key on P-256")
		self._key = key
		self._ecdsa = ec.ECDSA(hashes.SHA256(), deterministic_signing=True) if repeatable else _ECDSA
		self.jwk = public_jwk(key.public_key(), kid)
		self.kid = self.jwk["kid"]
		self._headers: dict[str, str] = {}

	def sign(self, typ: str, claims: bytes) -> str:
		"""The compact token of `claims` (bytes, usually JSON); ValueError when it would be longer than its type allows."""
		signed = f"{self._header(typ)}.{b64url(claims)}"
		token = f"{signed}.{b64url(self._signature(signed))}"
		most = MAX_TOKEN.get(typ, MAX_PROOF)
		if len(token) > most:
			raise ValueError(f"{typ}: {len(token)} bytes are more than the {most} allowed")
		return token

	def signature(self, typ: str, claims: bytes) -> bytes:
		"""The 64 bytes alone by which `sign` signs these claims."""
		return self._signature(f"{self._header(typ)}.{b64url(claims)}")

	def _signature(self, signed: str) -> bytes:
		return _raw_signature(self._key.sign(signed.encode("ascii"), self._ecdsa))

	def _header(self, typ: str) -> str:
		found = self._headers.get(typ)
		if found is None:
			found = self._headers[typ] = header_of(typ, self.kid)
		return found

	@property
	def point(self) -> str:
		"""The public key as x and y in one text of base64url, as rows of rights hold it."""
		return point_of(self.jwk["x"], self.jwk["y"])


def jwks(*signers: Signer) -> dict[str, list[dict[str, str]]]:
	"""The public key set of the given signers, ready for JSON."""
	return {"keys": [signer.jwk for signer in signers]}


class Verifier:
	"""Verifies tokens with the public keys of a JWKS (a dict, or its JSON). ValueError when no key is usable."""

	def __init__(self, key_set: dict | bytes | str):
		parsed = json.loads(key_set) if isinstance(key_set, bytes | str) else key_set
		self._keys = {
			(typ, header_of(typ, jwk["kid"])): key for jwk, key in _public_keys(parsed) for typ in MAX_TOKEN
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


def point_of(x: str, y: str) -> str:
	"""A P-256 point, given by its JWK coordinates, in one text: base64url of x and y, 86 characters.

	ValueError when it is not on the curve.
	"""
	raw = _coordinates(x, y)
	_public_key(raw)
	return b64url(raw)


def check_proof(typ: str, kid: str, point: str, token: str) -> bool:
	"""Whether the TV whose key this is signed this token for this use.

	:param kid: the thumbprint of its key, as the header must name it
	:param point: its key as `point_of` writes it; "" (a TV without a row) costs the same and is False
	"""
	signed, _, signature = token.rpartition(".")
	header, _, claims = signed.partition(".")
	try:
		key = _public_key(b64url_decode(point)) if point else _NO_KEY
		key.verify(_der(signature), signed.encode("ascii"), _ECDSA)
		b64url_decode(claims)
	except (InvalidSignature, ValueError):
		return False
	return bool(point) and len(token) <= MAX_PROOF and header == header_of(typ, kid)


def unverified_claims(token: str) -> bytes:
	"""Claims of a token that is not verified: one that we keep ourselves, or one whose key its claims tell; else b""."""
	parts = token.split(".")
	try:
		return b64url_decode(parts[1]) if len(parts) == 3 else b""
	except ValueError:
		return b""


def key_id(token: str) -> str:
	"""Which key a token that was verified is signed with."""
	return json.loads(b64url_decode(token.partition(".")[0]))["kid"]


def header_of(typ: str, kid: str) -> str:
	"""The one header of a type and key, as tokens have it."""
	return b64url(json.dumps({"alg": "ES256", "typ": typ, "kid": kid}, separators=(",", ":")).encode())


def _raw_signature(der: bytes) -> bytes:
	r, s = decode_dss_signature(der)
	return r.to_bytes(_COORDINATE, "big") + s.to_bytes(_COORDINATE, "big")


def _public_keys(key_set: dict) -> Iterable[tuple[dict, ec.EllipticCurvePublicKey]]:
	for jwk in key_set.get("keys", ()):
		if jwk.get("kty") == "EC" and jwk.get("crv") == "P-256" and jwk.get("kid"):
			yield jwk, _public_key(_coordinates(jwk["x"], jwk["y"]))


def _coordinates(x: str, y: str) -> bytes:
	"""Both coordinates of a point; ValueError unless each is 32 bytes (RFC 7518, 6.2.1.2)."""
	raw = b64url_decode(x), b64url_decode(y)
	if any(len(part) != _COORDINATE for part in raw):
		raise ValueError("not the coordinates of a point of P-256")
	return b"".join(raw)


def _public_key(raw: bytes) -> ec.EllipticCurvePublicKey:
	if len(raw) != 2 * _COORDINATE:
		raise ValueError("not a point of P-256")
	return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + raw)


def _der(signature: str) -> bytes:
	raw = b64url_decode(signature)
	if len(raw) != 2 * _COORDINATE:
		raise ValueError("not a P-256 signature")
	r, s = int.from_bytes(raw[:_COORDINATE], "big"), int.from_bytes(raw[_COORDINATE:], "big")
	if not r or not s:
		raise ValueError("zero is no signature")
	return encode_dss_signature(r, s)
