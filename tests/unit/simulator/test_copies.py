"""The clone drill: copies in a fleet with shared addresses, lost answers, power cuts and memories that fall back."""

from dataclasses import replace

import pytest

from subscriber_tv.__main__ import main
from subscriber_tv.simulator import copy_report
from subscriber_tv.simulator.copies import Copy, Habits, Outcome, drill

FLEET = Habits(tvs=1500, days=14)
SEEDS = (1, 2)


@pytest.fixture(scope="module")
def outcome():
	return sum((drill(FLEET, seed) for seed in SEEDS), Outcome())


def case(name: str, copies: int) -> Outcome:
	return drill(replace(copy_report.CASES[name], tvs=copies), seed=1)


def test_copies_are_found_by_the_third_boot():
	usual = case("as usual", 500)
	assert usual.found_of_two(3) >= 0.985
	assert usual.by("found", 3) / 500 >= 0.95 and usual.by("found", 7) == 500
	assert case("each set on once a day", 200).by("found", 3) / 200 >= 0.99


def test_what_a_copy_says_of_itself_does_not_hide_it():
	assert case("copy tells nothing", 200).found_of_two(3) >= 0.97
	# By three forks alone, as before TVs told where they go on from.
	assert 0.8 <= case("no TV tells (old firmware)", 200).found_of_two(3) < 0.97


def test_nobody_finds_a_copy_whose_original_is_off():
	assert case("original never used again", 20).by("found", 999) == 0
	late = case("original off for 14 days", 100)
	assert late.by("found", 3) == 0 and late.by("found", 999) == 100
	assert all(copy.waited <= 2 * 86_400 for copy in late.copies)


def test_genuine_tvs_are_left_alone(outcome):
	assert outcome.tv_days > 40_000 and outcome.signs > 250 and outcome.repeats > 1500
	assert outcome.false_alarms <= 1
	assert outcome.denied == 0


def test_a_site_that_goes_out_by_two_addresses_is_no_fleet_of_copies():
	"""TVs that change address all day, and lose memory at times: the worst that addresses can do."""
	found = drill(Habits(tvs=400, copied=0, uplinks=1.0, undone=0, worn=0), seed=7)
	assert found.accused == 0 and found.signs > 50


def test_memories_that_fall_back_at_every_third_start_are_watched_and_not_accused():
	worn = drill(Habits(tvs=200, copied=0, worn=1.0, undone=0), seed=7)
	assert worn.accused == 0 and worn.watched > 20


def test_the_drill_sees_a_false_alarm():
	"""It can fail: a backup that is put back each time looks like a second set, and so do old TVs with a worn memory."""
	assert drill(Habits(tvs=300, copied=0, restores=30, undone=1.0), seed=7).false_alarms > 10
	assert drill(Habits(tvs=200, copied=0, worn=1.0, telling=False), seed=7).accused > 50
	fine = replace(Habits(tvs=300, copied=0), restores=0, resets=0, cuts=0, worn=0, uplinks=0, moving=0)
	assert drill(fine, seed=7).signs == 0


@pytest.mark.parametrize(
	("changes", "good"),
	[
		({}, True),
		({"accused": 11}, False),
		({"denied": 1}, False),
		({"copies": [Copy(3, 2)] * 98 + [Copy(4, 3)] * 2}, False),
		({"copies": [Copy(4, 4)] * 90 + [Copy(3, 3)] * 10}, True),
	],
)
def test_what_is_promised(changes, good):
	outcome = replace(Outcome([Copy(3, 2)] * 100, tv_days=100_000, accused=10), **changes)
	assert copy_report.is_good(outcome) is good


def test_a_drill_can_be_repeated():
	small = Habits(tvs=300)
	assert drill(small, seed=3) == drill(small, seed=3) != drill(small, seed=4)


def test_the_command_prints_its_figures(capsys):
	assert main(["clone-drill", "--tvs", "300", "--days", "10", "--seeds", "1", "2", "--copies", "20"]) in (
		0,
		1,
	)
	printed = capsys.readouterr().out
	assert "seed 2: " in printed and "per 10,000" in printed and "original never used again" in printed
