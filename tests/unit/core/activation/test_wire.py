"""Requests are taken in one form only, whatever a TV or somebody else sends."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriber_tv.core.activation import answer
from subscriber_tv.core.devices import wire
from subscriber_tv.core.devices.jws import b64url

CREDENTIAL = b64url(bytes(range(32)))
GOOD = {"serial": "LG55-000001", "credential": CREDENTIAL}


def body(**changes) -> bytes:
	return json.dumps({**GOOD, **changes}).encode()


BAD_BODIES = {
	"empty": b"",
	"not JSON": b"serial=LG55-000001",
	"cut off": body()[:-1],
	"trailing": body() + b"{}",
	"null": b"null",
	"array": b"[]",
	"string": b'"LG55-000001"',
	"no serial": json.dumps({"credential": CREDENTIAL}).encode(),
	"no credential": b'{"serial":"LG55-000001"}',
	"unknown key": body(admin="1"),
	"null nonce": body(n=None),
	"serial is a number": body(serial=12345678),
	"serial is a list": body(serial=["LG55-000001"]),
	"serial is an object": body(serial={"$ne": ""}),
	"serial twice": f'{{"serial":"LG55-000001","serial":"LG55-000002","credential":"{CREDENTIAL}"}}'.encode(),
	"credential twice": body()[:-1] + f',"credential":"{CREDENTIAL}"}}'.encode(),
	"short serial": body(serial="ABC"),
	"long serial": body(serial="A" * 33),
	"lower case": body(serial="lg55-000001"),
	"newline at the end": body(serial="LG55-000001\n"),
	"SQL": body(serial="' OR 1=1; DROP TABLE tabUser; --"),
	"SQL comment": body(serial="LG55-000001'--"),
	"template": body(serial="{{7*7}}"),
	"unicode": json.dumps({**GOOD, "serial": "ＬＧ５５-０００００１"}, ensure_ascii=False).encode(),
	"unicode digits": json.dumps({**GOOD, "serial": "LG55-٠٠٠٠٠١"}, ensure_ascii=False).encode(),
	"right to left": json.dumps({**GOOD, "serial": "\u202eLG55-1"}, ensure_ascii=False).encode(),
	"escapes": body(serial="LG55-00000\u0001"),
	"escaped letter": b'{"serial":"\\u004cG55-000001","credential":"%s"}' % CREDENTIAL.encode(),
	"not UTF-8": b'{"serial":"\xff\xfe\xfa\xfb\xfc\xfd","credential":"x"}',
	"null byte": b"\x00" + body(),
	"byte order mark": b"\xef\xbb\xbf" + body(),
	"short credential": body(credential=CREDENTIAL[:-1]),
	"padded credential": body(credential=CREDENTIAL + "="),
	"standard alphabet": body(credential="+/" * 21 + "+"),
	"deep array": b"[" * 4000,
	"deep value": b'{"serial":' + b"[" * 4000,
	"deep object": b'{"a":' * 800,
	"oversize": body(n="x" * 5000),
	"whitespace only": b" " * 4096,
	"huge number": b"9" * 4000,
	"NaN": b'{"serial":NaN}',
}


@pytest.mark.parametrize("data", BAD_BODIES.values(), ids=BAD_BODIES.keys())
def test_bad_body_is_one_constant_answer(data):
	def no_lookup(_):
		raise AssertionError("a malformed request must not reach the projection")

	given_back = answer.power_on(data, no_lookup, no_lookup, 0)
	assert given_back.answer is wire.INVALID_REQUEST
	with pytest.raises(wire.InvalidRequest):
		wire.parse_enrol(data)


def test_good_body():
	request = wire.parse_power_on(body(n="Zm9v"))
	assert (request.serial, request.credential, request.n) == ("LG55-000001", CREDENTIAL, "Zm9v")


def test_white_space_and_order_do_not_matter():
	spaced = json.dumps(dict(reversed(GOOD.items())), indent=4).encode()
	assert wire.parse_power_on(spaced) == wire.parse_power_on(body())


def test_enrolment():
	request = wire.parse_enrol(
		json.dumps({"serial": "LG55-000001", "key": CREDENTIAL, "model": "LG 55UT640S (2024)"}).encode()
	)
	assert request.model == "LG 55UT640S (2024)"


@given(st.binary(max_size=300))
def test_any_bytes_are_answered(data):
	assert answer.power_on(data, lambda _: None, lambda _: (), 0).answer.status in (400, 401)


@pytest.mark.histories
@given(
	st.dictionaries(
		st.sampled_from(["serial", "credential", "n", "key"]),
		st.one_of(
			st.text(max_size=50), st.integers(), st.none(), st.just("LG55-000001"), st.just(CREDENTIAL)
		),
	)
)
def test_any_object_is_answered(document):
	given_back = answer.power_on(json.dumps(document).encode(), lambda _: None, lambda _: (), 0)
	assert given_back.answer.status in (400, 401)


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
