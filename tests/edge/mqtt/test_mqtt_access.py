"""Who hears and says what at a real broker, with the access list we write."""

import pytest
from mqtt_sets import FAR, ONE, TWO, eventually, order, say, settle

from subscriber_tv.core.mqtt import payloads


def test_site_and_group_reach_their_own_tvs_only(broker, app, tv):
	one, two, far = tv(ONE), tv(TWO), tv(FAR)
	say(app, broker.topic("site", "TVL-1", "cmd"), payloads.hint(10**6 + 1, 0))
	eventually(lambda: one.asked and two.asked)
	say(app, broker.topic("g", "TV32", "cmd"), order("g/TV32", id="TVC-GROUP"))
	eventually(lambda: one.obeyed and far.obeyed)
	settle()
	assert not far.asked and not two.obeyed


def test_a_tv_hears_nobody_elses_topics_whatever_it_subscribes_to(broker, app, raw):
	say(app, broker.topic("d", TWO.serial, "ent"), payloads.hint(11, 0), retain=True)
	spy = raw(ONE.serial)
	for wanted in (
		"#",
		"+/#",
		"$SYS/#",
		"$SYS/broker/version",
		"tv/v1/my-operator/d/+/ent",
		"tv/v1/my-operator/d/+/cmd",
		broker.topic("d", TWO.serial, "ent"),
		broker.topic("d", TWO.serial, "cmd"),
		broker.topic("d", TWO.serial, "st"),
		"tv/v1/my-operator/site/+/cmd",
		"tv/v1/my-operator/g/+/cmd",
		"$share/x/tv/v1/my-operator/d/+/cmd",
	):
		spy.client.subscribe(wanted, 1)
	own = broker.topic("d", ONE.serial, "cmd")
	say(app, broker.topic("d", TWO.serial, "cmd"), b"secret")
	say(app, broker.topic("site", "TVL-2", "cmd"), b"secret")
	say(app, broker.topic("g", "TV43", "cmd"), b"secret")
	say(app, own, b"mine")
	eventually(lambda: (own, b"mine") in spy.messages)
	settle()
	heard = {topic for topic, _payload in spy.messages}
	shared = {topic for topic in heard if "/site/TVL-1/" in topic or "/g/TV32/" in topic}
	assert heard - shared <= {own, broker.topic("d", ONE.serial, "ent")}


@pytest.mark.parametrize(
	"topic",
	[
		"tv/v1/my-operator/d/HOTEL-000002/st",
		"tv/v1/my-operator/d/HOTEL-000002/cmd",
		"tv/v1/my-operator/d/HOTEL-000001/cmd",
		"tv/v1/my-operator/d/HOTEL-000001/ent",
		"tv/v1/my-operator/site/TVL-1/cmd",
		"tv/v1/my-operator/g/TV32/cmd",
		"tv/v1/my-operator/d/HOTEL-000001/other",
		"anything",
	],
)
def test_a_tv_writes_nothing_but_its_own_three_topics(raw, topic):
	assert raw(ONE.serial).publish(topic, retain=True) == 0x87


def test_the_app_too_is_kept_to_its_part(broker, raw):
	users = broker.users
	assert raw(users.listener, broker.app_password).publish(broker.topic("d", ONE.serial, "ent")) == 0x87
	spy = raw(users.publisher, broker.app_password)
	spy.client.subscribe("tv/v1/my-operator/d/+/st", 1)
	assert raw(ONE.serial).publish(broker.topic("d", ONE.serial, "st"), b"online") in (0, 0x10)
	settle()
	assert not spy.messages


@pytest.mark.parametrize(
	("user", "password"),
	[
		(ONE.serial, "wrong"),
		(ONE.serial, ""),
		("HOTEL-999999", "x"),
		("#", "x"),
		("+", "x"),
		("tv-app-publisher", "x"),
	],
)
def test_nobody_connects_without_the_password(raw, user, password):
	assert raw(user, password or "empty").reason in (0x86, 0x87)


def test_the_password_of_one_tv_opens_no_other(broker, raw):
	assert raw(TWO.serial, broker.password(ONE.serial)).reason in (0x86, 0x87)


def test_a_client_id_is_not_believed_so_no_tv_throws_another_out(broker, tv, raw):
	victim = tv(TWO)
	raw(ONE.serial, client_id=TWO.serial)
	settle(1.5)
	assert victim.ear.connections == 1


def test_a_will_on_somebody_elses_topic_tells_nothing(broker, raw, listener):
	thief = raw(ONE.serial, will=(broker.topic("d", TWO.serial, "st"), b"offline"))
	if thief.reason == 0:
		thief.client.socket().close()
	settle()
	assert not [one for one in listener.received() if TWO.serial in one.topic and not one.retained]


def test_too_large_a_packet_is_refused_on_both_sides(broker, app, raw):
	with pytest.raises(ValueError):
		app.publish(broker.topic("d", ONE.serial, "cmd"), b"x" * payloads.MAX_PACKET, within=5)
	loud = raw(ONE.serial)
	loud.client.publish(broker.topic("d", ONE.serial, "hb"), b"x" * 8_500, 0)
	eventually(lambda: loud.ended == [0x95])
