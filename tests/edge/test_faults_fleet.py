"""Every fault, with a fleet that asks all the while: the two laws hold, and nothing is stuck afterwards.

Short forms of what `./dev benchmark reliability` does at length; what each does stands in faults.py.
"""

import pytest
from days import erp_stopped
from faults import (
	Outcome,
	broker_down,
	clock_stepped,
	disk_full,
	killed,
	node_lost,
	publisher_gone,
	spoiled,
)

from subscriber_tv.tests.mosquitto import program

TVS = 20


def keeps_the_laws(outcome: Outcome) -> bool:
	tally = outcome.tally
	assert not tally.denied, tally.denied[:3]
	assert not tally.overserved, tally.overserved[:3]
	assert not tally.dark, "a valid TV went dark"
	# Or nothing was tried at all.
	assert tally.served > TVS and tally.refused > TVS / 2
	return True


def test_the_publisher_is_gone(tmp_path):
	outcome = publisher_gone(tmp_path, tvs=TVS)
	assert keeps_the_laws(outcome) and not outcome.tally.lost
	assert outcome.tally.on_lease and outcome.tally.waiting, "the changes were not heard of meanwhile"


@pytest.mark.parametrize("what", ["worker", "main", "both"])
def test_something_is_killed(tmp_path, what):
	outcome = killed(tmp_path, what, tvs=TVS, long=3.0)
	assert keeps_the_laws(outcome) and outcome.seen["kills"]


def test_the_disk_is_full(tmp_path):
	try:
		outcome = disk_full(tmp_path, tvs=TVS)
	except OSError as error:
		pytest.skip(str(error))
	assert keeps_the_laws(outcome) and outcome.seen["noticed"], "the disk was not full"


@pytest.mark.parametrize("how", ["bits", "half", "stranger"])
def test_the_file_is_spoiled(tmp_path, how):
	outcome = spoiled(tmp_path, how, tvs=TVS)
	assert keeps_the_laws(outcome) and outcome.seen["damaged file kept"]


@pytest.mark.parametrize("seconds", [30 * 86_400, -400 * 86_400])
def test_the_clock_is_stepped(tmp_path, seconds):
	outcome = clock_stepped(tmp_path, seconds, tvs=TVS)
	assert keeps_the_laws(outcome) and not outcome.tally.lost


def test_one_of_two_edges_is_lost(tmp_path):
	outcome = node_lost(tmp_path, tvs=TVS)
	assert keeps_the_laws(outcome) and not outcome.tally.lost
	assert outcome.tally.most_tries == 2 and outcome.tally.again <= TVS


@pytest.mark.skipif(program() is None, reason="needs mosquitto")
def test_the_broker_is_down(tmp_path):
	outcome = broker_down(tmp_path, tvs=TVS)
	assert keeps_the_laws(outcome) and not outcome.tally.lost
	assert outcome.seen["hints heard"] == 6


def test_a_day_without_the_erp(tmp_path):
	outcome = erp_stopped(tmp_path, days=1, tvs=TVS)
	assert keeps_the_laws(outcome) and not outcome.tally.lost
	assert outcome.seen["answered % on day 1"] == 100
