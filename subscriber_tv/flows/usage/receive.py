"""Take the records of one API call."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from subscriber_tv.core.usage.profile import JSON_LINES
from subscriber_tv.core.usage.read import read_row, row_of_object
from subscriber_tv.flows.usage import profiles
from subscriber_tv.flows.usage.attempts import repeated
from subscriber_tv.flows.usage.take import Origin, Outcome, take
from subscriber_tv.flows.usage.words import next_step, reason


def receive(*, profile: str, records: Sequence[Mapping[str, Any]]) -> dict:
	"""Take at most 1,000 JSON objects in this transaction; what became of each, in their order, and a count a status."""
	how = replace(profiles.load(profile), format=JSON_LINES, header_rows=0)
	reads = [read_row(row_of_object(number, found), how) for number, found in enumerate(records, 1)]
	outcomes = repeated(lambda: take(reads, Origin(how.source, profile)))
	return {
		"counts": dict(Counter(outcome.status for outcome in outcomes)),
		"records": [_told(outcome) for outcome in outcomes],
	}


def _told(outcome: Outcome) -> dict:
	told = {"key": outcome.key, "status": outcome.status, "record": outcome.name}
	if outcome.problem:
		told |= {
			"code": outcome.problem.code,
			"reason": reason(outcome.problem),
			"next_step": next_step(outcome.problem),
		}
	return told
