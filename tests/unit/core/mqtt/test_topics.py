"""Topics: nothing that could widen one ever gets into it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriber_tv.core.mqtt import topics

OPERATOR = "antenne-bleue"
TV = "AB43H-026001"


@pytest.mark.parametrize(
	("kind", "name", "leaf", "topic"),
	[
		("d", TV, "cmd", f"tv/v1/antenne-bleue/d/{TV}/cmd"),
		("d", TV, "ent", f"tv/v1/antenne-bleue/d/{TV}/ent"),
		("d", TV, "st", f"tv/v1/antenne-bleue/d/{TV}/st"),
		("site", "TVL-00001", "cmd", "tv/v1/antenne-bleue/site/TVL-00001/cmd"),
		("g", "AB43H", "cmd", "tv/v1/antenne-bleue/g/AB43H/cmd"),
	],
)
def test_a_topic_is_built_and_read_back(kind, name, leaf, topic):
	assert topics.build(OPERATOR, kind, name, leaf) == topic
	assert topics.parse(OPERATOR, topic) == topics.Address(kind, name, leaf)


@pytest.mark.parametrize(
	"serial",
	[
		"",
		"+",
		"#",
		"$SYS",
		"SHORT",
		"lower-case",
		"A" * 33,
		"AB43H/026001",
		"AB43H-02600+",
		"AB43H-02600É",
		TV + "\n",
	],
)
def test_a_bad_serial_is_refused(serial):
	with pytest.raises(topics.BadTopic):
		topics.build(OPERATOR, "d", serial, "cmd")


@pytest.mark.parametrize("operator", ["", "+", "#", "$share", "A", "a/b", "-a", "a" * 33, "a\n"])
def test_a_bad_operator_is_refused(operator):
	for attempt in (
		lambda: topics.build(operator, "d", TV, "cmd"),
		lambda: topics.of_all_tvs(operator),
		lambda: topics.parse(operator, f"tv/v1/{operator}/d/{TV}/cmd"),
	):
		with pytest.raises(topics.BadTopic):
			attempt()


@pytest.mark.parametrize(
	("kind", "leaf"), [("site", "ent"), ("g", "st"), ("d", "#"), ("x", "cmd"), ("site", "ack")]
)
def test_no_address_has_a_leaf_that_is_not_its_own(kind, leaf):
	with pytest.raises(topics.BadTopic):
		topics.build(OPERATOR, kind, TV, leaf)


@pytest.mark.parametrize(
	"topic",
	[
		f"tv/v1/other/d/{TV}/cmd",
		f"tv/v1/antenne-bleue/d/{TV}/cmd/more",
		f"tv/v1/antenne-bleue/d/{TV}",
		"tv/v1/antenne-bleue/d/+/cmd",
		"tv/v1/antenne-bleue/site/#/cmd",
		"tv/v1/antenne-bleue/site//cmd",
		"$SYS/broker/uptime",
		f"TV/v1/antenne-bleue/d/{TV}/cmd",
	],
)
def test_what_is_no_topic_of_ours_is_not_read(topic):
	with pytest.raises(topics.BadTopic):
		topics.parse(OPERATOR, topic)


@given(st.text(min_size=1))
def test_any_name_of_a_site_makes_one_level_without_wildcards(name):
	topic = topics.build(OPERATOR, "site", name, "cmd")
	assert topic.count("/") == 5
	assert not set("+#$\n\0 ") & set(topic)
	assert topics.parse(OPERATOR, topic).id == topics.label(name)


def test_different_names_have_different_labels():
	names = ["Hôtel du Port", "Hotel du Port", "Hôtel du Port ", "a/b", "a+b", "a#b", "~x"]
	assert len({topics.label(name) for name in names}) == len(names)


def test_a_tv_hears_its_own_its_sites_and_its_groups_topics_only():
	assert topics.heard_by(OPERATOR, TV, "TVL-1", "AB43H") == (
		f"tv/v1/antenne-bleue/d/{TV}/cmd",
		f"tv/v1/antenne-bleue/d/{TV}/ent",
		"tv/v1/antenne-bleue/site/TVL-1/cmd",
		"tv/v1/antenne-bleue/g/AB43H/cmd",
	)
	assert len(topics.heard_by(OPERATOR, TV)) == 2
