"""Every usual attack on signed tokens, by name: for a genuine token, what a forger would send in its place.

The forger may be stronger than life: where it says so, the genuine key itself signs the forged header, so that only the
header gives the forgery away.
"""

import base64
import hmac
import json
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from subscriber_tv.core.devices import jws
from subscriber_tv.core.devices.jws import b64url, b64url_decode

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
PRIME = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
NONE = ("none", "None", "NONE", "nOnE", "", "none ", None, [], ["none"], 0)
OTHER_ALGORITHMS = (
	"ES384",
	"ES512",
	"ES256K",
	"RS256",
	"PS256",
	"EdDSA",
	"Ed25519",
	"es256",
	"ES256 ",
	"HS256",
)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@dataclass
class Genuine:
	"""A key and a token that it signed for one use."""

	pem: bytes
	typ: str
	claims: bytes

	def __post_init__(self):
		self.signer = jws.Signer(self.pem)
		self.token = self.signer.sign(self.typ, self.claims)
		self.header, self.body, self.signature = self.token.split(".")

	@property
	def fields(self):
		return {"alg": "ES256", "typ": self.typ, "kid": self.signer.kid}

	@property
	def raw(self):
		return b64url_decode(self.signature)

	def signs(self, header: bytes, body: str = "") -> str:
		"""A token with this very header, signed by the genuine key."""
		return signed_by(self.pem, header, body or self.body)

	def ends(self, signature: bytes | str) -> str:
		"""The genuine token with another signature."""
		text = signature if isinstance(signature, str) else b64url(signature)
		return f"{self.header}.{self.body}.{text}"


def signed_by(pem: bytes, header: bytes, body: str) -> str:
	signed = f"{b64url(header)}.{body}".encode()
	der = serialization.load_pem_private_key(pem, None).sign(signed, ec.ECDSA(hashes.SHA256()))
	return f"{signed.decode()}.{b64url(raw_of(der))}"


def raw_of(der: bytes) -> bytes:
	from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

	return raw(*decode_dss_signature(der))


def raw(r: int, s: int, size: int = 32) -> bytes:
	return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def text(document) -> bytes:
	return json.dumps(document, separators=(",", ":")).encode()


def attacks(genuine: Genuine) -> dict[str, str]:
	"""The forgeries by name. None of them may be taken for the genuine token."""
	return {
		**_no_algorithm(genuine),
		**_confused(genuine),
		**_headers(genuine),
		**_signatures(genuine),
		**_spellings(genuine),
		**_pieces(genuine),
	}


def malleated(genuine: Genuine) -> str:
	"""The other signature (r, n - s) that anybody can make of a genuine one."""
	r, s = (int.from_bytes(part, "big") for part in (genuine.raw[:32], genuine.raw[32:]))
	return genuine.ends(raw(r, ORDER - s))


def _no_algorithm(genuine):
	found = {}
	for name in NONE:
		header = text({**genuine.fields, "alg": name})
		found[f"alg {name!r}, no signature"] = f"{b64url(header)}.{genuine.body}."
		found[f"alg {name!r}, two parts"] = f"{b64url(header)}.{genuine.body}"
		found[f"alg {name!r}, its signature kept"] = f"{b64url(header)}.{genuine.body}.{genuine.signature}"
		found[f"alg {name!r}, signed by the key itself"] = genuine.signs(header)
	without = {name: value for name, value in genuine.fields.items() if name != "alg"}
	return {**found, "no alg, signed by the key itself": genuine.signs(text(without))}


def _confused(genuine):
	"""What is public of the key, used as the secret of an HMAC."""
	found = {}
	public = serialization.load_pem_private_key(genuine.pem, None).public_key()
	kinds, formats = serialization.Encoding, serialization.PublicFormat
	point = public.public_bytes(kinds.X962, formats.UncompressedPoint)
	secrets = {
		"PEM": public.public_bytes(kinds.PEM, formats.SubjectPublicKeyInfo),
		"PEM without its last newline": public.public_bytes(kinds.PEM, formats.SubjectPublicKeyInfo).strip(),
		"DER": public.public_bytes(kinds.DER, formats.SubjectPublicKeyInfo),
		"point": point,
		"x and y": point[1:],
		"compressed point": public.public_bytes(kinds.X962, formats.CompressedPoint),
		"JWK": text(genuine.signer.jwk),
		"thumbprint": genuine.signer.kid.encode(),
		"nothing": b"",
	}
	for name, secret in secrets.items():
		for digest in ("sha256", "sha384", "sha512"):
			header = b64url(text({**genuine.fields, "alg": "HS" + digest[3:]}))
			mac = hmac.digest(secret, f"{header}.{genuine.body}".encode(), digest)
			found[f"HS{digest[3:]}, the secret is the {name}"] = f"{header}.{genuine.body}.{b64url(mac)}"
		for digest in ("sha256", "sha512"):
			mac = hmac.digest(secret, f"{genuine.header}.{genuine.body}".encode(), digest)
			found[f"our header over {digest} of the {name}"] = genuine.ends(mac)
	return found


