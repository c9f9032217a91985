"""What an edge answers over a real socket."""

import json
import time

import pytest
from edge_process import enrolment, eventually
from feed_publisher import MASTERS, OFFER, credential

from subscriber_tv.core.devices import challenge, jws, mac, wire
from subscriber_tv.simulator.fleet import Identity, power_on_all
from subscriber_tv.simulator.http import Service
from subscriber_tv.simulator.tv import BARKER, FAKE, PAIRING, PLAYING, Tv

# Well-formed, and authentic nowhere.
GOOD = json.dumps(
	{"d": "HOTEL-000001", "e": "2", "c": "1", "n": "A" * 22, "f": "A" * 43, "m": "A" * 43}
).encode()
POSTED = ("auth", "assert", "challenge", "heartbeat", "stream", "enrol", "token")


def service(edge):
	return Service(f"http://127.0.0.1:{edge.port}")


def test_a_tv_plays_and_finds_its_channels(edge):
	tv = edge.tv("HOTEL-000001")
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
		screen = edge.tv(serial, language=language).power_on()
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
	assert edge.tv("HOTEL-000001", verifier=other).power_on().kind == FAKE


def test_one_question_gets_one_answer(edge):
	question = edge.question("HOTEL-000004")
	for _ in range(5):
		first, second = edge.post("/v1/auth", question), edge.post("/v1/auth", question)
		assert first[0] == second[0] == 403
		if json.loads(first[2])["time"] == json.loads(second[2])["time"]:
			assert first[2] == second[2] and lower(first)["x-tv-mac"] == lower(second)["x-tv-mac"]
			break
	else:
		raise AssertionError("no two answers fell into one second")
	number = json.loads(question)["c"]
	other = edge.question("HOTEL-000004", number=int(number))
	status, _, body = edge.post("/v1/auth", other)
	assert (status, json.loads(body)["error"], json.loads(body)["base"]) == (409, "replayed", number)
	assert edge.power_on("HOTEL-000004")[0] == 403


def lower(given):
	return {name.lower(): value for name, value in given[1].items()}


def test_a_reply_is_under_the_tvs_own_key(edge):
	status, _, body = given = edge.power_on("HOTEL-000003")
	key = MASTERS.newest("HOTEL-000003", wire.key_fingerprint(credential("HOTEL-000003")))
	assert status == 403 and lower(given)["x-tv-mac"] == mac.of_reply(key, body)


def test_the_edge_says_who_it_is(edge):
	found = json.loads(edge.request("GET", "/v1/hello")[2])
	assert found["aud"] == "edge" and abs(found["time"] - time.time()) < 10


def test_a_question_for_another_node_is_a_strangers(edge):
	thumbprint = wire.key_fingerprint(credential("HOTEL-000001"))
	key = MASTERS.newest("HOTEL-000001", thumbprint)
	fields = {"e": "2", "c": "999", "n": "A" * 22, "f": "A" * 43}
	m = mac.of_auth(key, "desk", "HOTEL-000001", *fields.values())
	assert edge.post("/v1/auth", {"d": "HOTEL-000001", **fields, "m": m})[0] == 401


def test_a_tv_with_its_own_key_proves_itself_and_loses_its_flash(edge, rights, tmp_path):
	tv = Tv("HOTEL-000077", service(edge), flash=tmp_path / "flash")
	assert tv.power_on().kind == PAIRING
	rights.set_key("HOTEL-000077", jws.Signer(tv.memory.private_key.encode()))
	eventually(lambda: tv.power_on().kind == PLAYING)
	count = tv.memory.counts["edge"]
	assert tv.power_on().kind == PLAYING and tv.memory.counts["edge"] == count + 1
	tv.memory.counts = {}
	assert tv.power_on().kind == PLAYING
	assert tv.memory.counts["edge"] > count + 1


def test_heartbeat_and_stream(edge):
	tv = edge.tv("HOTEL-000001")
	assert tv.power_on().kind == PLAYING
	assert tv.heartbeat(up="60", fw="1.0").status == 204
	assert tv.stream("start", "TF1", "one").status == 200
	assert tv.stream("start", "CANAL", "two").status == 403
	assert tv.stream("stop", "TF1", "one").status == 200


def test_a_challenge_for_the_desk(edge):
	given = json.loads(edge.post("/v1/challenge", {"d": "NOBODY-0001", "aud": "desk"})[2])["challenge"]
	assert challenge.is_fresh(MASTERS, "desk", "NOBODY-0001", given, int(time.time()))


def test_the_age_of_the_data_is_told(edge):
	assert 0 <= int(lower(edge.power_on("HOTEL-000001"))["x-tv-data-age"]) < 10


