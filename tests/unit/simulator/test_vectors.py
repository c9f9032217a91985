"""The published test vectors are those of this code, and a maker who knows only the document gets the same bytes."""

import base64
import hashlib
import hmac
import json
import re
from pathlib import Path

import pytest

from subscriber_tv.__main__ import main
from subscriber_tv.core.devices import jws
from subscriber_tv.simulator import contract

FOLDER = Path(__file__).resolve().parents[3] / "fixtures" / "protocol"
VECTORS = json.loads((FOLDER / "vectors.json").read_bytes())
CASES = {case["name"]: case for case in VECTORS["cases"]}
AUTHENTIC = (200, 204, 403, 409)


def test_the_files_are_what_this_code_makes(tmp_path, capsys):
	assert main(["vectors", str(tmp_path)]) == 0
	made = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*.json")}
	kept = {path.relative_to(FOLDER): path.read_bytes() for path in FOLDER.rglob("*.json")}
	assert made.keys() == kept.keys()
	for name in made:
		assert made[name] == kept[name], f"{name}: run python -m subscriber_tv vectors fixtures/protocol"
	capsys.readouterr()
	assert main(["vectors", str(tmp_path)]) == 0
	assert capsys.readouterr().out == "nothing changed\n"


# The protocol once more, in ten lines of the standard library, as docs/device-protocol.md tells it.


def b64(data):
	return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unb64(text):
	return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def sha256_mac(key, text):
	return hmac.new(key, text.encode() if isinstance(text, str) else text, hashlib.sha256).digest()


def key_of(serial, jkt, epoch):
	return sha256_mac(unb64(VECTORS["keys"]["masters"][epoch]), f"tv-mac-1\n{serial}\n{jkt}")


def test_keys_follow_from_the_document():
	tv, small = VECTORS["keys"]["tv"], VECTORS["keys"]["small_tv"]
	point = {name: tv["jwk"][name] for name in ("crv", "kty", "x", "y")}
	spelled = json.dumps(point, sort_keys=True, separators=(",", ":"))
	assert tv["jkt"] == b64(hashlib.sha256(spelled.encode()).digest())
	assert small["jkt"] == b64(hashlib.sha256(unb64(small["credential"])).digest())
	for epoch, key in VECTORS["derived"]["K_mac"].items():
		assert key == b64(key_of(tv["serial"], tv["jkt"], epoch))
	assert VECTORS["derived"]["K_mac_small_tv"] == b64(key_of(small["serial"], small["jkt"], "2"))
	parts = VECTORS["derived"]["binding"]
	assert parts["f"] == b64(hashlib.sha256("\n".join(parts["parts"]).encode()).digest())


def test_challenges_follow_from_the_document():
	key = sha256_mac(unb64(VECTORS["keys"]["masters"]["2"]), "tv-challenge-1")
	for name, audience in (("challenge", VECTORS["audience"]), ("challenge_for_the_desk", "desk")):
		text = f"{audience}\n{VECTORS['keys']['tv']['serial']}\n{VECTORS['now']}"
		made = VECTORS["now"].to_bytes(8, "big") + sha256_mac(key, text)[:24]
		assert VECTORS["derived"][name] == b64(made)


def test_proofs_of_a_pin_follow_from_the_document():
	known, serial = VECTORS["derived"]["pin"], VECTORS["keys"]["tv"]["serial"]
	salt = f"tv-pin-1\n{serial}".encode()
	verifier = hashlib.pbkdf2_hmac("sha256", known["pin"].encode(), salt, 10_000)
	assert known["verifier"] == b64(verifier)
	asked = json.loads(CASES["stream: locked, right PIN"]["request"]["body"])
	text = "\n".join(["tv-pin-1", VECTORS["audience"], asked["d"], asked["c"], asked["n"]])
	assert asked["pin"] == b64(sha256_mac(verifier, text))


def signed_text(path, asked):
	common = [VECTORS["audience"], *(asked[name] for name in "decn")]
	if path == "/v1/auth":
		return "\n".join(["tv-auth-1", *common, asked["f"], asked.get("t", "")])
	if path == "/v1/stream":
		shown = [asked["pin"]] if "pin" in asked else []
		return "\n".join(["tv-stream-1", *common, asked["o"], asked["ch"], asked["sid"], *shown])
	told = sorted(f"{name}={value}" for name, value in asked.items() if name not in "decnm")
	return "\n".join(["tv-hb-1", *common, *told])


def mac_cases():
	return [name for name, case in CASES.items() if '"m":' in case["request"]["body"]]


@pytest.mark.parametrize("name", mac_cases())
def test_a_request_is_authentic_exactly_where_it_is_answered(name):
	case = CASES[name]
	asked = json.loads(case["request"]["body"])
	tv = VECTORS["keys"]["tv"]
	known = case["state"]["paired"] and asked["e"] in VECTORS["keys"]["masters"] and "twice" not in name
	authentic = known and asked["m"] == b64(
		sha256_mac(key_of(tv["serial"], tv["jkt"], asked["e"]), signed_text(case["request"]["path"], asked))
	)
	assert authentic == (case["reply"]["status"] in AUTHENTIC)


