"""What the log strikes out, and what it leaves readable."""

import json
import logging
import sys

import pytest

from subscriber_tv.core.devices import jws
from subscriber_tv.edge.logs import JsonLines, strike_out

SIGNER = jws.Signer(jws.new_key())
LEASE = SIGNER.sign(jws.LEASE, b'{"sub":"HOTEL-000001"}')
CREDENTIAL = jws.b64url(bytes(range(7, 39)))


@pytest.mark.parametrize(
	"secret",
	[
		CREDENTIAL,
		jws.b64url(bytes(range(100, 116))),
		LEASE,
		"0123456789abcdef" * 4,
		"MHcCAQEEIIGq0nGT+5p0m9UuzYc1LDeDhkHV/aRz5vJxTqvSz0Cg",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	],
)
@pytest.mark.parametrize("frame", ["{}", "key={}", '{{"m":"{}"}}', "got '{}' from a TV", "a {}, b"])
def test_what_may_be_a_secret_is_struck_out(secret, frame):
	assert secret not in strike_out(frame.format(secret))


@pytest.mark.parametrize(
	"text",
	[
		"/var/lib/subscriber-tv-edge/edge.db is damaged (database disk image is malformed)",
		"the feed does not continue at 563000 (the page covers 1 to 2): taking a snapshot",
		"HOTEL-000001 asked from 2001:db8::1",
		"batch 17 of south-0123456789ab was not taken",
		'File "/opt/edge/lib/python3.11/site-packages/subscriber_tv/edge/answers.py", line 12, in _unless_words',
		"unknown settings: no_such_setting_that_is_long",
	],
)
def test_what_one_needs_to_read_stays(text):
	assert strike_out(text) == text


def test_a_traceback_is_one_line_without_secrets():
	try:
		raise ValueError(f"not a key: {CREDENTIAL}")
	except ValueError:
		record = logging.LogRecord("x", logging.ERROR, "f", 1, "failed for %s", (LEASE,), sys.exc_info())
	line = JsonLines("south").format(record)
	found = json.loads(line)
	assert "\n" not in line and CREDENTIAL not in line and LEASE not in line
	assert (found["edge"], found["level"], found["message"]) == ("south", "error", "failed for […]")
	assert "ValueError: not a key: […]" in found["error"]
