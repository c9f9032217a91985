"""Pages of the feed: what is not signed by the publisher, byte for byte and in order, is no page."""

import hashlib

import msgspec
import pytest

from subscriber_tv.core.activation import feed
from subscriber_tv.core.devices import jws

SIGNER = jws.Signer(jws.new_key())
VERIFIER = jws.Verifier(jws.jwks(SIGNER))


def entry(seq):
	return feed.Entry("Device", f"LG55-{seq:06}", seq=seq, offers=("HOTEL-V1",), lease="a.b.c")


def page(*numbers, after=0, upto=10):
	return feed.Page(feed.DELTA, after, upto, 1_800_000_000, True, tuple(entry(seq) for seq in numbers))


def test_round_trip():
	body, signature = feed.encode_page(page(3, 7), SIGNER)
	assert feed.decode_page(body, signature, VERIFIER) == page(3, 7)
	assert body.startswith(b'{"kind":"delta","from":0,"to":10,"as_of":1800000000')


def test_a_changed_byte():
	body, signature = feed.encode_page(page(3), SIGNER)
	with pytest.raises(feed.BadPage, match="signed"):
		feed.decode_page(body.replace(b"LG55-000003", b"LG55-000004"), signature, VERIFIER)


def test_another_key_or_another_type():
	body, _ = feed.encode_page(page(3), SIGNER)
	_, foreign = feed.encode_page(page(3), jws.Signer(jws.new_key()))
	for signature in (foreign, "", SIGNER.sign(jws.LEASE, b"{}")):
		with pytest.raises(feed.BadPage, match="publisher"):
			feed.decode_page(body, signature, VERIFIER)


def test_the_signature_of_another_page():
	body, _ = feed.encode_page(page(3), SIGNER)
	_, signature = feed.encode_page(page(4), SIGNER)
	with pytest.raises(feed.BadPage):
		feed.decode_page(body, signature, VERIFIER)


@pytest.mark.parametrize("numbers", [(3, 3), (4, 3), (11,), (0,)])
def test_rows_out_of_order_even_when_signed(numbers):
	with pytest.raises(feed.BadPage, match="order"):
		feed.decode_page(*feed.encode_page(page(*numbers), SIGNER), VERIFIER)


def test_signed_but_not_a_page():
	body = b'{"rows":[]}'
	digest = hashlib.sha256(body).hexdigest()
	seal = msgspec.json.encode({"from": 0, "to": 0, "as_of": 0, "sha256": digest})
	with pytest.raises(feed.BadPage, match="not a page"):
		feed.decode_page(body, SIGNER.sign(jws.FEED, seal), VERIFIER)


def test_authorization():
	header = feed.authorization(b"secret", "/feed/deltas?after=1", 1000)
	assert feed.authorized(header, b"secret", "/feed/deltas?after=1", 1060)
	assert not feed.authorized(header, b"secret", "/feed/deltas?after=2", 1060)
	assert not feed.authorized(header, b"other", "/feed/deltas?after=1", 1060)
	assert not feed.authorized(header, b"secret", "/feed/deltas?after=1", 1121)
	for bad in (
		None,
		"",
		"TV-Feed",
		"TV-Feed x:y",
		"Bearer 1:2",
		"TV-Feed ٣:x",
		header + "é",
		"TV-Feed " + "9" * 50,
	):
		assert not feed.authorized(bad, b"secret", "/feed/deltas?after=1", 1000)


def test_authorization_of_a_report_covers_method_and_body():
	header = feed.authorization(b"secret", "/feed/answers", 1000, method="POST", body=b"{}")

	def opens(body=b"{}", **given):
		return feed.authorized(
			header, b"secret", "/feed/answers", 1000, **{"method": "POST", "body": body, **given}
		)

	assert opens()
	assert not opens(b"{ }")
	assert not opens(method="PUT")
	assert not opens(method="GET")
	get = feed.authorization(b"secret", "/feed/answers", 1000)
	assert not feed.authorized(get, b"secret", "/feed/answers", 1000, method="POST", body=b"")
	assert feed.authorized(get, b"secret", "/feed/answers", 1000, body=b"a GET has none")
