"""Which offer is proposed next, rule by rule, and why another is not."""

from dataclasses import replace
from decimal import Decimal

import pytest

from subscriber_tv.core.catalogue.next_offer import Profile, Rule, judge

HOTEL = Profile(("Hotel", "Sites"), {"HOTEL-BASIC"}, months_served=14, outlets=40, usage=Decimal("80.00"))
UPGRADE = Rule("Upgrade", "HOTEL-PREMIUM", "HOTEL-BASIC", ("Sites",), 12, 30, Decimal("50.00"), 5)


def names(profile, *rules):
	return [(verdict.rule.name, verdict.reasons) for verdict in judge(profile, rules)]


def test_a_contract_that_meets_every_bound_is_proposed_the_offer():
	assert names(HOTEL, UPGRADE) == [("Upgrade", ())]


@pytest.mark.parametrize(
	("change", "reason"),
	[
		({"troubled": True}, "troubled"),
		({"segments": ("Clinic",)}, "other_segment"),
		({"offers": {"HOTEL-BASIC", "HOTEL-PREMIUM"}}, "has_it"),
		({"offers": {"OTHER"}}, "lacks_offer"),
		({"months_served": 11}, "too_early"),
		({"outlets": 29}, "too_small"),
		({"usage": Decimal("49.99")}, "too_little_usage"),
	],
)
def test_each_bound_keeps_it_back_and_says_so(change, reason):
	assert names(replace(HOTEL, **change), UPGRADE) == [("Upgrade", (reason,))]


def test_the_higher_priority_comes_first_and_what_does_not_fit_last():
	option = Rule("Option", "SPORT", priority=7)
	early = Rule("Early", "GOLD", least_months=99, priority=9)
	again = Rule("Again", "KIDS", priority=5)
	assert [name for name, _ in names(HOTEL, UPGRADE, option, early, again)] == [
		"Option",
		"Again",
		"Upgrade",
		"Early",
	]


def test_several_reasons_are_all_told():
	assert names(replace(HOTEL, months_served=1, outlets=1), UPGRADE) == [
		("Upgrade", ("too_early", "too_small"))
	]