@pytest.mark.parametrize(
	"name", [name for name in CASES if not name.startswith(("enrol", "token", "challenge"))]
)
def test_a_reply_to_a_genuine_tv_is_under_its_mac(name):
	case, reply = CASES[name], CASES[name]["reply"]
	shown = reply["headers"].get("X-TV-MAC")
	assert bool(shown) == (reply["status"] in AUTHENTIC)
	if not shown:
		return
	asked = json.loads(case["request"]["body"])
	tv = VECTORS["keys"]["small_tv" if asked.get("d") == "SMALL-000001" else "tv"]
	key = key_of(tv["serial"], tv["jkt"], asked.get("e", "2"))
	assert shown == b64(sha256_mac(key, b"tv-reply-1\n" + reply["body"].encode()))
	if reply["status"] != 204:
		assert json.loads(reply["body"])["n"]


def test_leases_and_key_sets_are_signed():
	operator = jws.Verifier(VECTORS["keys"]["operator"]["jwks"])
	lease = json.loads(CASES["auth: allowed"]["reply"]["body"])["lease"]
	assert json.loads(operator.verify(jws.LEASE, lease))["sub"] == VECTORS["keys"]["tv"]["serial"]
	denial = json.loads(CASES["auth: suspended"]["reply"]["body"])["denial"]
	assert json.loads(operator.verify(jws.DENIAL, denial))["code"] == "suspended"
	root = jws.Verifier({"keys": [VECTORS["keys"]["root"]["jwk"]]})
	claims = json.loads(root.verify(jws.KEYS, VECTORS["signed_keys"]))
	assert claims["keys"] == VECTORS["keys"]["operator"]["jwks"]["keys"]
	with pytest.raises(jws.BadSignature):
		operator.verify(jws.KEYS, VECTORS["signed_keys"])


def test_a_lease_is_its_askers_own_and_no_other_tvs():
	operator, tvs = jws.Verifier(VECTORS["keys"]["operator"]["jwks"]), VECTORS["keys"]
	found = 0
	for case in CASES.values():
		reply = json.loads(case["reply"]["body"] or "{}")
		if "lease" not in reply:
			continue
		asked = json.loads(case["request"]["body"])
		tv = tvs["small_tv" if asked.get("d") == "SMALL-000001" else "tv"]
		claims = json.loads(operator.verify(jws.LEASE, reply["lease"]))
		assert (claims["sub"], claims["cnf"]) == (tv["serial"], {"jkt": tv["jkt"]})
		assert (claims["bind"], claims["lim"]) == (VECTORS["derived"]["binding"]["f"], 1)
		found += 1
	assert found >= 5


def test_what_happens_in_each_case():
	found = {name: (case["reply"]["status"], error_of(case)) for name, case in CASES.items()}
	assert found == {
		"auth: allowed": (200, ""),
		"auth: allowed, clock wrong": (200, ""),
		"auth: allowed, epoch before": (200, ""),
		"auth: suspended": (403, "suspended"),
		"auth: parts changed": (403, "binding_mismatch"),
		"auth: reply was lost": (200, ""),
		"auth: replayed": (409, "replayed"),
		"auth: count ran away": (409, "resync_required"),
		"auth: unknown TV": (401, "invalid_device"),
		"auth: made for another node": (401, "invalid_device"),
		"auth: epoch unknown": (401, "invalid_device"),
		"auth: key given twice": (400, "invalid_request"),
		"challenge": (200, ""),
		"assert: allowed": (200, ""),
		"assert: allowed, telling its last questions": (200, ""),
		"assert: suspended": (403, "suspended"),
		"assert: count too low": (409, "replayed"),
		"assert: challenge too old": (409, "resync_required"),
		"assert: unknown TV": (401, "invalid_device"),
		"assert: TV without a key store": (200, ""),
		"heartbeat": (204, ""),
		"stream: start TF1": (200, ""),
		"stream: start CANAL": (403, "not_entitled"),
		"stream: stop TF1": (200, ""),
		"stream: locked, no PIN": (403, "parental_locked"),
		"stream: locked, wrong PIN": (403, "parental_locked"),
		"stream: locked, right PIN": (200, ""),
		"enrol": (200, ""),
		"token: authorization_pending": (400, "authorization_pending"),
		"token: slow_down": (400, "slow_down"),
		"token: access_denied": (400, "access_denied"),
		"token: expired_token": (400, "expired_token"),
		"token: granted": (200, ""),
	}


def error_of(case):
	body = json.loads(case["reply"]["body"] or "{}")
	return body.get("error") or body.get("code") or ""


@pytest.mark.parametrize("name", [name for name in CASES if "twice" not in name])
def test_every_request_and_reply_fits_its_schema(name):
	case = CASES[name]
	operation = contract.openapi()["paths"][case["request"]["path"]]["post"]
	schema = operation["requestBody"]["content"]["application/json"]["schema"]
	asked = json.loads(case["request"]["body"])
	assert sum(fits(asked, form) for form in schema.get("oneOf", [schema])) == 1
	reply = operation["responses"][str(case["reply"]["status"])]
	if case["reply"]["body"]:
		assert fits(json.loads(case["reply"]["body"]), reply["content"]["application/json"]["schema"])


def fits(document, reference):
	schema = contract.schemas()[reference["$ref"].rpartition("/")[2]]
	known = schema["properties"]
	if not set(schema.get("required", ())) <= document.keys():
		return False
	if schema.get("additionalProperties") is False and not document.keys() <= known.keys():
		return False
	return all(
		re.search(known[name]["pattern"], value)
		for name, value in document.items()
		if name in known and "pattern" in known[name]
	)
