"""What an edge answers over a real socket."""

import json
import time

import pytest
from feed_publisher import OFFER, credential

from subscriber_tv.core.devices import jws, wire
from subscriber_tv.simulator.fleet import Identity, power_on_all
from subscriber_tv.simulator.http import Service
from subscriber_tv.simulator.tv import BARKER, FAKE, PAIRING, PLAYING, Tv

GOOD = json.dumps({"serial": "HOTEL-000001", "credential": credential("HOTEL-000001")}).encode()


def service(edge):
	return Service(f"http://127.0.0.1:{edge.port}")


def test_a_tv_plays_and_finds_its_channels(edge):
	tv = Tv("HOTEL-000001", service(edge), credential("HOTEL-000001"))
	screen = tv.power_on()
	assert screen.kind == PLAYING
	bouquets = tv.channels(screen.documents[0])
	assert [channel["name"] for channel in bouquets[0]["channels"]] == ["TF1", "Arte"]


@pytest.mark.parametrize(
	("serial", "code"),
	[("HOTEL-000002", "suspended"), ("HOTEL-000003", "ended"), ("HOTEL-000004", "not_started")],
)
def test_a_tv_shows_the_signed_text(edge, serial, code):
	for language in ("fr", "en"):
		screen = Tv(serial, service(edge), credential(serial), language=language).power_on()
		assert (screen.kind, screen.code) == (BARKER, code)
		assert screen.text == wire.DENIAL_TEXTS[code][language]


def test_strangers_cannot_be_told_apart(edge):
	unknown = edge.power_on("NOBODY-0001")
	wrong = edge.power_on("HOTEL-000001", jws.b64url(bytes(32)))
	suspended = edge.power_on("HOTEL-000002", jws.b64url(bytes(32)))
	assert unknown[0] == 401
	assert unknown[2] == wrong[2] == suspended[2] == wire.STRANGER.body

	def compared(given):
		varying = {"date", "x-tv-data-age"}
		return {name.lower(): value for name, value in given[1].items() if name.lower() not in varying}

	assert compared(unknown) == compared(wrong) == compared(suspended)


def test_a_stranger_shows_pairing(edge):
	assert Tv("NOBODY-0001", service(edge)).power_on().kind == PAIRING


def test_a_tv_does_not_believe_another_key(edge):
	other = jws.Verifier(jws.jwks(jws.Signer(jws.new_key())))
	assert (
		Tv("HOTEL-000001", service(edge), credential("HOTEL-000001"), verifier=other).power_on().kind == FAKE
	)


def test_equal_questions_in_one_second_get_equal_bytes(edge):
	for _ in range(5):
		first, second = edge.post("/v1/power-on", GOOD), edge.post("/v1/power-on", GOOD)
		if json.loads(first[2])["time"] == json.loads(second[2])["time"]:
			assert first[2] == second[2]
			return
	raise AssertionError("no two answers fell into one second")


def test_the_age_of_the_data_is_told(edge):
	headers = edge.post("/v1/power-on", GOOD)[1]
	assert 0 <= int({name.lower(): value for name, value in headers.items()}["x-tv-data-age"]) < 10


@pytest.mark.parametrize(
	"body",
	[
		b"",
		b"{",
		b"[]",
		b"null",
		b'{"serial":"\' OR 1=1 --","credential":"x"}',
		GOOD.replace(b"HOTEL-000001", b"HOTEL-000001'; DROP TABLE device; --"),
		GOOD.replace(b"HOTEL-000001", "HÔTEL-000001".encode()),
		GOOD[:-1] + b',"serial":"HOTEL-000002"}',
		b"[" * 4000,
		b"\xff\xfe" * 20,
	],
)
def test_malformed_is_400_in_json(edge, body):
	for path in ("/v1/power-on", "/v1/enrol"):
		status, headers, answer = edge.post(path, body)
		assert (status, answer) == (400, wire.INVALID_REQUEST.body)
		assert {name.lower(): value for name, value in headers.items()}["content-type"] == "application/json"


def test_too_large(edge):
	assert edge.post("/v1/power-on", b" " * 4097)[0] == 413


