"""Requests of protocol v1 are taken in one form only, whatever a TV or somebody else sends."""

import json
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from protocol_case import PARTS, PaperTv, spelled

from subscriber_tv.core.devices import jws, requests, wire

TV = PaperTv()
HASH = jws.b64url(bytes(range(32)))
GOOD = {
	"auth": json.loads(TV.auth(t="1800000000")),
	"heartbeat": json.loads(TV.heartbeat(up="1", temp="-4.5", err="a/b", rssi="-61", fw="3.21", ch="TF1")),
	"stream": json.loads(TV.stream("start")),
	"challenge": {"d": TV.serial, "aud": "desk"},
	"assertion": json.loads(TV.assertion(HASH)),
	"enrol": {
		"serial": TV.serial,
		"key": HASH,
		"f": PARTS,
		"firmware": "3.21",
		"model": "LG 55UT640S (2024)",
	},
	"token": {"grant_type": requests.DEVICE_CODE, "device_code": HASH, "credential": HASH},
}
READ = {name: getattr(requests, name) for name in GOOD}
OPTIONAL = {"t", "aud", "up", "temp", "err", "rssi", "fw", "ch"}


@pytest.mark.parametrize("name", GOOD)
def test_the_one_form_in_any_order_and_spacing(name):
	read, document = READ[name], GOOD[name]
	assert read(spelled(document)) == read(json.dumps(dict(reversed(document.items())), indent=2).encode())


def test_a_model_may_be_called_as_a_field_is():
	assert requests.enrol(spelled({**GOOD["enrol"], "model": "a"})).model == "a"


@pytest.mark.parametrize("name", GOOD)
def test_what_every_request_refuses(name):
	document = GOOD[name]
	first = next(iter(document))
	bad = [
		b"",
		b"null",
		b"[]",
		spelled(document)[:-1],
		spelled(document) + b"{}",
		b"\xef\xbb\xbf" + spelled(document),
		b"\x00" + spelled(document),
		b" " * 4096,
		b"[" * 4000,
		b'{"a":' * 800,
		spelled({**document, "admin": "1"}),
		spelled({**document, first: None}),
		spelled({**document, first: 12345678}),
		spelled({**document, first: [document[first]]}),
		spelled({**document, first: {"$ne": ""}}),
		spelled({**document, first: document[first] + "\n"}),
		spelled({**document, first: "' OR 1=1; --"}),
		spelled({**document, first: "x" * 5000}),
		json.dumps({**document, first: "ＬＧ５５-０００００１"}, ensure_ascii=False).encode(),
		spelled(document)[:-1] + f',"{first}":"{document[first]}"}}'.encode(),
		spelled(document).replace(document[first][:1].encode(), b"\\u00%02x" % ord(document[first][0]), 1),
	]
	bad += [
		spelled({k: v for k, v in document.items() if k != key}) for key in document if key not in OPTIONAL
	]
	for body in bad:
		with pytest.raises(wire.InvalidRequest):
			READ[name](body)


@pytest.mark.parametrize(
	("field", "values"),
	[
		("d", ["ABC12", "A" * 33, "lg55-000001", "LG55_000001", "LG55-٠٠٠٠٠١", ""]),
		("e", ["0", "01", "-1", "+1", "1234567890", "1.0", "٣", ""]),
		("c", ["0", "01", "-1", "12345678901234567", "1e3", ""]),
		("n", ["A" * 21, "A" * 23, "A" * 21 + "=", "A" * 21 + "+"]),
		("f", ["A" * 42, "A" * 44, "A" * 42 + "="]),
		("m", ["A" * 42, "A" * 44, "/" * 43]),
		("t", ["0", "now", "123456789012", "-1"]),
	],
)
def test_shapes(field, values):
	for value in values:
		with pytest.raises(wire.InvalidRequest):
			requests.auth(spelled({**GOOD["auth"], field: value}))


@pytest.mark.parametrize("told", ["", "a" * 33, "a\nb=c", "a=b", 'a"b', "é"])
def test_what_a_heartbeat_may_not_say(told):
	with pytest.raises(wire.InvalidRequest):
		requests.heartbeat(spelled({**GOOD["heartbeat"], "up": told}))


def test_an_unknown_stream_operation():
	with pytest.raises(wire.InvalidRequest):
		requests.stream(spelled({**GOOD["stream"], "o": "pause"}))


def test_the_serial_of_what_was_answered():
	for name in ("auth", "heartbeat", "stream", "assertion", "enrol"):
		assert requests.serial_in(spelled(GOOD[name])) == TV.serial
	assert requests.serial_in(b"{}") == requests.serial_in(spelled(GOOD["token"])) == ""


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_in_one_way(data):
	for read in READ.values():
		with pytest.raises(wire.InvalidRequest):
			read(data)


@given(
	st.dictionaries(
		st.sampled_from(["d", "e", "c", "n", "f", "m", "a", "serial", "credential"]),
		st.one_of(st.text(max_size=50), st.integers(), st.none(), st.just(TV.serial), st.just(HASH)),
	)
)
def test_any_object_is_read_or_refused(document):
	for read in READ.values():
		try:
			read(json.dumps(document).encode())
		except wire.InvalidRequest:
			continue
		assert all(isinstance(value, str) for value in document.values())


_KINDS = {"auth": requests.Auth, "heartbeat": requests.Heartbeat, "stream": requests.StreamSlot}
# Pieces of values that are nearly right, with the end of a line that parts values where they are checked.
_pieces = st.lists(
	st.sampled_from(
		["A" * 21, "A" * 22, "A" * 43, "1", "0", "ABC123", "start", "TF1", "\n", " ", ".", "é", "\r"]
	),
	max_size=3,
).map("".join)


@given(st.sampled_from(sorted(_KINDS)), st.data())
def test_the_one_pattern_takes_just_what_the_fields_patterns_take(name, data):
	changed = {
		key: data.draw(_pieces) for key in data.draw(st.sets(st.sampled_from(sorted(GOOD[name])), max_size=3))
	}
	dropped = data.draw(st.sets(st.sampled_from(sorted(GOOD[name])), max_size=2))
	document = {key: value for key, value in {**GOOD[name], **changed}.items() if key not in dropped}
	# Spelled raw: escapes are refused anyhow, so the end of a line stands in the string as it is.
	body = ("{" + ",".join(f'"{key}":"{value}"' for key, value in document.items()) + "}").encode()
	try:
		expected = msgspec.json.decode(body, type=_KINDS[name])
	except msgspec.MsgspecError:
		with pytest.raises(wire.InvalidRequest):
			READ[name](body)
	else:
		found = READ[name](body)
		assert isinstance(found, _KINDS[name])
		assert msgspec.to_builtins(found) == msgspec.to_builtins(expected)


@pytest.mark.parametrize("name", sorted(_KINDS))
def test_the_end_of_a_line_moves_no_value_into_the_next_field(name):
	fields = list(GOOD[name])
	for one, other in pairwise(fields):
		document = {**GOOD[name], one: f"{GOOD[name][one]}\n{GOOD[name][other]}"}
		for kept in (document, {key: value for key, value in document.items() if key != other}):
			body = ("{" + ",".join(f'"{key}":"{value}"' for key, value in kept.items()) + "}").encode()
			with pytest.raises(wire.InvalidRequest):
				READ[name](body)
