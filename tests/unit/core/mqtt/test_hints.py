"""Hints: one each for a few TVs, one for all where a hotel changes."""

from subscriber_tv.core.mqtt import hints
from subscriber_tv.core.mqtt.hints import Change, Telling


def hotel(number: int, site="TVL-1", version=10) -> list[Change]:
	return [Change(f"HOTEL-{n:06}", version + n, site) for n in range(number)]


def test_a_few_tvs_are_told_each():
	assert hints.plan(hotel(2), {"TVL-1": 2}) == [
		Telling("d", "HOTEL-000000", 10),
		Telling("d", "HOTEL-000001", 11),
	]


def test_a_hotel_is_told_once_about_its_newest_version():
	found = hints.plan(hotel(10_000), {"TVL-1": 10_000})
	assert found == [Telling("site", "TVL-1", 10_009, 10_000)]
	assert hints.asked(found) == 10_000


def test_a_part_of_a_hotel_does_not_make_the_rest_ask():
	found = hints.plan(hotel(40), {"TVL-1": 81})
	assert len(found) == 40 and hints.asked(found) == 40
	assert hints.plan(hotel(40), {"TVL-1": 80}) == [Telling("site", "TVL-1", 49, 80)]


def test_tvs_that_left_their_site_are_told_each():
	found = hints.plan(hotel(50, site=""), {})
	assert len(found) == 50 and {telling.kind for telling in found} == {"d"}


def test_a_tv_that_changed_twice_is_told_once():
	changes = [Change("HOTEL-000001", 4), Change("HOTEL-000001", 9), Change("HOTEL-000001", 7)]
	assert hints.plan(changes, {}) == [Telling("d", "HOTEL-000001", 9)]


def test_a_changed_document_is_named_wherever_it_is_told():
	few, many = Change("HOTEL-000001", 4), hotel(30)
	found = hints.plan([few, *many], {"TVL-1": 30}, "hash")
	assert found == [Telling("d", "HOTEL-000001", 4, 1, "hash"), Telling("site", "TVL-1", 39, 30, "hash")]


def test_a_serial_that_can_stand_in_no_topic_is_left_out():
	assert hints.plan([Change("tv-small", 1), Change("A/B", 2), Change("+", 3)], {}) == []


def test_sites_are_judged_each_for_itself():
	changes = [*hotel(30), Change("CLINIC-00001", 5, "TVL-2")]
	assert hints.plan(changes, {"TVL-1": 30, "TVL-2": 200}) == [
		Telling("site", "TVL-1", 39, 30),
		Telling("d", "CLINIC-00001", 5),
	]