@pytest.mark.parametrize(
	"body",
	[
		b"",
		b"{",
		b"[]",
		b"null",
		b'{"d":"\' OR 1=1 --","credential":"x"}',
		GOOD.replace(b"HOTEL-000001", b"HOTEL-000001'; DROP TABLE device; --"),
		GOOD.replace(b"HOTEL-000001", "HÔTEL-000001".encode()),
		GOOD[:-1] + b',"d":"HOTEL-000002"}',
		b"[" * 4000,
		b"\xff\xfe" * 20,
	],
)
def test_malformed_is_400_in_json(edge, body):
	for operation in POSTED:
		status, headers, answer = edge.post(f"/v1/{operation}", body)
		assert (status, answer) == (400, wire.INVALID_REQUEST.body)
		assert {name.lower(): value for name, value in headers.items()}["content-type"] == "application/json"


def test_too_large(edge):
	assert edge.post("/v1/auth", b" " * 4097)[0] == 413


def test_wrong_method(edge):
	for method, path in (
		("GET", "/v1/auth"),
		("PUT", "/v1/enrol"),
		("POST", "/v1/health"),
		("DELETE", "/v1/jwks"),
	):
		status, _, body = edge.request(method, path)
		assert (status, json.loads(body)["error"]) == (405, "method_not_allowed")


def test_wrong_content_type(edge):
	assert edge.request("POST", "/v1/auth", GOOD, {"Content-Type": "text/plain"})[0] == 415
	assert edge.post("/v1/auth", GOOD, **{"Content-Encoding": "gzip"})[0] == 415


@pytest.mark.parametrize(
	"path", ["/", "/v1", "/v1/nothing", "/v1/offer/", "/v1/offer/../jwks", "/admin", "/%00"]
)
def test_nothing_there(edge, path):
	status, _, body = edge.request("GET", path)
	assert status in (302, 404)
	assert b"Traceback" not in body


def test_a_slow_body_is_cut_off(edge):
	head = (
		b"POST /v1/auth HTTP/1.1\r\nHost: e\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
	)
	began = time.monotonic()
	answer = edge.raw(head + b'{"serial"')
	assert answer.startswith(b"HTTP/1.1 408") and b"request_timeout" in answer
	assert time.monotonic() - began < 4


@pytest.mark.parametrize("order", [0, 1])
def test_two_lengths_are_refused(edge, order):
	both = [b"Content-Length: %d\r\n" % len(GOOD), b"Transfer-Encoding: chunked\r\n"]
	chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(GOOD), GOOD)
	head = b"POST /v1/auth HTTP/1.1\r\nHost: e\r\nContent-Type: application/json\r\n"
	answer = edge.raw(head + both[order] + both[1 - order] + b"\r\n" + chunked, 2)
	assert answer.startswith(b"HTTP/1.1 400") and answer.count(b"HTTP/1.1") == 1


def test_chunks_are_refused(edge):
	chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(GOOD), GOOD)
	head = b"POST /v1/auth HTTP/1.1\r\nHost: e\r\nContent-Type: application/json\r\n"
	assert edge.raw(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunked, 2).startswith(b"HTTP/1.1 400")


def test_large_headers_are_refused(edge):
	answer = edge.raw(b"GET /v1/health HTTP/1.1\r\nHost: e\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", 2)
	assert answer == b"" or answer.split()[1] in (b"400", b"431")


def test_an_unknown_document(edge):
	assert edge.request("GET", f"/v1/offer/{'A' * 43}")[0] == 404


def test_a_document_may_be_kept_for_ever(edge):
	(document,) = json.loads(edge.power_on("HOTEL-000001")[2])["documents"]
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
	status, headers, body = edge.post("/v1/enrol", enrolment("HOTEL-000009"))
	assert (status, json.loads(body)["error"]) == (503, "unavailable")
	assert int({name.lower(): value for name, value in headers.items()}["retry-after"]) > 0


def test_a_fleet(edge, rights):
	plays = [f"HOTEL-1{number:05}" for number in range(60)]
	refused = [f"HOTEL-2{number:05}" for number in range(30)]
	for serials, state in ((plays, "Active"), (refused, "Suspended")):
		for serial in serials:
			rights.set_state(serial, state)
	last = edge.tv(refused[-1])
	eventually(lambda: last.power_on().kind == BARKER)
	serials = [*plays, *refused[:-1], *(f"NOBODY-{number:04}" for number in range(20))]
	fleet = [Identity(serial, credential(serial)) for serial in serials]
	remembered = {}
	for _time in range(2):
		result = power_on_all(fleet, lambda: service(edge), threads=4, remembered=remembered)
		assert dict(result.screens) == {"playing": 60, "barker suspended": 29, "pairing invalid_device": 20}
	assert {remembered[serial].counts["edge"] for serial in plays} == {2}
	assert 0 < result.percentile(50) <= result.percentile(99)
