"""Turns genuine questions into others: at the level of bytes, of JSON, of fields, of signed tokens and of HTTP.

Everything comes from one seeded die, so a failure can be repeated.
"""

import json
import random
from collections.abc import Callable

from subscriber_tv.core.devices import jws

Fields = dict[str, object]
STRANGE: tuple[object, ...] = (
	"", "A", "0", "-1", "1e3", "00", "01", " 1", "1 ", "1\n", "\n", "null", "None", "NaN", "Infinity", "true",
	"9" * 16, "9" * 17, "9" * 400, "A" * 21, "A" * 23, "A" * 42, "A" * 44, "A" * 3000, "=" * 43, "é" * 22,
	"\u0661", "\uff11", "\u212a", "\u0000", "\ud83d\ude00", "' OR 1=1 --", "'; DROP TABLE `tabTV Device`; --",
	"../../../etc/passwd", "{{7*7}}", "${jndi:ldap://x}", "<script>", "%00", "%s%n", "desk", "edge", "none",
	None, True, False, 0, 1, -1, 1.5, 10**30, [], [1], {}, {"d": "x"}, [[[[[["x"]]]]]],
)  # fmt: skip
CONTENT_TYPES = (
	"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jwt",
	"application/json; charset=utf-16", "application/json; charset=utf-8", "APPLICATION/JSON", "application/json;",
	"application/json, text/plain", "application/json\t", "text/json", "*/*", "application/" + "x" * 500,
)  # fmt: skip
ENCODINGS = ("gzip", "deflate", "br", "identity", "IDENTITY", "gzip, identity", "x", "zstd")
HEADERS = (
	("X-Forwarded-For", "198.51.100.7"), ("X-Forwarded-For", "' or 1=1"), ("X-Forwarded-For", "x," * 200),
	("Forwarded", "for=198.51.100.7"), ("X-HTTP-Method-Override", "GET"), ("X-Original-URL", "/admin"),
	("Authorization", "token a:b"), ("Authorization", "Basic !!!"), ("Authorization", "Bearer " + "x" * 300),
	("Authorization", "token"), ("Cookie", "sid=Administrator"), ("Cookie", "sid=" + "x" * 800), ("Cookie", "=;=;;"),
	("Accept", "text/html"), ("Accept-Language", "xx-" + "y" * 300), ("Expect", "100-continue"), ("Expect", "x"),
	("Host", "evil.example"), ("Host", ""), ("Range", "bytes=0-0"), ("If-None-Match", "*"), ("Priority", "u=9, i"),
	("X-TV-Slot", "1.2"), ("X-TV-Slot", "9" * 40 + ".A"), ("X-TV-MAC", "A" * 43), ("X-Frappe-CSRF-Token", "x"),
	("X-Frappe-Cmd", "frappe.ping"), ("Connection", "close"), ("Connection", "X-TV-MAC"), ("Upgrade", "h2c"),
	("Upgrade", "websocket"), ("Transfer-Encoding", "identity"), ("TE", "trailers"), ("Trailer", "X-TV-MAC"),
	("X-Long", "x" * 7000), ("X-Strange", "\xff\xfe\x80"),
)  # fmt: skip
METHODS = ("GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "post", "POSTX", "QUERY")
SUFFIXES = (
	"/", "//", "/.", "/..", "%00", "%2e%2e/", ";x=1", "?", "?cmd=frappe.ping", "?cmd=frappe.auth.get_logged_user",
	"?d=x&d=y", "?run_method=x", "?_type=html", "?debug=1", "?%ff%fe", "?" + "a=b&" * 300, "#x", ".json", "%0d%0aX: y",
	"?sid=Administrator", "?hash=A", "?data={", "%F0%9F%98%80",
)  # fmt: skip


def bytes_of(body: bytes, dice: random.Random) -> bytes:
	"""One to three bytes changed, or a part taken out, doubled or put elsewhere."""
	for _ in range(dice.choice((1, 1, 1, 2, 3))):
		at = dice.randrange(len(body) + 1)
		to = min(len(body), at + dice.choice((1, 1, 1, 2, 8, 40)))
		letter = bytes([dice.choice((dice.randrange(256), dice.choice(b'"{}[]:,\\ \n0Aa-_.=')))])
		body = (
			dice.choice(
				(
					body[:at] + letter + body[to:],
					body[:at] + letter + body[at:],
					body[:at] + body[to:],
					body[:to] + body[at:to] + body[to:],
					body[:at],
					body[at:] + body[:at],
					body[:at] + bytes([body[at % len(body)] ^ (1 << dice.randrange(8))]) + body[at + 1 :]
					if body
					else b"x",
				)
			)
			or b"0"
		)
	return body


def json_of(body: bytes, dice: random.Random) -> bytes:
	"""The same object in another form, or one that is none."""
	text, document = body.decode(), json.loads(body)
	first = text[1:-1].split(",")[0]
	forms: tuple[Callable[[], bytes], ...] = (
		lambda: json.dumps(document, indent=dice.randrange(4)).encode(),
		lambda: json.dumps(dict(reversed(document.items()))).encode(),
		lambda: b" \t\r\n" * dice.randrange(300) + body,
		lambda: body + b" " * dice.randrange(5000),
		lambda: b"\xef\xbb\xbf" + body,
		lambda: text.encode("utf-16"),
		lambda: text.encode("utf-32"),
		lambda: (text[:-1] + ",}").encode(),
		lambda: (text[:-1] + f",{first}}}").encode(),
		lambda: ("{" + first + "," + text[1:]).encode(),
		lambda: text.replace('"', "'").encode(),
		lambda: text.replace('":"', '"="').encode(),
		lambda: (text + text).encode(),
		lambda: ("[" + text + "]").encode(),
		lambda: json.dumps({"a": document}).encode(),
		lambda: json.dumps(text).encode(),
		lambda: ("[" * dice.choice((5, 50, 2000)) + text).encode(),
		lambda: ('{"x":' * dice.choice((5, 50, 600)) + text).encode(),
		lambda: ("/* x */" + text).encode(),
		lambda: (text + "\x00").encode(),
		lambda: "".join(f"\\u{ord(letter):04x}" if letter.isalpha() else letter for letter in text).encode(),
		lambda: text.replace(next(iter(document)), f"\\u{ord(next(iter(document))[0]):04x}", 1).encode(),
		lambda: b"&".join(f"{name}={value}".encode() for name, value in document.items()),
		lambda: dice.choice((b"", b"null", b"0", b'""', b"[]", b"{}", b"true", b"{", b"\xff", b"-", b"NaN")),
	)
	return dice.choice(forms)()


def fields_of(body: bytes, dice: random.Random, other: bytes) -> bytes:
	"""One or two fields dropped, added, doubled, swapped, mistyped or taken from another question."""
	found: Fields = json.loads(body)
	for _ in range(dice.choice((1, 1, 2))):
		name = dice.choice(list(found) or ["d"])
		value = found.get(name)
		dice.choice((_drop, _strange, _strange, _add, _swap, _take, _take, _step, _case))(
			found, name, value, dice, other
		)
	return json.dumps(found, separators=(",", ":"), ensure_ascii=dice.random() < 0.5).encode(errors="replace")


def _drop(found: Fields, name, _value, _dice, _other):
	found.pop(name, None)


def _strange(found: Fields, name, _value, dice, _other):
	found[name] = dice.choice(STRANGE)


def _add(found: Fields, _name, _value, dice, _other):
	names = (
		"x",
		"D",
		"d ",
		"",
		"__proto__",
		"constructor",
		"cmd",
		"data",
		"sid",
		"a",
		"t",
		"aud",
		"key",
		"d\u200b",
	)
	found[dice.choice(names)] = dice.choice(STRANGE)


def _swap(found: Fields, name, value, dice, _other):
	with_name = dice.choice(list(found) or ["d"])
	found[name], found[with_name] = found.get(with_name), value


def _take(found: Fields, name, _value, dice, other):
	theirs = json.loads(other)
	found[name] = theirs.get(name, dice.choice(list(theirs.values())))


def _step(found: Fields, name, value, dice, _other):
	if isinstance(value, str) and value.isdigit():
		found[name] = str(max(0, int(value) + dice.choice((-1, 1, 2, 1000, 1_000_001, 10**14))))
	elif isinstance(value, str) and value:
		at = dice.randrange(len(value))
		found[name] = value[:at] + dice.choice("Aa0-_Z") + value[at + 1 :]


def _case(found: Fields, name, value, dice, _other):
	if isinstance(value, str):
		found[name] = dice.choice(
			(value.lower(), value.upper(), value.swapcase(), value + "=", value + "\n", " " + value)
		)


def token_of(body: bytes, dice: random.Random, forge: Callable[[str], dict[str, str]]) -> bytes:
	"""The question with its token forged; any other change where there is none."""
	found: Fields = json.loads(body)
	token = found.get("a")
	if not isinstance(token, str):
		return bytes_of(body, dice)
	if dice.random() < 0.7:
		return json.dumps(
			{**found, "a": dice.choice(list(forge(token).values()))}, ensure_ascii=False
		).encode(errors="replace")
	header, claims, signature = token.split(".")
	part = dice.randrange(3)
	changed = [header, claims, signature]
	raw = bytearray(jws.b64url_decode(changed[part]))
	raw[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)
	changed[part] = jws.b64url(bytes(raw))
	return json.dumps({**found, "a": ".".join(changed)}).encode()