def test_wrong_method(edge):
	for method, path in (
		("GET", "/v1/power-on"),
		("PUT", "/v1/enrol"),
		("POST", "/v1/health"),
		("DELETE", "/v1/jwks"),
	):
		status, _, body = edge.request(method, path)
		assert (status, json.loads(body)["error"]) == (405, "method_not_allowed")


def test_wrong_content_type(edge):
	assert edge.request("POST", "/v1/power-on", GOOD, {"Content-Type": "text/plain"})[0] == 415
	assert edge.post("/v1/power-on", GOOD, **{"Content-Encoding": "gzip"})[0] == 415


@pytest.mark.parametrize(
	"path", ["/", "/v1", "/v1/nothing", "/v1/offer/", "/v1/offer/../jwks", "/admin", "/%00"]
)
def test_nothing_there(edge, path):
	status, _, body = edge.request("GET", path)
	assert status in (302, 404)
	assert b"Traceback" not in body


def test_a_slow_body_is_cut_off(edge):
	head = b"POST /v1/power-on HTTP/1.1\r\nHost: e\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
	began = time.monotonic()
	answer = edge.raw(head + b'{"serial"')
	assert answer.startswith(b"HTTP/1.1 408") and b"request_timeout" in answer
	assert time.monotonic() - began < 4


@pytest.mark.parametrize("order", [0, 1])
def test_two_lengths_are_refused(edge, order):
	both = [b"Content-Length: %d\r\n" % len(GOOD), b"Transfer-Encoding: chunked\r\n"]
	chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(GOOD), GOOD)
	head = b"POST /v1/power-on HTTP/1.1\r\nHost: e\r\nContent-Type: application/json\r\n"
	answer = edge.raw(head + both[order] + both[1 - order] + b"\r\n" + chunked, 2)
	assert answer.startswith(b"HTTP/1.1 400") and answer.count(b"HTTP/1.1") == 1


def test_chunks_are_refused(edge):
	chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(GOOD), GOOD)
	head = b"POST /v1/power-on HTTP/1.1\r\nHost: e\r\nContent-Type: application/json\r\n"
	assert edge.raw(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunked, 2).startswith(b"HTTP/1.1 400")


def test_large_headers_are_refused(edge):
	answer = edge.raw(b"GET /v1/health HTTP/1.1\r\nHost: e\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", 2)
	assert answer == b"" or answer.split()[1] in (b"400", b"431")


def test_an_unknown_document(edge):
	assert edge.request("GET", f"/v1/offer/{'A' * 43}")[0] == 404


def test_a_document_may_be_kept_for_ever(edge):
	(document,) = json.loads(edge.post("/v1/power-on", GOOD)[2])["documents"]
	status, headers, body = edge.request("GET", f"/v1/offer/{document}")
	assert (
		status == 200
		and "immutable" in {name.lower(): value for name, value in headers.items()}["cache-control"]
	)
	assert json.loads(jws.unverified_claims(body.decode()))["offer"] == OFFER.name


def test_the_keys(edge, rights):
	assert edge.request("GET", "/v1/jwks")[2].decode() == rights.jwks()


def test_head_has_no_body(edge):
	status, headers, body = edge.request("HEAD", "/v1/jwks")
	assert (status, body) == (200, b"") and headers


def test_enrolment_needs_the_erp(edge):
	status, headers, body = edge.post("/v1/enrol", {"serial": "HOTEL-000009", "key": "A" * 43})
	assert (status, json.loads(body)["error"]) == (503, "unavailable")
	assert int({name.lower(): value for name, value in headers.items()}["retry-after"]) > 0


def test_a_fleet(edge):
	serials = ["HOTEL-000001"] * 150 + ["HOTEL-000002"] * 30 + ["NOBODY-0001"] * 20
	fleet = [Identity(serial, credential(serial)) for serial in serials]
	result = power_on_all(fleet, lambda: service(edge), threads=4)
	assert dict(result.screens) == {"playing": 150, "barker suspended": 30, "pairing invalid_device": 20}
	assert 0 < result.percentile(50) <= result.percentile(99)
