"""The bytes that travel."""

import pytest

from subscriber_tv.core.provisioning import message
from subscriber_tv.core.provisioning.orders import OK, REFUSED, RETRY

ORDER = message.Message("k-1", "Device", "AB43H-026001", 7, "Replace", ("BASE", "SPORT"))
BODY = (
	b'{"order":"k-1","kind":"Device","subject":"AB43H-026001","sequence":7,"action":"Replace",'
	b'"entitlements":["BASE","SPORT"],"format":"tv-provisioning-1"}'
)


def test_an_order_reads_as_documented():
	assert message.encode(ORDER) == BODY


def test_the_signature_is_the_documented_one():
	"""The example of docs/provisioning.md, made with openssl."""
	found = message.sign(b"example secret", "POST", "/v1/orders", 1_800_000_000, BODY)
	assert found == "Gb_uTXO-o53Jw_Gawf-OoNUcEthQgXIZ9ssIcHKFn6U"


@pytest.mark.parametrize(
	"changed",
	[
		("another", "POST", "/v1/orders", 1, b"x"),
		("secret", "PUT", "/v1/orders", 1, b"x"),
		("secret", "POST", "/v1/order", 1, b"x"),
		("secret", "POST", "/v1/orders", 2, b"x"),
		("secret", "POST", "/v1/orders", 1, b"y"),
	],
)
def test_the_signature_covers_everything(changed):
	secret, *rest = changed
	assert message.sign(secret.encode(), *rest) != message.sign(b"secret", "POST", "/v1/orders", 1, b"x")


@pytest.mark.parametrize(
	("status", "action", "result", "arrived", "platform"),
	[
		(200, "Grant", OK, False, False),
		(204, "Grant", OK, False, False),
		(409, "Grant", OK, False, False),
		(404, "Revoke", OK, False, False),
		(410, "Revoke", OK, False, False),
		(404, "Grant", REFUSED, False, False),
		(400, "Grant", REFUSED, False, False),
		(413, "Grant", REFUSED, False, False),
		(401, "Grant", RETRY, False, True),
		(403, "Revoke", RETRY, False, True),
		(302, "Grant", RETRY, False, True),
		(408, "Grant", RETRY, True, True),
		(429, "Grant", RETRY, False, True),
		(500, "Grant", RETRY, True, True),
		(503, "Grant", RETRY, True, True),
		(599, "Revoke", RETRY, True, True),
	],
)
def test_what_a_status_means(status, action, result, arrived, platform):
	found = message.judge(status, action, "text", 9)
	assert (found.result, found.arrived, found.platform) == (result, arrived, platform)
	assert found.text == ("" if status < 300 else f"HTTP {status}: text")


def test_what_a_platform_says_is_kept_short():
	assert len(message.judge(400, "Grant", "x" * 10_000).text) < 330


@pytest.mark.parametrize(
	"body", [b"", b"{", b"[]", b'{"holdings": {}}', b'{"holdings": [{"subject": 1}]}', b"\xff", b"[" * 5000]
)
def test_pages_that_are_nonsense(body):
	with pytest.raises(message.BadAnswer):
		message.read_page(body)


def test_a_page():
	page = message.read_page(
		b'{"holdings": [{"subject": "A", "entitlements": ["X"]}], "next": "A", "more": 1}'
	)
	assert page == message.Page((message.Holding("A", ("X",), 0),), "A")


@pytest.mark.parametrize(
	"body",
	[
		b'{"order": "k", "result": "done"}\n{"end": 2}\n',
		b'{"order": "k", "result": "no idea"}\n{"end": 1}\n',
		b'{"order": 5, "result": "done"}\n{"end": 1}\n',
		b'rubbish\n{"end": 1}\n',
	],
)
def test_acknowledgements_that_are_nonsense(body):
	with pytest.raises(message.BadAnswer):
		message.read_acknowledgements(body)


@pytest.mark.parametrize(
	"body", [b"", b"\n", b'{"order": "k", "result": "done"}\n', b'{"end": 0}', b"\xff\n"]
)
def test_files_that_are_not_complete(body):
	assert message.read_acknowledgements(body) is None


def test_an_empty_file_of_holdings_says_that_nothing_is_held():
	assert message.read_holdings(b'{"end": 0}\n') == ()
