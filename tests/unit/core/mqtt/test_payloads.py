"""Payloads: exactly their shape, or nothing."""

import json

import pytest

from subscriber_tv.core.devices import jws
from subscriber_tv.core.mqtt import payloads

SIGNER = jws.Signer(jws.new_key())
VERIFIER = jws.Verifier(jws.jwks(SIGNER))
NOW = 1_800_000_000


def command(**changes) -> payloads.Command:
	values = {
		"iss": "op",
		"id": "TVC-1",
		"to": "d/AB43H-026001",
		"iat": NOW,
		"exp": NOW + 600,
		"do": "identify",
	}
	return payloads.Command(**(values | changes))


def test_a_hint_is_small_and_comes_back():
	assert payloads.hint(7, 25) == b'{"v":7,"spread":25}'
	document = "A" * 42 + "_"
	assert payloads.hint(7, 25, document) == b'{"v":7,"spread":25,"eh":"%s"}' % document.encode()
	assert len(payloads.hint(2**53, 3600, document)) <= payloads.MAX_HINT
	assert len(payloads.hint(2**53, 3600)) <= payloads.MAX_HINT
	assert payloads.read_hint(payloads.hint(7, 25)) == payloads.Hint(7, 25)


@pytest.mark.parametrize(
	"payload",
	[
		b"",
		b"{}",
		b'{"v":1}',
		b'{"v":-1,"spread":0}',
		b'{"v":1,"spread":3601}',
		b'{"v":"1","spread":0}',
		b'{"v":1.5,"spread":0}',
		b'{"v":1,"spread":0,"lease":"x"}',
		b'{"v":1,"spread":0}' + b" " * 100,
		b"\xff\xfe",
		b"[" * 90,
	],
)
def test_what_is_no_hint_is_refused(payload):
	with pytest.raises(payloads.BadPayload):
		payloads.read_hint(payload)


def test_a_hint_out_of_range_is_never_made():
	for version, spread in ((-1, 0), (1, 3601), (2**60, 0)):
		with pytest.raises(payloads.BadPayload):
			payloads.hint(version, spread)


def test_a_signed_command_comes_back():
	found = command(do="message", text=payloads.Texts("Bonjour", "Hello"), spread=12)
	assert payloads.read_command(payloads.sign_command(found, SIGNER), VERIFIER) == found


def test_the_longest_message_fits():
	text = payloads.Texts("é" * payloads.MAX_TEXT, "€" * payloads.MAX_TEXT)
	token = payloads.sign_command(command(do="message", text=text), SIGNER)
	assert len(token) <= jws.MAX_TOKEN[jws.COMMAND] < payloads.MAX_PACKET


@pytest.mark.parametrize(
	"changes",
	[
		{"exp": NOW + payloads.LONGEST_LIFE + 1},
		{"do": "format"},
		{"id": "TVC 1"},
		{"id": "x" * 41},
		{"spread": 3601},
		{"text": payloads.Texts("x" * 281, "x")},
		{"firmware": "x" * 33},
	],
)
def test_a_command_beyond_a_limit_is_not_signed(changes):
	with pytest.raises(payloads.BadPayload):
		payloads.sign_command(command(**changes), SIGNER)


def test_only_the_operators_signature_of_a_command_counts():
	stranger = jws.Signer(jws.new_key(), SIGNER.kid)
	genuine = payloads.sign_command(command(), SIGNER)
	claims = jws.unverified_claims(genuine.decode())
	header, _, signature = genuine.decode().split(".")
	other = jws.b64url(claims.replace(b"identify", b"update  "))
	for payload in (
		payloads.sign_command(command(), stranger),
		SIGNER.sign(jws.LEASE, claims).encode(),
		f"{header}.{other}.{signature}".encode(),
		claims,
		genuine[:-4],
		b"\xff" + genuine,
		b"x" * 5000,
	):
		with pytest.raises(payloads.BadPayload):
			payloads.read_command(payload, VERIFIER)


def test_signed_nonsense_is_refused_too():
	for claims in (b"{}", json.dumps({"do": "identify"}).encode(), b"[]"):
		with pytest.raises(payloads.BadPayload):
			payloads.read_command(SIGNER.sign(jws.COMMAND, claims).encode(), VERIFIER)


def test_acknowledgements():
	payload = payloads.acknowledgement("TVC-1", payloads.DONE)
	assert payloads.read_acknowledgement(payload) == payloads.Acknowledgement("TVC-1", "done")
	for bad in (b'{"id":"TVC-1","s":"maybe"}', b'{"id":"a b","s":"done"}', payload + b" " * 200):
		with pytest.raises(payloads.BadPayload):
			payloads.read_acknowledgement(bad)


def test_a_tv_is_online_offline_or_not_understood():
	assert payloads.read_state(b"online") and not payloads.read_state(b"offline")
	for bad in (b"", b"Online", b"online ", b"1"):
		with pytest.raises(payloads.BadPayload):
			payloads.read_state(bad)


def test_a_heartbeat_keeps_what_was_asked_for():
	assert payloads.read_heartbeat(b'{"temp":"41","secret":"x","fw":"3.21"}') == {"temp": "41", "fw": "3.21"}
	for bad in (b'{"temp":41}', b'{"temp":"' + b"4" * 33 + b'"}', b'{"temp":"4"}' + b" " * 2048, b"[]"):
		with pytest.raises(payloads.BadPayload):
			payloads.read_heartbeat(bad)
