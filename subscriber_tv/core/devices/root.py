"""The root key: kept offline, its public half built into TVs, it signs the set of keys that the operator signs with.

A key set that travels with its signature is an ordinary JWKS (RFC 7517) with two more members: `signed`, a token of type
tv-jwks+jwt with the claims iat, exp and keys, and `root`, the public half. Who knows the root believes the token and nothing
beside it; `root` is for what has none built in and learns it when it is paired, as the TV page does.
"""

from __future__ import annotations

import json
from typing import Any

from subscriber_tv.core.devices import jws

DAY = 86_400


class Untrusted(Exception):
	"""The key set is not one that the root signed, or its time is over."""


def sign_keys(key_set: dict[str, Any], root: jws.Signer, now: int, days: int) -> dict[str, Any]:
	"""The key set with the root's signature, good for so many days from `now` (epoch seconds UTC)."""
	keys = key_set["keys"]
	claims = json.dumps({"iat": now, "exp": now + days * DAY, "keys": keys}, separators=(",", ":"))
	return {"keys": keys, "signed": root.sign(jws.KEYS, claims.encode()), "root": root.jwk}


def trusted_keys(key_set: dict[str, Any], root: dict[str, str], now: int) -> dict[str, Any]:
	"""The keys that the root vouches for at `now`. Errors: Untrusted."""
	try:
		verifier = jws.Verifier({"keys": [root]})
		claims = json.loads(verifier.verify(jws.KEYS, key_set.get("signed", "")))
		if not claims["iat"] <= now + 300 or now >= claims["exp"]:
			raise Untrusted("the signature of the operator's keys is not of this time")
		return {"keys": claims["keys"]}
	except (jws.BadSignature, ValueError, KeyError, TypeError):
		raise Untrusted("the operator's keys are not signed by the root") from None
