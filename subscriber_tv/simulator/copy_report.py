"""What the drill of copies found, as a table: `python -m subscriber_tv clone-drill`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from statistics import quantiles

from subscriber_tv.simulator.copies import Copy, Habits, Outcome, drill

BOOTS = (1, 2, 3, 4, 5, 7)
THIRD = 3
# What the product promises.
FOUND = 0.99
FALSE_ALARMS = 1.0

# How copies and originals may be used, beside what is usual: copies alone, so that there are enough of them.
COPIES = 2000
_ONLY = {"tvs": COPIES, "copied": 1.0, "days": 40}
CASES: dict[str, Habits] = {
	"as usual": Habits(**_ONLY),
	"each set on once a day": Habits(**_ONLY, starts=(1,)),
	"both behind one address": Habits(**_ONLY, shared=1.0),
	"copy on at night only": Habits(**_ONLY, awake=(0, 5)),
	"copy tells nothing": Habits(**_ONLY, silent=1.0),
	"no TV tells (old firmware)": Habits(**_ONLY, telling=False),
	"original off for 14 days": Habits(**_ONLY, away=14),
	"original never used again": Habits(**_ONLY, away=99),
}


def fleets(habits: Habits, seeds: Iterable[int], say: Callable[[str], None]) -> Outcome:
	"""Play a fleet with each seed, and say what came of it; all of them together."""
	say(
		f"Fleet of {habits.tvs} TVs, {habits.copied:.0%} of them copied, {habits.days} days. Found at boot 1, 2, 3 of the copy, of "
		"all copies / of those whose original was used in between; genuine TVs acted on"
	)
	total = Outcome()
	for seed in seeds:
		outcome = drill(habits, seed)
		say(f"  seed {seed}: {_fleet(outcome)}")
		total += outcome
	say(f"  all: {_fleet(total)}")
	return total


def cases(seed: int, say: Callable[[str], None], copies: int = COPIES) -> dict[str, Outcome]:
	"""Play each case, and say which share of its copies was found by which boot."""
	say(
		f"{copies} copies each, seed {seed}; in brackets those that had shown as two sets: nobody could know more"
	)
	say(
		f"{'':28}"
		+ "".join(f"boot {boot:<11}" for boot in BOOTS)
		+ "never   hours from two sets to action: median, 99 %"
	)
	found = {}
	for name, habits in CASES.items():
		outcome = found[name] = drill(replace(habits, tvs=copies), seed)
		shares = "".join(
			f"{outcome.by('found', boot) / copies:6.1%} ({outcome.by('two', boot) / copies:6.1%})"
			for boot in BOOTS
		)
		never = sum(not copy.found for copy in outcome.copies) / copies
		say(f"{name:28}{shares} {never:6.1%}   {_hours(outcome.copies)}")
	return found


def is_good(outcome: Outcome) -> bool:
	"""Whether a fleet's figures are what is promised."""
	of_two = outcome.found_of_two(THIRD)
	return of_two >= FOUND and outcome.false_alarms <= FALSE_ALARMS and not outcome.denied


def _fleet(outcome: Outcome) -> str:
	copies = max(1, len(outcome.copies))
	shares = ", ".join(
		f"{outcome.by('found', boot) / copies:.1%} / {outcome.found_of_two(boot):.1%}"
		for boot in (1, 2, THIRD)
	)
	return (
		f"{shares}; {outcome.accused} in {outcome.tv_days} TV-days = {outcome.false_alarms:.2f} per 10,000, watched "
		f"{outcome.watched}; {outcome.signs} proofs, {outcome.repeats} repeated questions, {outcome.denied} of them refused"
	)


def _hours(copies: list[Copy]) -> str:
	waited = sorted(copy.waited / 3600 for copy in copies if copy.found and copy.two)
	if len(waited) < 2:
		return "-"
	marks = quantiles(waited, n=100)
	return f"{marks[49]:.1f}, {marks[98]:.1f}"