def _headers(genuine):
	"""Signed by the genuine key, or by a stranger's that the header brings along."""
	stranger = jws.new_key()
	own = jws.Signer(stranger).jwk
	more = {
		"crit": {"crit": ["exp"], "exp": 1},
		"crit, empty": {"crit": []},
		"b64 false": {"crit": ["b64"], "b64": False},
		"b64 false without crit": {"b64": False},
		"jku": {"jku": "https://evil.example/keys"},
		"jwk": {"jwk": own},
		"x5u": {"x5u": "https://evil.example/chain"},
		"x5c": {"x5c": ["MIIB"]},
		"x5t": {"x5t": "A" * 27},
		"zip": {"zip": "DEF"},
		"enc": {"enc": "A128GCM"},
		"cty": {"cty": "JWT"},
		"kid is a path": {"kid": "../../../../dev/null"},
		"kid is SQL": {"kid": "' or 1=1 --"},
		"kid is a list": {"kid": [genuine.signer.kid]},
		"kid is null": {"kid": None},
		"kid of the stranger": {"kid": own["kid"]},
		"typ JWT": {"typ": "JWT"},
		"typ in capitals": {"typ": genuine.typ.upper()},
		"typ with its prefix": {"typ": f"application/{genuine.typ}"},
	}
	found = {}
	for name, fields in more.items():
		header = text({**genuine.fields, **fields})
		found[f"{name}, signed by the key itself"] = genuine.signs(header)
		found[f"{name}, signed by a stranger"] = signed_by(stranger, header, genuine.body)
	for algorithm in OTHER_ALGORITHMS:
		found[f"alg {algorithm}, signed by the key itself"] = genuine.signs(
			text({**genuine.fields, "alg": algorithm})
		)
	plain = text(genuine.fields)
	spelled = {
		"another order": text(dict(reversed(genuine.fields.items()))),
		"spaces": json.dumps(genuine.fields).encode(),
		"a newline at its end": plain + b"\n",
		"a byte order mark": b"\xef\xbb\xbf" + plain,
		"an escape in a name": plain.replace(b'"alg"', b'"\\u0061lg"'),
		"an escape in a value": plain.replace(b"ES256", b"\\u0045S256"),
		"alg twice, none first": b'{"alg":"none",' + plain[1:],
		"alg twice, none last": plain[:-1] + b',"alg":"none"}',
		"kid twice": plain[:-1] + b',"kid":"x"}',
		"two objects": plain + b"{}",
		"a list": b"[" + plain + b"]",
		"nothing": b"",
		"an empty object": b"{}",
		"a NUL at its end": plain + b"\x00",
		"UTF-16": plain.decode().encode("utf-16"),
	}
	found |= {
		f"a header with {name}, signed by the key itself": genuine.signs(header)
		for name, header in spelled.items()
	}
	return {**found, "another key under its name": signed_by(stranger, plain, genuine.body)}


