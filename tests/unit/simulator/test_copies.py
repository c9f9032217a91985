"""The clone drill: copies in a fleet with shared addresses, lost replies and memories that fall back."""

from dataclasses import replace

import pytest

from subscriber_tv.simulator.copies import Habits, drill, figures

SEEDS = (1, 2, 3)


@pytest.fixture(scope="module")
def outcomes():
	return [drill(Habits(), seed) for seed in SEEDS]


def test_copies_are_found_by_the_third_start(outcomes, capsys):
	with capsys.disabled():
		for seed, outcome in zip(SEEDS, outcomes, strict=True):
			print(f"\nseed {seed}", *figures(outcome), sep="\n")
	assert sum(outcome.copies for outcome in outcomes) == 300
	for outcome in outcomes:
		assert outcome.found_by(3) >= 0.99
		assert outcome.found_by_any(5) >= 0.97


def test_genuine_tvs_are_left_alone(outcomes):
	tv_days = sum(outcome.tv_days for outcome in outcomes)
	assert tv_days > 400_000 and all(outcome.resyncs > 200 for outcome in outcomes)
	assert sum(outcome.accused for outcome in outcomes) * 10_000 / tv_days <= 1
	assert [outcome.denied for outcome in outcomes] == [0, 0, 0]


def test_a_site_that_goes_out_by_two_addresses_is_no_fleet_of_copies():
	"""A thousand TVs that change address all day, and lose memory at times: the worst that addresses can do."""
	found = drill(Habits(tvs=1000, copied=0, uplinks=1.0), seed=7)
	assert found.accused <= 1 and found.copies == 0


def test_the_drill_sees_when_nobody_looks():
	"""Without copies nothing is found, and memories that fall back at every third start are accused: it can fail."""
	worn = drill(Habits(tvs=200, copied=0, worn=1.0), seed=7)
	assert worn.accused > 100
	fine = replace(Habits(), tvs=500, copied=0, restores=0.0, worn=0.0, uplinks=0.0)
	assert drill(fine, seed=7).resyncs == 0


def test_a_drill_can_be_repeated():
	small = Habits(tvs=300)
	assert drill(small, seed=3) == drill(small, seed=3) != drill(small, seed=4)
