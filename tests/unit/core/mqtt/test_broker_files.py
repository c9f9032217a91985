"""Files for brokers: those we ship are those we write, and they say what the topics say."""

import base64
import hashlib
import re
from pathlib import Path

import pytest

from subscriber_tv.core.mqtt import broker_files, topics

DEPLOY = Path(__file__).resolve().parents[4] / "deploy"
USERS = broker_files.services("tv-app")
TV = broker_files.Member("AB43H-026001", "TVL-00001", "AB43H")


def test_the_shipped_examples_are_what_is_written():
	assert (DEPLOY / "mosquitto/acl.example").read_text() == broker_files.mosquitto_acl(
		"my-operator", USERS, [TV]
	)
	assert (DEPLOY / "emqx/acl.conf").read_text() == broker_files.emqx_acl("my-operator", USERS)


def test_every_topic_of_the_protocol_is_allowed_to_somebody_on_either_broker():
	mosquitto = broker_files.mosquitto_acl("my-operator", USERS, [TV])
	emqx = broker_files.emqx_acl("my-operator", USERS)
	for leaf in topics.TO_TV + topics.FROM_TV:
		assert f"tv/v1/my-operator/d/%u/{leaf}\n" in mosquitto
		assert f'"tv/v1/my-operator/d/${{username}}/{leaf}"' in emqx
	for kind in (topics.SITE, topics.GROUP):
		assert f"topic write tv/v1/my-operator/{kind}/+/cmd\n" in mosquitto
		assert f'"tv/v1/my-operator/{kind}/+/cmd"' in emqx
	assert emqx.endswith("{deny, all}.\n")


def test_no_tv_gets_a_wildcard():
	text = broker_files.mosquitto_acl("my-operator", USERS, [broker_files.Member("TV-000001", "+", "#")])
	own = text.split("user TV-000001\n")[1]
	assert "+" not in own and "#" not in own
	assert not re.search(r"^(pattern|topic read).*[#+]", own, re.M)


@pytest.mark.parametrize("serial", ["tv-app-publisher", "#", "A\nuser x", "short"])
def test_a_bad_serial_never_becomes_a_line(serial):
	with pytest.raises(topics.BadTopic):
		broker_files.mosquitto_acl("my-operator", USERS, [broker_files.Member(serial, "TVL-1")])


def test_no_serial_can_be_the_name_of_the_app():
	assert not topics.is_serial(USERS.publisher) and not topics.is_serial(USERS.listener)
	with pytest.raises(topics.BadTopic):
		broker_files.services("AB43H")


def test_a_password_follows_from_secret_and_serial():
	assert len(broker_files.tv_password(b"s", TV.serial)) == 43
	others = {broker_files.tv_password(s, t) for s in (b"s", b"t") for t in ("AB43H-026001", "AB43H-026002")}
	assert len(others) == 4


def test_the_password_file_is_stable_and_tells_no_password():
	words = {"AB43H-026001": "one", "tv-app-listener": "two"}
	text = broker_files.mosquitto_passwords(words, b"secret")
	assert text == broker_files.mosquitto_passwords(words, b"secret")
	user, _, hashed = text.splitlines()[0].partition(":")
	_, version, rounds, salt, found = hashed.split("$")
	again = hashlib.pbkdf2_hmac("sha512", b"one", base64.b64decode(salt), int(rounds))
	assert (user, version, base64.b64decode(found)) == ("AB43H-026001", "7", again)
	assert "one" not in text.replace("AB43H-026001", "") and "two" not in text
