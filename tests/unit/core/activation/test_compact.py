"""A row in few bytes gives back every byte that was signed, and a file written long ago is still read."""

import hashlib
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from subscriber_tv.core.activation import compact, decide, feed, projection, signing, streams
from subscriber_tv.core.activation.projection import Unsigned
from subscriber_tv.core.devices import jws, wire
from subscriber_tv.core.devices.jws import b64url

NOW = 1_800_000_000
WEEK = 7 * 86_400
SIGNER = jws.Signer(jws.key_of_number(11), repeatable=True)
TV_KEY = jws.Signer(jws.key_of_number(13))
SERIAL = "LG55-000001"
PARTS = b64url(bytes(range(32)))
TV = Unsigned(
	feed.DEVICE,
	SERIAL,
	"",
	subscription="TVS-1",
	state="Active",
	key_hash=TV_KEY.kid,
	rights_from=NOW - 86_400,
	rights_until=NOW + 30 * 86_400,
	offers=("HOTEL-V1", "SPORT-V2"),
	play_seconds=86_400,
	denial_code="ended",
	key=TV_KEY.point,
	fp=PARTS,
	account=streams.account_of("TVS-1"),
	streams=2,
)


def signed(row=TV, issuer="operator", seq=77, broker=False):
	return projection.sign(row, SIGNER, NOW, WEEK, issuer, 9, has_broker=broker).entry.numbered(seq)


SHAPES = {
	"with a key, parts, streams, an end": TV,
	"open": replace(TV, rights_until=0, denial_code=""),
	"without a key store": replace(TV, key="", key_hash=wire.key_fingerprint(b64url(bytes(32)))),
	"no parts, no limit": replace(TV, fp="", streams=0),
	"suspended": replace(TV, state="Suspended", rights_from=0, rights_until=0, denial_code="suspended"),
	"not started": replace(TV, state="Not Started", rights_from=NOW + 5, denial_code="not_started"),
	"quarantined": replace(TV, state="Quarantined", rights_from=0, offers=(), denial_code="quarantined"),
}


@pytest.mark.parametrize("row", SHAPES.values(), ids=SHAPES.keys())
def test_every_kind_of_row_comes_back_to_the_byte(row):
	entry = signed(row)
	packed = compact.pack(entry)
	assert packed[:1] == compact.FIRST
	assert compact.entry(SERIAL, packed) == entry
	assert compact.row(SERIAL, packed) == entry.row()
	assert compact.number(packed) == 77


@pytest.mark.parametrize("row", SHAPES.values(), ids=SHAPES.keys())
def test_a_row_signed_in_a_batch_is_the_row_signed_alone(row):
	for broker in (False, True):
		entry = signed(replace(row, lock=12, pin=PARTS), broker=broker)
		said = {"kid": SIGNER.kid, "now": NOW, "expires": entry.expires_at, "issuer": "operator"}
		job = signing.prepare(replace(row, lock=12, pin=PARTS), version=9, seq=77, has_broker=broker, **said)
		assert signing.rows_of(signing.sign_batch(signing.batch([job]), SIGNER)) == [compact.pack(entry)]


def test_a_row_with_lease_and_key_takes_a_third_of_what_was_signed():
	entry = signed(replace(TV, rights_until=0, denial_code=""))
	assert len(compact.pack(entry)) < 330 < 900 < len(msgspec.json.encode(entry))


@given(
	issuer=st.text(max_size=20),
	offers=st.lists(st.text(min_size=1, max_size=12), max_size=3),
	limit=st.integers(0, 5),
	until=st.integers(0, 2**40),
	subscription=st.text(min_size=1, max_size=12),
	lock=st.sampled_from((0, 10, 18)),
	broker=st.booleans(),
	pin=st.sampled_from(("", PARTS)),
)
def test_whatever_a_row_says(issuer, offers, limit, until, subscription, lock, broker, pin):
	row = replace(TV, offers=tuple(offers), streams=limit, account=streams.account_of(subscription))
	row = replace(row, lock=lock, pin=pin)
	row = replace(row, rights_until=until, denial_code="ended" if until else "")
	entry = signed(row, issuer, broker=broker)
	packed = compact.pack(entry)
	assert packed[:1] == compact.FIRST
	assert compact.entry(SERIAL, packed) == entry
	assert compact.row(SERIAL, packed) == entry.row()


