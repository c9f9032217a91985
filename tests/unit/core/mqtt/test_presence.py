"""Presence: one entry a TV, and one count a TV and command, however often it speaks."""

from subscriber_tv.core.mqtt import payloads, presence, topics

NOW = 1_800_000_000


def say(found, serial, leaf, payload, *, retained=False, at=NOW):
	found.take(presence.Heard(topics.Address("d", serial, leaf), payload, retained, at))


def test_only_the_last_word_counts():
	found = presence.Presence()
	for payload in (b"online", b"offline", b"online"):
		say(found, "TV-AAAA", "st", payload)
	say(found, "TV-BBBB", "st", b"offline")
	changes = found.changes()
	assert (changes.online_live, changes.offline_live) == (("TV-AAAA",), ("TV-BBBB",))
	assert not found.changes()


def test_what_the_broker_kept_says_nothing_about_when():
	found = presence.Presence()
	say(found, "TV-AAAA", "st", b"online", retained=True)
	say(found, "TV-BBBB", "st", b"offline", retained=True)
	changes = found.changes()
	assert (changes.online_kept, changes.offline_kept) == (("TV-AAAA",), ("TV-BBBB",))
	assert not changes.online_live and not changes.offline_live


def test_who_comes_again_and_again_without_going_is_taken_over():
	found = presence.Presence()
	begin = NOW // 3600 * 3600
	for second in range(2):
		say(found, "TV-AAAA", "st", b"online", retained=True, at=begin + second)
	for second in range(3):
		say(found, "TV-BBBB", "st", b"online", at=begin + 2 * second)
		say(found, "TV-BBBB", "st", b"offline", at=begin + 2 * second + 1)
	# A broker that starts anew brings every TV back, once.
	found.begin_anew()
	for serial in ("TV-AAAA", "TV-CCCC"):
		say(found, serial, "st", b"online", retained=True, at=begin + 60)
		say(found, serial, "st", b"online", at=begin + 61)
	assert found.taken_over() == []
	for second in range(5):
		say(found, "TV-CCCC", "st", b"online", at=begin + 100 + second)
	for hour in range(4):
		say(found, "TV-AAAA", "st", b"online", at=begin + 3600 * hour + 120)
	assert found.taken_over() == [("TV-CCCC", begin + 101)]
	assert found.taken_over() == []


def test_a_thousand_heartbeats_are_one_write_in_ten_minutes():
	found = presence.Presence()
	written = 0
	for second in range(1000):
		say(found, "TV-AAAA", "hb", b'{"temp":"40"}', at=NOW + second)
		written += len(found.changes().seen)
	assert written == 2


def test_what_a_tv_measures_is_added_up_by_the_hour():
	found = presence.Presence()
	for second in range(60):
		say(found, "TV-AAAA", "hb", b'{"temp":"%d","ch":"1"}' % (30 + second % 20), at=NOW + second)
	say(found, "TV-AAAA", "hb", b'{"temp":"99"}', retained=True)
	(row,) = found.hours.take()
	assert (row.serial, row.beats, row.temp_max, row.channel) == ("TV-AAAA", 60, 49, "1")


def test_a_heartbeat_beside_a_state_is_no_write_of_its_own():
	found = presence.Presence()
	say(found, "TV-AAAA", "hb", b"{}")
	say(found, "TV-AAAA", "st", b"online")
	changes = found.changes()
	assert (changes.seen, changes.online_live) == ((), ("TV-AAAA",))


def test_each_tv_acknowledges_a_command_once():
	found = presence.Presence()
	for _again in range(3):
		for serial in ("TV-AAAA", "TV-BBBB"):
			say(found, serial, "ack", payloads.acknowledgement("TVC-1", "done"))
	say(found, "TV-CCCC", "ack", payloads.acknowledgement("TVC-1", "refused"))
	changes = found.changes()
	assert (changes.done, changes.refused) == ({"TVC-1": 2}, {"TVC-1": 1})
	say(found, "TV-AAAA", "ack", payloads.acknowledgement("TVC-1", "refused"))
	assert not found.changes()


def test_what_could_not_be_written_is_told_again_unless_news_came():
	found = presence.Presence()
	for serial, leaf, payload in (
		("TV-AAAA", "st", b"online"),
		("TV-BBBB", "st", b"online"),
		("TV-CCCC", "hb", b"{}"),
		("TV-AAAA", "ack", payloads.acknowledgement("TVC-1", "done")),
	):
		say(found, serial, leaf, payload)
	changes = found.changes()
	say(found, "TV-BBBB", "st", b"offline")
	say(found, "TV-BBBB", "ack", payloads.acknowledgement("TVC-1", "done"))
	found.give_back(changes)
	again = found.changes()
	assert (again.online_live, again.offline_live, again.seen) == (("TV-AAAA",), ("TV-BBBB",), ("TV-CCCC",))
	assert again.done == {"TVC-1": 2}


def test_memory_of_commands_is_bounded():
	found = presence.Presence()
	for n in range(presence.OPEN_COMMANDS + 10):
		say(found, "TV-AAAA", "ack", payloads.acknowledgement(f"TVC-{n}", "done"))
	assert len(found._acknowledged) == presence.OPEN_COMMANDS


def test_nonsense_is_counted_and_changes_nothing():
	found = presence.Presence()
	for leaf, payload in (("st", b"dead"), ("hb", b"["), ("ack", b"{}"), ("cmd", b"online")):
		say(found, "TV-AAAA", leaf, payload)
	assert found.refused == 4
	assert not found.changes()


def test_who_is_not_told_of_on_a_new_connection_is_missing():
	found = presence.Presence()
	say(found, "TV-AAAA", "st", b"online")
	found.begin_anew()
	say(found, "TV-BBBB", "st", b"online", retained=True)
	say(found, "TV-CCCC", "st", b"offline", retained=True)
	assert found.missing(["TV-AAAA", "TV-BBBB", "TV-CCCC"]) == ["TV-AAAA", "TV-CCCC"]
