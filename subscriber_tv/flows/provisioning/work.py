"""One worker of one platform: makes what time has changed into orders, sends what is due, records the answers, until nothing is left.

Any number of workers may run at once: each order is claimed by one.
"""

import random
import time
from collections import Counter

import frappe

from subscriber_tv.adapters.provisioning import Platform
from subscriber_tv.core.provisioning import orders
from subscriber_tv.flows.provisioning import check, claim, record
from subscriber_tv.flows.provisioning.platforms import (
	DOCTYPE,
	FILE,
	MOST_LANES,
	NotSetUp,
	Served,
	adapter_of,
	of_name,
)
from subscriber_tv.flows.settings import phase_on

WORK_SECONDS = 600
"""How long a worker goes on; the next one is started within a minute."""

CONTESTED_SECONDS = 0.05
"""Pause after another worker has taken what this one was about to take."""

ROUND = {FILE: 5000}
PER_LANE = 8
"""Orders in one round. Sent one after the other, at most half a minute each, they must be through before the claim runs out."""


def work(platform: str, *, seconds: float = WORK_SECONDS) -> dict[str, int]:
	"""Do what there is to do for a platform; how many orders came to which result. Commits after each unit."""
	counts: Counter[str] = Counter()
	if not phase_on("activation") or not of_name(platform):
		return counts
	until = time.monotonic() + seconds
	try:
		adapter = adapter_of(platform)
	except NotSetUp as error:
		_note(platform, [orders.Outcome(orders.RETRY, str(error), platform=True)])
		return counts
	try:
		while time.monotonic() < until and _step(platform, adapter, counts):
			pass
	finally:
		adapter.close()
	return counts


def _step(name: str, adapter: Platform, counts: Counter) -> bool:
	"""One unit of everything; whether there may be more."""
	platform, now = of_name(name), int(time.time())
	if not platform:
		return False
	acknowledged = _take_acknowledgements(name, adapter, counts)
	compared = _compare(platform, now)
	sent = _send(name, adapter, counts)
	return bool(acknowledged or compared or sent)


def _compare(platform: Served, now: int) -> bool:
	found = check.change_accounts(platform, now) + check.check_next(platform, now)
	# A chunk is a unit of work: a crash resumes after it. It also frees the publisher's lock.
	frappe.db.commit()  # nosemgrep
	return bool(found)


def _send(platform: str, adapter: Platform, counts: Counter) -> bool:
	"""Send one round; False when nothing was due, or the platform is to be left alone."""
	now = int(time.time())
	row = frappe.db.get_value(
		DOCTYPE, platform, ["failures", "paused_until", "adapter", "lanes"], as_dict=True
	)
	if row.paused_until > now:
		return False
	normal = ROUND.get(row.adapter) or PER_LANE * min(max(row.lanes or 1, 1), MOST_LANES)
	taken = claim.claim(platform, now, orders.round_size(row.failures, normal), numbered=row.adapter == FILE)
	# Before anything is sent: whatever happens to this process, the order is known to be under way.
	frappe.db.commit()  # nosemgrep
	if not taken.claimed:
		time.sleep(CONTESTED_SECONDS if taken.contested else 0)
		return taken.contested
	outcomes = adapter.send([one.message for one in taken.claimed], taken.batch)
	tried = list(zip(taken.claimed, outcomes, strict=True))
	record.record(tried, taken.claim, int(time.time()), random.random)
	counts.update(outcome.result for outcome in outcomes)
	return not _note(platform, outcomes)


def _take_acknowledgements(platform: str, adapter: Platform, counts: Counter) -> int:
	found = 0
	for batch, outcomes in adapter.acknowledged():
		silent = orders.Outcome(orders.RETRY, "the acknowledgement does not name it", arrived=True)
		tried = [(one, outcomes.get(one.order.key, silent)) for one in claim.claimed_in(platform, batch)]
		record.record(tried, claim.batch_claim(batch), int(time.time()), random.random)
		adapter.settle(batch)
		counts.update(outcome.result for _one, outcome in tried)
		found += 1
	return found


def _note(platform: str, outcomes: list[orders.Outcome]) -> int:
	failures = record.note_health(platform, outcomes, int(time.time()), random.random())
	# The end of the unit that was sent.
	frappe.db.commit()  # nosemgrep
	return failures
