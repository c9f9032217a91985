"""Worked scenarios: what each run charges and credits, computed by hand, a timeline above each.

The scenarios are the files of fixtures/billing/scenarios, which `python -m subscriber_tv simulate` takes as they are.
"""

import json
from pathlib import Path

import pytest

from subscriber_tv.core.json_values import parse
from subscriber_tv.core.scenario.simulate import simulate

FOLDER = Path(__file__).resolve().parents[3] / "fixtures" / "billing" / "scenarios"

# Each line: run day, line, kind, from, to, quantity, amount, tax. A run that bills nothing has no line.
WORKED: dict[str, list[tuple]] = {
	# Jan 1      Jan 10                Feb 1                 Mar 1
	# |..........|== 22/31 of 29.95 ===|======= 29.95 =======|        one-off 50.00 on Jan 10, tax 20 %
	"first_stub": [
		("2026-01-10", "BASE", "recurring", "2026-01-10", "2026-02-01", 1, "21.25", "4.25"),
		("2026-01-10", "SETUP", "one-off", "2026-01-10", "2026-01-11", 1, "50.00", "10.00"),
		("2026-02-01", "BASE", "recurring", "2026-02-01", "2026-03-01", 1, "29.95", "5.99"),
	],
	# Apr 1            Apr 16           May 1
	# |== 10 units ====|                |
	# |                |-- 10 x 15/30 --|   credited 150.00
	# |                |== 12 x 15/30 ==|   charged 180.00
	"mid_period_upgrade": [
		("2026-04-01", "BASE", "recurring", "2026-04-01", "2026-05-01", 10, "300.00", "0.00"),
		("2026-04-16", "BASE", "recurring", "2026-04-16", "2026-05-01", 12, "180.00", "0.00"),
		("2026-04-16", "BASE", "correction", "2026-04-16", "2026-05-01", 10, "-150.00", "0.00"),
		("2026-05-01", "BASE", "recurring", "2026-05-01", "2026-06-01", 12, "360.00", "0.00"),
	],
	# Feb 1   Feb 10            Mar 1    Mar 10   Apr 1
	# |.......|= 19/28 of 10.00 =|= 9/31 =|........|   the run of Feb 10 also catches up the base of February
	"option_for_one_month": [
		("2026-01-01", "BASE", "recurring", "2026-01-01", "2026-02-01", 1, "30.00", "0.00"),
		("2026-02-10", "BASE", "recurring", "2026-02-01", "2026-03-01", 1, "30.00", "0.00"),
		("2026-02-10", "SPORT", "recurring", "2026-02-10", "2026-03-01", 1, "6.79", "0.00"),
		("2026-03-01", "BASE", "recurring", "2026-03-01", "2026-04-01", 1, "30.00", "0.00"),
		("2026-03-01", "SPORT", "recurring", "2026-03-01", "2026-03-10", 1, "2.90", "0.00"),
		("2026-04-01", "BASE", "recurring", "2026-04-01", "2026-05-01", 1, "30.00", "0.00"),
	],
	# Apr 1   Apr 11        May 1        May 17      Jun 1
	# |= 10/30 =|-- 20/30 --|...pause....|== 15/31 ==|   the periods stay where they were
	"pause_and_resume": [
		("2026-04-01", "BASE", "recurring", "2026-04-01", "2026-05-01", 1, "30.00", "0.00"),
		("2026-04-11", "BASE", "correction", "2026-04-11", "2026-05-01", 1, "-20.00", "0.00"),
		("2026-06-01", "BASE", "recurring", "2026-05-17", "2026-06-01", 1, "14.52", "0.00"),
		("2026-06-01", "BASE", "recurring", "2026-06-01", "2026-07-01", 1, "30.00", "0.00"),
	],
	# Jan 1    Jan 11        Feb 1          Mar 1      40.00 from Jan 11, known on Feb 20
	# |= 30.00 =|            |              |
	# |         |-- 21/31 ---|--- 30.00 ----|          30.00 - 9.68 = 20.32 and 30.00 credited
	# |         |== 21/31 ===|=== 40.00 ====|== 40.00  27.10 and 40.00 charged
	"late_known_change": [
		("2026-01-01", "BASE", "recurring", "2026-01-01", "2026-02-01", 1, "30.00", "0.00"),
		("2026-02-01", "BASE", "recurring", "2026-02-01", "2026-03-01", 1, "30.00", "0.00"),
		("2026-03-01", "BASE", "recurring", "2026-01-11", "2026-02-01", 1, "27.10", "0.00"),
		("2026-03-01", "BASE", "recurring", "2026-02-01", "2026-03-01", 1, "40.00", "0.00"),
		("2026-03-01", "BASE", "recurring", "2026-03-01", "2026-04-01", 1, "40.00", "0.00"),
		("2026-03-01", "BASE", "correction", "2026-01-11", "2026-02-01", 1, "-20.32", "0.00"),
		("2026-03-01", "BASE", "correction", "2026-02-01", "2026-03-01", 1, "-30.00", "0.00"),
	],
	# Mar 1    Mar 15    Apr 1                              Mar 1, 2027
	# |= 14/31 =|- 17/31 -|                                 |   30.00 a month until Mar 15
	# |.........|=========== 351/365 of 300.00 =============|   300.00 a year from then, same anchor day
	"interval_monthly_to_yearly": [
		("2026-01-01", "BASE", "recurring", "2026-01-01", "2026-02-01", 1, "30.00", "0.00"),
		("2026-02-01", "BASE", "recurring", "2026-02-01", "2026-03-01", 1, "30.00", "0.00"),
		("2026-03-01", "BASE", "recurring", "2026-03-01", "2026-04-01", 1, "30.00", "0.00"),
		("2026-03-15", "BASE", "recurring", "2026-03-15", "2027-03-01", 1, "288.49", "0.00"),
		("2026-03-15", "BASE", "correction", "2026-03-15", "2026-04-01", 1, "-16.45", "0.00"),
		("2027-03-01", "BASE", "recurring", "2027-03-01", "2028-03-01", 1, "300.00", "0.00"),
	],
	# Jan 10        Feb 1        Mar 1      Mar 11
	# |== 22/31 ====|== 30.00 ===|= 10/31 ==|   each charged where it closes, the last at the end
	"arrears": [
		("2026-02-01", "BASE", "recurring", "2026-01-10", "2026-02-01", 1, "21.29", "0.00"),
		("2026-03-01", "BASE", "recurring", "2026-02-01", "2026-03-01", 1, "30.00", "0.00"),
		("2026-03-11", "BASE", "recurring", "2026-03-01", "2026-03-11", 1, "9.68", "0.00"),
	],
	# Jan 10      Jan 24           Feb 10       Mar 10
	# |. 14 free .|== 17/31 =======|== 30.00 ===|   the anchor stays the first day
	"trial": [
		("2026-01-24", "BASE", "recurring", "2026-01-24", "2026-02-10", 1, "16.45", "0.00"),
		("2026-02-10", "BASE", "recurring", "2026-02-10", "2026-03-10", 1, "30.00", "0.00"),
	],
	# Jan 1        Feb 15            Apr 1        Jul 1
	# |............|== 45/90 of 90 ==|== 90.00 ===|
	"calendar_alignment": [
		("2026-02-15", "BASE", "recurring", "2026-02-15", "2026-04-01", 1, "45.00", "0.00"),
		("2026-04-01", "BASE", "recurring", "2026-04-01", "2026-07-01", 1, "90.00", "0.00"),
	],
	# Jan 31    Feb 28    Mar 31    Apr 30    May 31
	# |=========|=========|=========|=========|
	"anchor_31": [
		("2026-01-31", "BASE", "recurring", "2026-01-31", "2026-02-28", 1, "31.00", "0.00"),
		("2026-02-28", "BASE", "recurring", "2026-02-28", "2026-03-31", 1, "31.00", "0.00"),
		("2026-03-31", "BASE", "recurring", "2026-03-31", "2026-04-30", 1, "31.00", "0.00"),
		("2026-04-30", "BASE", "recurring", "2026-04-30", "2026-05-31", 1, "31.00", "0.00"),
	],
	# Mar 1, 2027               Mar 1, 2029   Apr 10, 2029            Mar 1, 2031
	# |======== 731 days =======|== 40/730 ===|------ 690/730 --------|   40 days are worth 40.05
	"two_years": [
		("2027-03-01", "BASE", "recurring", "2027-03-01", "2029-03-01", 1, "731.00", "0.00"),
		("2029-03-01", "BASE", "recurring", "2029-03-01", "2031-03-01", 1, "731.00", "0.00"),
		("2029-03-15", "BASE", "correction", "2029-04-10", "2031-03-01", 1, "-690.95", "0.00"),
	],
	# Jan 1         Feb 1         Mar 1
	# |= 30/2 - 5 ==|= 30/2 - 5 ==|= 30 - 5 =|   half price twice, 5.00 off the whole for ever
	"discount_for_two_periods": [
		("2026-01-01", "BASE", "recurring", "2026-01-01", "2026-02-01", 1, "10.00", "0.00"),
		("2026-02-01", "BASE", "recurring", "2026-02-01", "2026-03-01", 1, "10.00", "0.00"),
		("2026-03-01", "BASE", "recurring", "2026-03-01", "2026-04-01", 1, "25.00", "0.00"),
	],
	# Apr 1                May 1              May 16            Jun 1
	# |=== 60.00 ==========|=== 29.03 ========|--- 30.97 -------|
	# |~~~ 100 - 60 = 40 ~~|~~ 48.39 - 29.03 ~|   minimum 100.00 a month, 15/31 of it in May
	"minimum": [
		("2026-04-01", "BASE", "recurring", "2026-04-01", "2026-05-01", 2, "60.00", "0.00"),
		("2026-05-01", "*", "minimum", "2026-04-01", "2026-05-01", 1, "40.00", "0.00"),
		("2026-05-01", "BASE", "recurring", "2026-05-01", "2026-06-01", 2, "60.00", "0.00"),
		("2026-05-16", "*", "minimum", "2026-05-01", "2026-05-16", 1, "19.36", "0.00"),
		("2026-05-16", "BASE", "correction", "2026-05-16", "2026-06-01", 2, "-30.97", "0.00"),
	],
	# Apr 1         Apr 16         May 1          Jun 1          Jul 1
	# |== 50.00 ====|--- 50.00 ----|              |              |   hotel, ended on Apr 16; tax 10 %
	# |                            |=== 40.00 ====|=== 40.00 ====|   bar
	"cancel_and_credit_used": [
		("2026-04-01", "BASE", "recurring", "2026-04-01", "2026-05-01", 1, "100.00", "10.00"),
		("2026-04-16", "BASE", "correction", "2026-04-16", "2026-05-01", 1, "-50.00", "-5.00"),
		("2026-05-01", "BASE", "recurring", "2026-05-01", "2026-06-01", 1, "40.00", "4.00"),
		("2026-06-01", "BASE", "recurring", "2026-06-01", "2026-07-01", 1, "40.00", "4.00"),
	],
	# Jan 1               Jan 22      Feb 1
	# |== billed before, paid ========|   30.00 with 20 % tax
	# |                   |-- 10/31 --|
	"opening": [
		("2026-01-20", "BASE", "correction", "2026-01-22", "2026-02-01", 1, "-9.68", "-1.94"),
	],
	# Jan 10   Jan 20      Feb 1       Feb 10   Mar 1
	# |== 30.00 whole =====|== 40.00 whole ======|   the price of a period is that of its first day
	"no_proration": [
		("2026-01-10", "BASE", "recurring", "2026-01-10", "2026-02-01", 1, "30.00", "0.00"),
		("2026-02-01", "BASE", "recurring", "2026-02-01", "2026-03-01", 1, "40.00", "0.00"),
	],
	# Jan 1       Jan 15   Jan 18      Feb 1       Feb 15
	# |== 17/31 ===========|-- 14/31 --|           |   periods from the 1st
	# |           |........|======= 28/31 =========|   and from the 15th
	"anchor_moved": [
		("2026-01-01", "BASE", "recurring", "2026-01-01", "2026-02-01", 1, "31.00", "0.00"),
		("2026-01-18", "BASE", "recurring", "2026-01-18", "2026-02-15", 1, "28.00", "0.00"),
		("2026-01-18", "BASE", "correction", "2026-01-18", "2026-02-01", 1, "-14.00", "0.00"),
		("2026-02-15", "BASE", "recurring", "2026-02-15", "2026-03-15", 1, "31.00", "0.00"),
	],
	# 0.03 x 20 % = 0.006 rounds to 0.01 three times; 0.09 x 20 % = 0.018 rounds to 0.02 once
	"tax_on_the_total": [
		("2026-01-01", "A", "recurring", "2026-01-01", "2026-02-01", 1, "0.03", "0.01"),
		("2026-01-01", "B", "recurring", "2026-01-01", "2026-02-01", 1, "0.03", "0.00"),
		("2026-01-01", "C", "recurring", "2026-01-01", "2026-02-01", 1, "0.03", "0.01"),
	],
	# Jan 31, 2026     Nov 15          Jan 31, 2027          Jan 31, 2028
	# |=== 12 months ==|x==============|===== 12 months =====|   known on Nov 15 with 3 months' notice:
	#                                                            too late for 2027, so it ends in 2028
	"term_and_notice": [
		("2026-01-31", "BASE", "recurring", "2026-01-31", "2027-01-31", 1, "120.00", "0.00"),
		("2027-01-31", "BASE", "recurring", "2027-01-31", "2028-01-31", 1, "120.00", "0.00"),
	],
	# Apr 1                Apr 21       May 1
	# |== 40 x 8.00 =======|-- 10/30 ---|   320.00 a month; 213.33 for 20 days
	# |                    |== 10/30 ===|   60 x 6.00 = 360.00 a month
	"volume_price": [
		("2026-04-01", "ROOMS", "recurring", "2026-04-01", "2026-05-01", 40, "320.00", "0.00"),
		("2026-04-21", "ROOMS", "recurring", "2026-04-21", "2026-05-01", 60, "120.00", "0.00"),
		("2026-04-21", "ROOMS", "correction", "2026-04-21", "2026-05-01", 40, "-106.67", "0.00"),
	],
	# Jan 16          Feb 1                 Mar 1               Apr 1
	# |= 60 films ====|==== 130 films ======|                   |   20.00 hold 100, each further one 0.50; tax 20 %
	# 16/31: 10.32 hold 51.61; 8.39 more are 4.19
	# known Mar 10: + 15.5 films of February, 7.75; known Apr 5: 40 of them taken back, 105.5 are 22.75, not 42.75
	"usage_with_allowance": [
		("2026-02-01", "FILMS", "usage", "2026-01-16", "2026-02-01", "60", "14.52", "2.90"),
		("2026-03-01", "FILMS", "usage", "2026-02-01", "2026-03-01", "130", "35.00", "7.00"),
		("2026-03-15", "FILMS", "usage", "2026-02-01", "2026-03-01", "145.5", "7.75", "1.55"),
		("2026-04-01", "FILMS", "usage", "2026-03-01", "2026-04-01", "0", "20.00", "4.00"),
		("2026-04-10", "FILMS", "correction", "2026-02-01", "2026-03-01", "130", "-12.25", "-2.45"),
		("2026-04-10", "FILMS", "correction", "2026-02-01", "2026-03-01", "145.5", "-7.75", "-1.55"),
	],
	# Apr 1               Apr 16               May 1             Jun 1
	# |== 300.00 of rooms =====================|== 150.00 =======|
	# |                   |== 60/2 x 15/30 ====|== 60/2 = 30.00 =|   sport at half price
	# |~ 5 % of 150 = 7.50 |~ 8.25, at most 8.00|~ 9.00, at least 10.00 ~|   between 10.00 and 16.00 a month
	# 10 % of that, in arrears: 0.75, 0.80
	"percent_of_lines": [
		("2026-04-01", "RIGHTS", "recurring", "2026-04-01", "2026-04-16", 1, "7.50", "0.00"),
		("2026-04-01", "ROOMS", "recurring", "2026-04-01", "2026-05-01", 10, "300.00", "0.00"),
		("2026-05-01", "RIGHTS", "recurring", "2026-04-16", "2026-05-01", 1, "8.00", "0.00"),
		("2026-05-01", "RIGHTS", "recurring", "2026-05-01", "2026-06-01", 1, "10.00", "0.00"),
		("2026-05-01", "ROOMS", "recurring", "2026-05-01", "2026-06-01", 5, "150.00", "0.00"),
		("2026-05-01", "SERVICE", "recurring", "2026-04-01", "2026-04-16", 1, "0.75", "0.00"),
		("2026-05-01", "SERVICE", "recurring", "2026-04-16", "2026-05-01", 1, "0.80", "0.00"),
		("2026-05-01", "SPORT", "recurring", "2026-04-16", "2026-05-01", 1, "15.00", "0.00"),
		("2026-05-01", "SPORT", "recurring", "2026-05-01", "2026-06-01", 1, "30.00", "0.00"),
	],
	# Jun 1                     Jul 1          Jul 16
	# |== 10 % of 650.00 =======|== of 100.00 =|   at least 50.00 a month, 15/31 of it in July
	# cards: 90.00 is free, 40.00 pays 0.80 + 0.25, 500.00 pays 10.25 but at most 3.00
	"percentage_of_amounts": [
		("2026-07-01", "CARDS", "usage", "2026-06-01", "2026-07-01", "630", "4.05", "0.00"),
		("2026-07-01", "SHARE", "usage", "2026-06-01", "2026-07-01", "650", "65.00", "0.00"),
		("2026-07-16", "SHARE", "usage", "2026-07-01", "2026-07-16", "100", "24.19", "0.00"),
	],
	# Jan 10    Feb 1    Mar 1    Mar 20   Apr 10
	# |== 2 ====|== 3 ===|== 4 ===|== 2 ===|   boxes: 2 x 40.00, 40.00, 60.00 at the new price; the last two go first
	# base 2 x 15.00 at half price: 22/31, whole, whole, 9/30
	"deposit": [
		("2026-01-10", "BASE", "recurring", "2026-01-10", "2026-02-01", 2, "10.65", "2.13"),
		("2026-01-10", "BOX", "deposit", "2026-01-10", "2026-01-11", 2, "80.00", "0.00"),
		("2026-02-01", "BASE", "recurring", "2026-02-01", "2026-03-01", 2, "15.00", "3.00"),
		("2026-02-01", "BOX", "deposit", "2026-02-01", "2026-02-02", 1, "40.00", "0.00"),
		("2026-03-01", "BASE", "recurring", "2026-03-01", "2026-04-01", 2, "15.00", "3.00"),
		("2026-03-01", "BOX", "deposit", "2026-03-01", "2026-03-02", 1, "60.00", "0.00"),
		("2026-04-01", "BASE", "recurring", "2026-04-01", "2026-04-10", 2, "4.50", "0.90"),
		("2026-04-01", "BOX", "correction", "2026-02-01", "2026-02-02", 1, "-40.00", "0.00"),
		("2026-04-01", "BOX", "correction", "2026-03-01", "2026-03-02", 1, "-60.00", "0.00"),
		("2026-04-10", "BOX", "correction", "2026-01-10", "2026-01-11", 2, "-80.00", "0.00"),
	],
	# Apr 1       Apr 11          Apr 21         May 1
	# |== 40: 8.00 |== 40 + 30: 6.00 ============|   north, volume over the group: 320.00, 240.00 a month
	# |            |              |-- 10/30 -----|   known on May 1: 50 more elsewhere, 120 in all are 5.00 each
	# |            |== 30/70 of 50 x 8 + 20 x 6 ==|  south, graduated over the payer: 222.86 a month
	"tiers_over_the_group": [
		("2026-04-01", "ROOMS", "recurring", "2026-04-01", "2026-04-11", 40, "106.67", "0.00"),
		("2026-04-11", "ROOMS", "recurring", "2026-04-11", "2026-05-01", 40, "160.00", "0.00"),
		("2026-04-11", "ROOMS", "recurring", "2026-04-11", "2026-05-01", 30, "148.57", "0.00"),
		("2026-05-01", "ROOMS", "recurring", "2026-04-21", "2026-05-01", 40, "66.67", "0.00"),
		("2026-05-01", "ROOMS", "recurring", "2026-05-01", "2026-06-01", 40, "200.00", "0.00"),
		("2026-05-01", "ROOMS", "recurring", "2026-05-01", "2026-06-01", 30, "222.86", "0.00"),
		("2026-05-01", "ROOMS", "correction", "2026-04-21", "2026-05-01", 40, "-80.00", "0.00"),
	],
}


