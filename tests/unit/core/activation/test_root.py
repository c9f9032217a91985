"""Keys count only when the root signed them, for this time, and only as it signed them."""

import json
import time

import pytest

from subscriber_tv.__main__ import main
from subscriber_tv.core.devices import jws, root

NOW = 1_800_000_000
ROOT = jws.Signer(jws.new_key())
OPERATOR = jws.Signer(jws.new_key())
SIGNED = root.sign_keys(jws.jwks(OPERATOR), ROOT, NOW, 90)


@pytest.mark.parametrize("moment", [NOW - 300, NOW, NOW + 90 * root.DAY - 1])
def test_what_the_root_signed(moment):
	assert root.trusted_keys(SIGNED, ROOT.jwk, moment) == jws.jwks(OPERATOR)


def test_the_set_names_its_root_for_who_has_none_built_in():
	assert SIGNED["root"] == ROOT.jwk and "d" not in SIGNED["root"]


STRANGER = jws.Signer(jws.new_key(), ROOT.kid)
UNTRUSTED = {
	"no signature": jws.jwks(OPERATOR),
	"another root of the same name": root.sign_keys(jws.jwks(OPERATOR), STRANGER, NOW, 90),
	"signed by the operator": root.sign_keys(jws.jwks(OPERATOR), OPERATOR, NOW, 90),
	"an offer": {"keys": [], "signed": ROOT.sign(jws.OFFER, b'{"iat":0,"exp":9999999999,"keys":[]}')},
	"no claims": {"keys": [], "signed": ROOT.sign(jws.KEYS, b"[]")},
	"a number": {"keys": [], "signed": 5},
}


@pytest.mark.parametrize("key_set", UNTRUSTED.values(), ids=UNTRUSTED.keys())
def test_what_it_did_not(key_set):
	with pytest.raises(root.Untrusted):
		root.trusted_keys(key_set, ROOT.jwk, NOW)


@pytest.mark.parametrize("moment", [NOW - 301, NOW + 90 * root.DAY])
def test_a_signature_has_its_time(moment):
	with pytest.raises(root.Untrusted):
		root.trusted_keys(SIGNED, ROOT.jwk, moment)


def test_keys_put_beside_the_signature_do_not_count():
	added = {**SIGNED, "keys": jws.jwks(STRANGER)["keys"]}
	assert root.trusted_keys(added, ROOT.jwk, NOW) == jws.jwks(OPERATOR)


def test_the_commands_make_a_root_and_sign_with_it(tmp_path, capsys):
	secret, keys = tmp_path / "root.pem", tmp_path / "keys.json"
	assert main(["root-key", str(secret)]) == 0
	public = json.loads(capsys.readouterr().out)
	assert secret.stat().st_mode & 0o777 == 0o400
	assert main(["root-key", str(secret)]) == 1
	keys.write_text(json.dumps(jws.jwks(OPERATOR)))
	capsys.readouterr()
	assert main(["sign-keys", str(secret), str(keys), "--days", "30"]) == 0
	signed = json.loads(capsys.readouterr().out)
	assert root.trusted_keys(signed, public, int(time.time())) == jws.jwks(OPERATOR)
	assert jws.Verifier(signed).verify(jws.LEASE, OPERATOR.sign(jws.LEASE, b"{}")) == b"{}"
