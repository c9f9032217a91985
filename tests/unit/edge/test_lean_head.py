"""What the strict server takes for the head of a request, and what it refuses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriber_tv.core.devices import wire
from subscriber_tv.edge.lean.head import BadHead, check_begun, parse


def head(*lines: bytes, first: bytes = b"POST /v1/auth HTTP/1.1", host: bytes = b"Host: e") -> bytes:
	return b"\r\n".join([first, *([host] if host else []), *lines, b"", b""])


def refused(data: bytes) -> int:
	with pytest.raises(BadHead) as bad:
		parse(data)
	assert bad.value.answer.status == 200 or ("Connection", "close") in bad.value.answer.headers
	return bad.value.answer.status


def test_what_a_tv_sends():
	found = parse(
		head(b"Content-Type: application/json", b"Content-Length: 17", b"X-TV-Slot:\t1.ab ", b"Empty:")
	)
	assert (found.method, found.target, found.version, found.length) == ("POST", "/v1/auth", "1.1", 17)
	assert found.keeps_alive and not found.expects
	assert found.headers == (
		(b"host", b"e"),
		(b"content-type", b"application/json"),
		(b"content-length", b"17"),
		(b"x-tv-slot", b"1.ab"),
		(b"empty", b""),
	)


@pytest.mark.parametrize(
	("lines", "first", "keeps"),
	[
		((), b"GET / HTTP/1.1", True),
		((b"Connection: close",), b"GET / HTTP/1.1", False),
		((b"Connection: x, Close",), b"GET / HTTP/1.1", False),
		((b"Connection: x", b"Connection: close"), b"GET / HTTP/1.1", False),
		((), b"GET / HTTP/1.0", False),
		((b"Connection: Keep-Alive",), b"GET / HTTP/1.0", True),
		((b"Connection: keep-alive, close",), b"GET / HTTP/1.0", False),
	],
)
def test_how_long_a_connection_lives(lines, first, keeps):
	assert parse(head(*lines, first=first)).keeps_alive is keeps


@pytest.mark.parametrize(
	"first",
	[
		b"",
		b"GET",
		b"GET /",
		b"GET  / HTTP/1.1",
		b"GET / HTTP/1.1 ",
		b" GET / HTTP/1.1",
		b"GET /\tHTTP/1.1",
		b"GET / http/1.1",
		b"GET / HTTP/11",
		b"GET / HTTP/1.1\n",
		b"GET / HTTP/1.1\rX: y",
		b"G\x00T / HTTP/1.1",
		b"GET /a b HTTP/1.1",
		b"GET /\xc3\xa9 HTTP/1.1",
		b"GET http://e/v1/health HTTP/1.1",
		b"CONNECT e:443 HTTP/1.1",
		b"X" * 33 + b" / HTTP/1.1",
		b"PRI * HTTP/2",
	],
)
def test_what_is_no_request_line(first):
	assert refused(head(first=first)) == 400


@pytest.mark.parametrize("version", [b"0.9", b"1.2", b"2.0", b"3.0", b"9.9"])
def test_other_versions(version):
	assert refused(head(first=b"GET / HTTP/" + version)) == 505


@pytest.mark.parametrize(
	"line",
	[
		b"",
		b"no colon",
		b": no name",
		b" folded",
		b"\tfolded",
		b"Name : x",
		b"N\xc3\xa9: x",
		b"N(: x",
		b"X: a\x00b",
		b"X: a\x7fb",
		b"X: a\rb",
		b"X: a\nY: b",
		b"X: a\x0bb",
		b"Host: again",
		b"Transfer-Encoding: chunked",
		b"transfer-encoding:identity",
		b"TRANSFER-ENCODING: ",
		b"Transfer-Encoding: chunked\r\nContent-Length: 5",
		b"Content-Length: 5\r\nTransfer-Encoding: chunked",
		b"Content-Length: 5\r\nContent-Length: 5",
		b"Content-Length: 5\r\ncontent-length: 6",
		b"Content-Length: 5, 5",
		b"Content-Length: +5",
		b"Content-Length: -5",
		b"Content-Length: 5.0",
		b"Content-Length: 0x5",
		b"Content-Length: 5 5",
		b"Content-Length: \xd9\xa3",
		b"Content-Length:",
		b"Content-Length: 1234567890123",
	],
)
def test_what_is_no_header(line):
	assert refused(head(line)) == 400


def test_other_refusals():
	assert refused(head(host=b"")) == 400
	assert parse(head(host=b"", first=b"GET / HTTP/1.0")).version == "1.0"
	assert refused(head(b"Expect: the worst")) == 417
	assert parse(head(b"Expect: 100-Continue")).expects
	assert refused(head(b"Content-Length: 4097")) == 413
	assert parse(head(b"Content-Length: 4096")).length == wire.MAX_BODY
	assert refused(head(*[b"X: y"] * 101)) == 431


@pytest.mark.parametrize(
	"data", [b"GET / HTTP/1.1\n", b"GET / HTTP/1.1\r\nA: b\n\n", b"\n", b"GET\r/", b"\r\r\n"]
)
def test_lines_that_end_otherwise_are_refused_at_once(data):
	with pytest.raises(BadHead):
		check_begun(data)


@given(st.lists(st.sampled_from([b"GET", b" ", b"/", b"HTTP/1.1", b"\r\n", b"A", b": ", b"b"]), max_size=12))
def test_a_proper_begin_is_never_refused(pieces):
	check_begun(b"".join(pieces))


_line = st.binary(max_size=40) | st.sampled_from(
	[b"Content-Length: 5", b"Transfer-Encoding: chunked", b"Host: e", b"Content-Length: 05", b" x", b"A: b"]
)


@given(st.lists(_line, max_size=6), _line | st.just(b"POST /v1/auth HTTP/1.1"))
def test_any_bytes_are_refused_or_mean_one_thing(lines, first):
	data = b"\r\n".join([first, *lines]) + b"\r\n\r\n"
	try:
		found = parse(data)
	except BadHead as bad:
		assert bad.answer.status in (400, 413, 417, 431, 505)
		return
	# Whatever was taken can be written again in the plain form and says the same.
	plain = b"\r\n".join(b"%b: %b" % pair for pair in found.headers)
	line = f"{found.method} {found.target} HTTP/{found.version}\r\n".encode()
	assert parse(line + plain + (b"\r\n" if plain else b"") + b"\r\n") == found
	names = [name for name, _ in found.headers]
	assert b"transfer-encoding" not in names and names.count(b"content-length") <= 1
	assert not any(byte in value for _, value in found.headers for byte in b"\r\n\0")