def scenario(name: str) -> dict:
	return parse((FOLDER / f"{name}.json").read_text())


def test_every_scenario_is_worked_out_by_hand():
	files = {path.stem for path in FOLDER.glob("*.json") if not path.stem.endswith(".answer")}
	assert files == set(WORKED)


@pytest.mark.parametrize("name", WORKED)
def test_lines_are_those_computed_by_hand(name):
	answer = simulate(scenario(name))
	assert [(run["date"], *line[1:]) for run in answer["runs"] for line in run["lines"]] == WORKED[name]


@pytest.mark.parametrize("name", WORKED)
def test_the_answer_is_the_one_published(name):
	assert simulate(scenario(name)) == json.loads((FOLDER / f"{name}.answer.json").read_text())


def test_a_credit_is_used_on_the_next_runs():
	runs = simulate(scenario("cancel_and_credit_used"))["runs"]
	assert [(run["total"], run["credit_used"], run["payable"], run["credit_balance"]) for run in runs] == [
		("110.00", "0.00", "110.00", "0.00"),
		("-55.00", "0.00", "0.00", "55.00"),
		("44.00", "44.00", "0.00", "11.00"),
		("44.00", "11.00", "33.00", "0.00"),
	]


@pytest.mark.parametrize(
	("paid", "balances"),
	[("36.00", ["11.62", "11.62"]), ("30.00", ["5.62", "5.62"]), ("40.00", ["15.62", "15.62"])],
)
def test_a_credit_first_lowers_what_is_owed_from_before(paid, balances):
	answer = simulate(scenario("opening") | {"paid": paid})
	assert [run["credit_balance"] for run in answer["runs"]] == balances


