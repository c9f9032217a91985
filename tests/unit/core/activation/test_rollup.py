"""Counting stays bounded: what an attacker can vary is never part of a key."""

from hypothesis import given
from hypothesis import strategies as st

from subscriber_tv.core.activation.decide import ALLOW, DENY, STRANGER, UNAVAILABLE, Decision, Row
from subscriber_tv.core.activation.rollup import bucket, network_of

NOW = 1_800_000_000
ROW = Row("LG55-000001", "k", "Active", 1, 0, "l", 2, "d", (), 86_400, 7)


def key(decision, *, audience="desk", address="192.0.2.7", now=NOW):
	return bucket(decision, audience=audience, address=address, now=now)


def test_allowed_counts_per_tv_audience_and_day():
	first = key(Decision(ALLOW, row=ROW))
	assert first.key == "A|LG55-000001|desk|2027-01-15"
	assert key(Decision(ALLOW, row=ROW), now=NOW + 60, address="198.51.100.1").key == first.key
	assert key(Decision(ALLOW, row=ROW), audience="edge-1").key != first.key
	assert key(Decision(ALLOW, row=ROW), now=NOW + 86_400).key != first.key


def test_refusals_count_per_code_and_version_of_rights():
	refused = key(Decision(DENY, "suspended", ROW))
	assert (refused.key, refused.kind, refused.serial) == (
		"R|LG55-000001|2027-01-15|suspended|7",
		"Refused",
		"LG55-000001",
	)
	assert key(Decision(DENY, "ended", ROW)).key != refused.key
	assert key(Decision(UNAVAILABLE, "lease_expired", ROW)).kind == "Refused"


def test_strangers_count_per_reason_network_and_hour():
	stranger = key(Decision(STRANGER, "unknown_serial"))
	assert stranger.key == "S|unknown_serial|192.0.2.0/24|2027-01-15T08"
	assert stranger.serial == ""
	assert key(Decision(STRANGER, "unknown_serial"), address="192.0.2.250", now=NOW + 60).key == stranger.key
	assert key(Decision(STRANGER, "unknown_serial"), now=NOW + 3600).key != stranger.key


def test_networks():
	assert network_of("2001:db8:1:2:3::4") == "2001:db8:1::/48"
	assert network_of("::ffff:192.0.2.9") == "192.0.2.0/24"
	assert network_of("fe80::1%eth0") == "fe80::/48"
	assert network_of("") == network_of("a|b") == "unknown"


@given(st.text(max_size=60))
def test_any_address_has_a_network(address):
	assert (
		len(bucket(Decision(STRANGER, "unknown_serial"), audience="desk", address=address, now=NOW).key) < 140
	)
