"""Points of suspicion: they add up, fade, never come from addresses alone, and go no further than the offer says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriber_tv.core.devices import clones
from subscriber_tv.core.devices.clones import (
	DAY,
	FINGERPRINT,
	FORKED,
	MOVED,
	NETWORKS,
	RESTORED,
	RESYNC,
	STREAMS,
	TAKEOVER,
	Evidence,
	judge,
)

NOW = 1_800_000_000


def forks(*days_ago: float, **fields) -> list[Evidence]:
	return [Evidence(RESYNC, int(NOW - days * DAY), **fields) for days in days_ago]


@pytest.mark.parametrize(
	("days_ago", "level"),
	[
		((1,), ""),
		((1, 3), "Watched"),
		((1, 3, 6.9), "Quarantined"),
		((8, 9, 10), "Watched"),
		((8, 10, 13), ""),
		((14, 15, 16), ""),
	],
)
def test_two_forks_in_a_week_are_suspect_and_three_are_enough(days_ago, level):
	assert judge(forks(*days_ago), now=NOW).level == level


def test_a_line_that_comes_back_restricts_and_a_second_time_quarantines():
	back, comes = Evidence(RESTORED, NOW - 3 * DAY, counter=7), Evidence(FORKED, NOW - 2 * DAY, counter=9)
	assert judge([back], now=NOW).level == ""
	assert judge([back, comes], now=NOW).level == judge([comes], now=NOW + 20 * DAY).level == "Restricted"
	again = Evidence(FORKED, NOW - DAY, counter=12)
	assert judge([back, comes, again], now=NOW).level == "Quarantined"


def test_a_memory_that_falls_back_all_the_time_is_not_acted_on():
	worn = [Evidence(RESTORED, NOW - hour * 3600, counter=hour) for hour in range(1, 100)]
	at_two_networks = [Evidence(NETWORKS, NOW - 60), Evidence(MOVED, NOW - 60)]
	assert judge(worn, now=NOW).level == ""
	assert judge([*worn, *forks(1)], now=NOW).level == "Watched"
	assert judge([*worn, at_two_networks[0]], now=NOW).level == "Watched"
	assert judge([*worn, Evidence(STREAMS, NOW - 60)], now=NOW).level == "Quarantined"


@pytest.mark.parametrize(
	("policy", "level"), [("Watch", "Watched"), ("Restrict", "Restricted"), ("Quarantine", "Quarantined")]
)
def test_no_step_goes_further_than_the_offer_says(policy, level):
	found = judge(forks(1, 2, 3), now=NOW, policy=policy)
	assert (found.level, found.score) == (level, 105)


def test_two_forks_from_networks_far_apart_restrict():
	signs = [*forks(1, 2), Evidence(NETWORKS, NOW - 60)]
	assert judge(signs, now=NOW).level == "Restricted"


def test_a_repeated_assertion_is_one_fork():
	"""The answer got lost and the TV asked again: two rows, one cause."""
	signs = [Evidence(RESYNC, NOW - 100 + second, "192.0.2.0/24") for second in (0, 40, 90)]
	assert judge(signs, now=NOW).score == 35
	elsewhere = [*signs, Evidence(RESYNC, NOW - 50, "198.51.100.0/24")]
	assert judge(elsewhere, now=NOW).score == 70


def test_a_memory_that_falls_back_to_one_number_is_no_second_set():
	stuck = forks(1, 2, 3, 4, counter=17)
	assert judge(stuck, now=NOW).score == 35
	moving = [Evidence(RESYNC, NOW - day * DAY, counter=day) for day in (1, 2, 3)]
	assert judge(moving, now=NOW).level == "Quarantined"


def test_what_came_before_the_pairing_or_the_clearing_is_void():
	assert judge(forks(1, 2, 3), now=NOW, since=NOW - int(2.5 * DAY)).score == 70
	assert judge(forks(1, 2, 3), now=NOW, since=NOW).score == 0


def test_a_quarantine_does_not_end_by_waiting():
	assert judge([], now=NOW, current="Quarantined").level == "Quarantined"
	assert judge([], now=NOW, current="Restricted").level == ""


def test_a_sign_that_all_tvs_show_at_once_accuses_none():
	hour = frozenset({(RESYNC, (NOW - DAY) // 3600)})
	assert judge(forks(1, 2, 3), now=NOW, crowded=hour).score == 70
	assert clones.is_crowd(60, 2000) and not clones.is_crowd(60, 563_000) and not clones.is_crowd(5, 10)


@pytest.mark.parametrize(("count", "points"), [(1, 0), (2, 0), (3, 30), (50, 30)])
def test_few_take_overs_are_a_bad_connection(count, points):
	assert judge([Evidence(TAKEOVER, NOW - 60, count=count)], now=NOW).score == points


def test_a_foreign_fingerprint_counts_once_a_day():
	other = [Evidence(FINGERPRINT, NOW - hour * 3600, fingerprint="F" * 43) for hour in (1, 2, 3)]
	assert judge(other, now=NOW).score == 50
	assert judge([*other, Evidence(STREAMS, NOW - 5)], now=NOW).level == "Quarantined"


signs = st.builds(
	Evidence,
	kind=st.sampled_from(sorted(clones.WEIGHTS)),
	at=st.integers(NOW - 90 * DAY, NOW + DAY),
	network=st.sampled_from(["", "192.0.2.0/24", "198.51.100.0/24"]),
	fingerprint=st.sampled_from(["", "F" * 43]),
	counter=st.integers(0, 5),
	count=st.integers(1, 9),
)


@given(st.lists(signs, max_size=40), st.sampled_from(["Watch", "Restrict", "Quarantine"]))
def test_addresses_alone_never_accuse(evidence, policy):
	by_address = [sign for sign in evidence if sign.kind in (NETWORKS, MOVED)]
	found = judge(by_address, now=NOW, policy=policy)
	assert found.level == "" and found.score < 60


@given(st.lists(signs, max_size=40), signs, st.sampled_from(["Watch", "Restrict", "Quarantine"]))
def test_the_order_of_arrival_does_not_matter_and_time_only_helps(evidence, more, policy):
	found = judge(evidence, now=NOW, policy=policy)
	assert judge(reversed(evidence), now=NOW, policy=policy).score == found.score
	later = judge(evidence, now=NOW + 2 * DAY, policy=policy)
	assert later.score <= found.score or any(sign.at > NOW for sign in evidence)
	assert found.score <= sum(weight.most for weight in clones.WEIGHTS.values())
	assert sum(reason.points for reason in found.reasons) >= found.score


@pytest.mark.parametrize(
	("neighbours", "moved"),
	[
		({}, False),
		({"B": 2}, False),
		({"B": 3}, True),
		({"B": 30, "A": 1}, False),
		({"A": 40}, False),
	],
)
def test_a_tv_at_anothers_network_has_moved(neighbours, moved):
	assert clones.has_moved("A", neighbours) is moved