def _signatures(genuine):
	r, s = (int.from_bytes(part, "big") for part in (genuine.raw[:32], genuine.raw[32:]))
	numbers = {
		"r and s are zero": (0, 0),
		"r is zero": (0, s),
		"s is zero": (r, 0),
		"r is one, s is zero": (1, 0),
		"r and s are one": (1, 1),
		"r is the order": (ORDER, s),
		"s is the order": (r, ORDER),
		"r and s are the order": (ORDER, ORDER),
		"s is the order and one": (r, ORDER + 1),
		"r and s are the order less one": (ORDER - 1, ORDER - 1),
		"r is the prime": (PRIME, s),
		"r and s are as large as can be": (2**256 - 1, 2**256 - 1),
		"r and s swapped": (s, r),
		"s is one more": (r, (s + 1) % ORDER),
		"r negated": (ORDER - r, s),
	}
	found = {name: genuine.ends(raw(*pair)) for name, pair in numbers.items()}
	long = {
		"r + n": (r + ORDER, s),
		"s + n": (r, s + ORDER),
		"both + n": (r + ORDER, s + ORDER),
		"a zero before": (r, s),
	}
	found |= {f"33 bytes each, {name}": genuine.ends(raw(*pair, size=33)) for name, pair in long.items()}
	found["DER"] = genuine.ends(encode_dss_signature(r, s))
	found["DER of zeros"] = genuine.ends(encode_dss_signature(0, 0))
	found["ASN.1 with a negative s"] = genuine.ends(encode_dss_signature(r, s)[:-1] + b"\xff")
	for size in (0, 1, 32, 63, 65, 96, 128, 132):
		found[f"{size} bytes"] = genuine.ends((genuine.raw * 3)[:size])
	point = b64url_decode(genuine.signer.point)
	return {**found, "the public key as signature": genuine.ends(point)}


def _spellings(genuine):
	"""The same bytes in another spelling than the one canonical one."""
	header, body, signature = genuine.header, genuine.body, genuine.signature
	found = {
		"padding": genuine.token + "==",
		"padding on each part": ".".join(part + "=" * (-len(part) % 4) for part in (header, body, signature))
		+ "=",
		"a newline after it": genuine.token + "\n",
		"a space before it": " " + genuine.token,
		"a NUL after it": genuine.token + "\x00",
		"the other alphabet": f"{header}.{body}."
		+ base64.b64encode(b"\xfb\xff" + genuine.raw[2:]).decode().rstrip("="),
		"letters outside the alphabet": f"{header}.{body}.{signature[:40]}*{signature[40:]}",
		"line breaks inside": f"{header}.{body}.{signature[:43]}\r\n{signature[43:]}",
		"percent signs": genuine.token.replace(".", "%2E"),
		"a full-width letter": genuine.token[:-1] + chr(0xFF21 + 3),
		"an ideographic full stop": genuine.token.replace(".", "\u3002"),
		"a letter that folds to ASCII": genuine.token.replace("k", "\u212a", 1)
		if "k" in genuine.token
		else "\u212a",
		"a surrogate": genuine.token + "\ud800",
	}
	for name, part in (("header", header), ("claims", body), ("signature", signature)):
		if len(part) % 4:
			stray = part[:-1] + ALPHABET[ALPHABET.index(part[-1]) ^ 1]
			found[f"stray bits in the {name}"] = genuine.token.replace(part, stray)
	return found


def _pieces(genuine):
	header, body, signature = genuine.header, genuine.body, genuine.signature
	other = genuine.signer.sign(genuine.typ, genuine.claims[:-1] + b" }")
	found = {
		"nothing": "",
		"dots": "..",
		"one part": header,
		"no header": f".{body}.{signature}",
		"no claims": f"{header}..{signature}",
		"no signature": f"{header}.{body}.",
		"two parts": f"{header}.{body}",
		"four parts": f"{genuine.token}.{signature}",
		"a dot after it": genuine.token + ".",
		"a dot before it": "." + genuine.token,
		"two dots": genuine.token.replace(".", ".."),
		"five parts, as encrypted": f"{header}.a.b.c.{signature}",
		"itself twice": genuine.token + genuine.token,
		"claims of another token": f"{header}.{other.split('.')[1]}.{signature}",
		"signature of another token": genuine.ends(other.split(".")[2]),
		"claims not encoded": f"{header}.{genuine.claims.decode()}.{signature}",
		"claims not encoded, signed by the key itself": genuine.signs(
			text(genuine.fields), genuine.claims.decode()
		),
		"flattened JSON": text({"protected": header, "payload": body, "signature": signature}).decode(),
		"general JSON": text(
			{"payload": body, "signatures": [{"protected": header, "signature": signature}]}
		).decode(),
		"oversize": f"{header}.{body * (262_144 // len(body) + 1)}.{signature}",
		"oversize, signed by the key itself": genuine.signs(text(genuine.fields), "QUJD" * 65_600),
	}
	for cut in (1, 2, 10, 43, 85, 86, 87):
		found[f"{cut} letters short"] = genuine.token[:-cut]
	return found