def test_recurring_revenue_follows_the_state_of_the_contract():
	assert simulate(scenario("interval_monthly_to_yearly"))["mrr"]["2026-03-15"] == "25.00"
	assert simulate(scenario("trial"))["mrr"] == {
		"2026-01-10": "0.00",
		"2026-01-12": "0.00",
		"2026-01-24": "30.00",
		"2026-02-10": "30.00",
	}
	assert simulate(scenario("no_proration"))["mrr"]["2026-01-20"] == "40.00"


def test_recurring_revenue_leaves_usage_and_deposits_out_and_counts_percentages():
	assert set(simulate(scenario("usage_with_allowance"))["mrr"].values()) == {"0.00"}
	assert simulate(scenario("deposit"))["mrr"]["2026-03-01"] == "15.00"
	# 300.00, 60.00 at half price, 5 % of 330.00 at most 16.00, 10 % of 16.00
	assert simulate(scenario("percent_of_lines"))["mrr"]["2026-04-16"] == "347.60"
	# 240.00 and 222.86 once both are there; 200.00 when the group has grown
	revenue = simulate(scenario("tiers_over_the_group"))["mrr"]
	assert (revenue["2026-04-11"], revenue["2026-04-21"]) == ("462.86", "422.86")


def test_usage_billed_before_the_first_run_is_compared_with_what_is_reported():
	"""35.00 were billed for February; the records that are given come to 42.75."""
	document = scenario("usage_with_allowance")
	document["billed"] = [
		{"contract": "CLINIC", "line": "FILMS", "from": "2026-02-01", "to": "2026-03-01", "amount": "35.00"}
	]
	document["invoice_runs"] = ["2026-03-15"]
	lines = simulate(document)["runs"][0]["lines"]
	assert [line[3:7] for line in lines if line[3] == "2026-02-01"] == [
		["2026-02-01", "2026-03-01", "145.5", "7.75"]
	]
