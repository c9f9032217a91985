"""Masters and keys: what is valid, and that nothing depends on what should not matter."""

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriber_tv.core.devices import jws, mac

KEYS = {1: bytes(range(32)), 2: bytes(range(32, 64)), 3: bytes(range(64, 96))}


def test_the_newest_two_epochs_are_valid():
	masters = mac.Masters(KEYS)
	assert (masters.current, masters.valid) == (3, (3, 2))
	assert [masters.knows(epoch) for epoch in ("1", "2", "3", "4", "03", "")] == [
		False,
		True,
		True,
		False,
		False,
		False,
	]
	assert mac.Masters({1: KEYS[1], 3: KEYS[3]}).valid == (3,)


def test_masters_come_back_from_their_file():
	assert mac.read_masters(mac.write_masters(KEYS)) == mac.Masters(KEYS)


@pytest.mark.parametrize(
	"document",
	[
		b"",
		b"[]",
		b"{}",
		b"null",
		b'{"1":"short"}',
		b'{"0":"%s"}' % jws.b64url(KEYS[1]).encode(),
		b'{"one":"%s"}' % jws.b64url(KEYS[1]).encode(),
		b'{"1":5}',
		b"\xff",
	],
)
def test_what_is_no_file_of_masters(document):
	with pytest.raises(mac.BadMasters) as refusal:
		mac.read_masters(document)
	assert jws.b64url(KEYS[1]) not in str(refusal.value)


def test_a_key_depends_on_all_that_it_is_of():
	found = {
		mac.tv_key(master, serial, thumbprint)
		for master in KEYS.values()
		for serial in ("LG55-000001", "LG55-000002")
		for thumbprint in ("A" * 43, "B" * 43)
	}
	assert len(found) == 12


@given(st.permutations(["up", "temp", "err", "rssi"]))
def test_a_heartbeat_may_tell_in_any_order(order):
	told = dict.fromkeys(order, "1")
	expected = mac.of_heartbeat(
		bytes(32), "south", "TV-1", "1", "1", "n", {"err": "1", "rssi": "1", "temp": "1", "up": "1"}.items()
	)
	assert mac.of_heartbeat(bytes(32), "south", "TV-1", "1", "1", "n", told.items()) == expected


@given(st.binary(min_size=32, max_size=32))
def test_the_fast_spelling_is_the_spelling(digest):
	assert mac.b64_mac(digest) == jws.b64url(digest)


@given(st.binary(max_size=64), st.lists(st.binary(max_size=300), max_size=3))
def test_a_kept_key_gives_what_hmac_gives(key, messages):
	kept = mac.Keyed(key)
	for message in messages:
		assert kept.digest(message) == hmac.digest(key, message, "sha256")


def test_masters_give_the_same_key_as_their_epoch():
	masters = mac.Masters(KEYS)
	assert masters.of("3", "LG55-000001", "A" * 43) == mac.tv_key(KEYS[3], "LG55-000001", "A" * 43)
	assert masters.of("1", "LG55-000001", "A" * 43) == mac.tv_key(bytes(32), "LG55-000001", "A" * 43)
