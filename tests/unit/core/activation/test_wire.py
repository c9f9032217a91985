"""Answers, and what surrounds a request, whoever answers."""

import hashlib
import json

import pytest

from subscriber_tv.core.devices import wire
from subscriber_tv.core.devices.jws import b64url

CREDENTIAL = b64url(bytes(range(32)))


@pytest.mark.parametrize(
	("content_type", "encoding", "length", "status"),
	[
		("application/json", None, 10, None),
		("Application/JSON; charset=UTF-8", "identity", 4096, None),
		("application/json", None, 4097, 413),
		("text/plain", None, 10, 415),
		(None, None, 10, 415),
		("application/json; charset=utf-16", None, 10, 415),
		("application/json", "gzip", 10, 415),
	],
)
def test_headers(content_type, encoding, length, status):
	refused = wire.check_content(content_type, encoding, length)
	assert (refused.status if refused else None) == status


def test_fingerprint_is_the_hash_of_the_secret_bytes():
	assert wire.key_fingerprint(CREDENTIAL) == b64url(hashlib.sha256(bytes(range(32))).digest())


def test_a_credential_with_stray_bits_matches_nothing():
	assert wire.key_fingerprint("A" * 42 + "B") != wire.key_fingerprint("A" * 43)


def test_refusals_are_json_and_never_stored():
	for refusal in (wire.STRANGER, wire.INVALID_REQUEST, wire.TOO_LARGE, wire.UNAVAILABLE, wire.RATE_LIMITED):
		assert set(json.loads(refusal.body)) == {"error", "error_description"}
		assert ("Cache-Control", "no-store") in refusal.headers


def test_a_mac_is_a_header_of_its_own():
	answer = wire.encode(wire.Conflict("replayed", "", "n", "c", "1"))
	assert answer.under("m" * 43).all_headers() == (*answer.headers, ("X-TV-MAC", "m" * 43))
	assert answer.under("m" * 43).plus(("A", "b")).mac == "m" * 43
	assert answer.all_headers() == answer.headers
