"""What a replay's pairs and a storm come to, from what was heard."""

import json

import pytest

from benchmarks.device_auth import replay, storm
from benchmarks.device_auth.replay_load import FORK, REPEAT, judge


def allowed(nonce="n", time=100, lease="l"):
	body = {
		"decision": "allow",
		"lease": lease,
		"time": time,
		"play_until": time + 9,
		"ask_after": time + 5,
		"n": nonce,
	}
	return 200, json.dumps(body).encode()


def refused(error="replayed"):
	return 409, json.dumps({"error": error}).encode()


@pytest.mark.parametrize(
	("kind", "one", "other", "verdict"),
	[
		(FORK, allowed(), refused(), "one taken, one replayed"),
		(FORK, refused(), allowed(), "one taken, one replayed"),
		(FORK, allowed("a"), allowed("b"), "BOTH TAKEN"),
		(FORK, refused(), refused(), "other"),
		(FORK, allowed(), refused("resync_required"), "other"),
		(FORK, allowed(), (503, b"{}"), "other"),
		(REPEAT, allowed(), allowed(), "the same answer, byte for byte"),
		(REPEAT, allowed(), allowed(time=101), "the same answer, a second later"),
		(REPEAT, allowed(), allowed(lease="x"), "DIFFERENT ANSWERS"),
		(REPEAT, allowed(), refused(), "other"),
	],
)
def test_a_pair_is_judged_by_both_answers(kind, one, other, verdict):
	assert judge(kind, one, other) == verdict


@pytest.mark.parametrize(
	("forks", "repeats", "is_met"),
	[
		({"one taken, one replayed": 5}, {"the same answer, byte for byte": 5}, True),
		({"one taken, one replayed": 4, "BOTH TAKEN": 1}, {"the same answer, byte for byte": 5}, False),
		({"one taken, one replayed": 5}, {"DIFFERENT ANSWERS": 1}, False),
		({"one taken, one replayed": 4, "other": 1}, {"the same answer, a second later": 5}, False),
	],
)
def test_one_number_taken_twice_misses_the_goal(forks, repeats, is_met):
	goals = replay.goals_of({FORK: forks, REPEAT: repeats})
	assert all(goal.verdict == "met" for goal in goals) is is_met


def an_outcome(**changes):
	found = {"p99": 75.0, "last": 200.0, "mean_requests": 2.9, "denied": 0, "never": 0}
	return found | {"resident": [100 * 2**20, 120 * 2**20]} | changes


@pytest.mark.parametrize(
	("changes", "missed"),
	[
		({}, 0),
		({"p99": 81.0}, 1),
		({"last": 251.0}, 1),
		({"mean_requests": 3.1}, 1),
		({"denied": 1}, 1),
		({"never": 1}, 1),
		({"resident": [100 * 2**20, 170 * 2**20]}, 1),
	],
)
def test_a_storm_is_held_to_the_ideal(changes, missed):
	goals = storm.goals_of(an_outcome(**changes), ideal=50.0)
	assert sum(goal.verdict == "NOT MET" for goal in goals) == missed