def test_a_row_from_before_there_were_locks_is_read():
	packed = msgspec.msgpack.decode(compact.pack(signed())[1:])
	before = compact.FIRST + msgspec.msgpack.encode(packed[:-3])
	assert compact.entry(SERIAL, before) == signed()


def with_token(**claims):
	entry = signed()
	said = {**json.loads(jws.unverified_claims(entry.lease)), **claims}
	return msgspec.structs.replace(entry, lease=SIGNER.sign(jws.LEASE, json.dumps(said).encode()))


OTHERWISE = {
	"a claim more": with_token(grace=5),
	"a claim less": with_token(cnf=None),
	"spelled with spaces": with_token(),
	"another version than the row's": msgspec.structs.replace(signed(), version=8),
	"another end than the row's": msgspec.structs.replace(signed(), expires_at=NOW),
	"lease and denial of two moments": msgspec.structs.replace(
		signed(), denial=projection.sign(TV, SIGNER, NOW + 1, WEEK, "operator", 9).entry.denial
	),
	"a key that is no hash": msgspec.structs.replace(signed(), key_hash="short", lease="", denial=""),
	"a stray bit in a key": msgspec.structs.replace(signed(), key="B" * 43),
	"an account of another kind": msgspec.structs.replace(signed(), account="somebody"),
	"a state that nobody knows": msgspec.structs.replace(signed(), state="Asleep"),
	"no token at all": msgspec.structs.replace(signed(), lease="a.b.c"),
	"a text changed since": msgspec.structs.replace(
		signed(),
		denial=SIGNER.sign(
			jws.DENIAL,
			jws.unverified_claims(signed().denial).replace(b"Please contact", b"Please see"),
		),
	),
}


@pytest.mark.parametrize("entry", OTHERWISE.values(), ids=OTHERWISE.keys())
def test_what_is_spelled_otherwise_is_kept_as_it_is(entry):
	packed = compact.pack(entry)
	assert packed[:1] != compact.FIRST
	assert compact.entry(SERIAL, packed) == entry
	assert compact.row(SERIAL, packed) == entry.row()
	assert compact.number(packed) == entry.seq


def test_a_row_of_a_file_from_before_is_read_and_becomes_the_new_one():
	entry = signed()
	before = msgspec.msgpack.encode(entry)
	assert compact.row(SERIAL, before) == entry.row()
	assert (
		compact.newest(SERIAL, before) == compact.pack(entry) == compact.newest(SERIAL, compact.pack(entry))
	)


def test_a_row_on_its_way_says_nothing_twice():
	entry = signed()
	sent = compact.on_its_way(entry)
	assert msgspec.structs.asdict(sent) == {
		**msgspec.structs.asdict(feed.Entry(feed.DEVICE, SERIAL, 77)),
		"packed": compact.pack(entry),
	}
	assert compact.pack(sent) == sent.packed
	gone = feed.Entry(feed.DEVICE, SERIAL, 78, removed=True)
	assert compact.on_its_way(gone) == gone


@pytest.mark.parametrize("packed", [b"", b"\x01", b"\x01\x90", b"\x02abc", b"\x01" + b"\xff" * 40])
def test_what_was_never_packed_is_refused(packed):
	with pytest.raises(msgspec.MsgspecError):
		compact.row(SERIAL, packed)


def test_the_form_is_that_of_files_written_long_ago():
	"""Signatures are deterministic here. Should this fail, files of edges would give leases that nobody signed:
	leave form 1 as it is and add one."""
	entries = [signed(row) for row in SHAPES.values()]
	tokens = "".join(entry.lease + entry.denial for entry in entries)
	packed = b"".join(compact.pack(entry) for entry in entries)
	assert hashlib.sha256(tokens.encode()).hexdigest()[:16] == "8909add54d80e6f5"
	assert hashlib.sha256(packed).hexdigest()[:16] == "2866d57b46bbd176"


def test_a_denial_for_every_reason_can_be_given_back():
	for code in decide.ASK_AGAIN:
		row = replace(TV, rights_from=0, denial_code=code)
		assert compact.pack(signed(row))[:1] == compact.FIRST
