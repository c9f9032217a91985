"""Random histories asked of the desk on its tables and of an edge on its files: the same decisions, the same bytes.

`bench --site SITE execute subscriber_tv.tests.same_bytes.run --kwargs "{'histories': 100000}"` asks as many as one likes;
what it makes on the site it takes back.
"""

import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import frappe
from frappe.utils import add_days, getdate

from subscriber_tv.core.activation import feed
from subscriber_tv.core.devices import jws
from subscriber_tv.edge.config import Config
from subscriber_tv.edge.node import EdgeNode
from subscriber_tv.edge.store import Store
from subscriber_tv.flows.activation import bind, keys, publish, store_rights
from subscriber_tv.flows.activation.desk_node import DeskNode
from subscriber_tv.flows.activation.parental_lock import set_parental_lock
from subscriber_tv.flows.contracts.change_state import change_state
from subscriber_tv.simulator.histories import PARTS, PINS, History, Someone, compare
from subscriber_tv.tests import factories
from subscriber_tv.tests.television import TV
from subscriber_tv.tests.test_activation import delivered_tv, line_of

CHANNELS = ("CH1",)
DAY = 86_400
# Histories that share their counts: the next ones begin where these ended, and every so many all begin anew.
TOGETHER = 50
# How far after the rights were published a history may lie: leases last seven days, so later ones find none.
LATEST = 9 * DAY
LONGEST = 8


def run(histories: int = 100_000, seed: int = 1) -> dict[str, int]:
	"""Ask this many histories; AssertionError at the first difference. Returns how often each outcome came."""
	factories.make_operator()
	began = time.monotonic()
	try:
		total = Counter()
		for done, outcomes in enumerate(_agreed(histories, seed), start=1):
			total.update(outcomes)
			if not done % 200:
				print(f"{done * TOGETHER} histories, {sum(total.values())} questions", flush=True)
	finally:
		frappe.db.rollback()
	seconds = time.monotonic() - began
	print(
		f"desk and edge agreed on {histories} histories, {sum(total.values())} questions, in {seconds:.0f} s"
	)
	return dict(sorted(total.items()))


def _agreed(histories: int, seed: int) -> Iterator[Counter]:
	"""The outcomes of one bundle of histories after the other."""
	tvs = everybody()
	now = int(time.time())
	accounts = {row.account or tv.serial for tv in tvs if (row := DeskNode(now).row(tv.serial))}
	for bundle in range(-(-histories // TOGETHER)):
		for account in accounts:
			frappe.cache.delete_value(f"tv-streams|{account}")
		for tv in tvs:
			frappe.cache.delete_value(f"tv-pins|{tv.serial}")
		frappe.db.savepoint("bundle")
		with tempfile.TemporaryDirectory() as folder:
			edge = edge_at(Path(folder), now)
			count = min(TOGETHER, histories - bundle * TOGETHER)
			yield ask_together(tvs, edge, now, count, seed * 10**9 + bundle * TOGETHER)
		frappe.db.rollback(save_point="bundle")


def ask_together(tvs: list[Someone], edge: EdgeNode, now: int, histories: int, seed: int) -> Counter:
	"""Ask histories of a few questions each, one after the other in time, on the same counts."""
	dice = random.Random(seed)
	fresh = [replace(tv, count=0, last=b"", nonces=[]) for tv in tvs]
	moment, outcomes = now + dice.randrange(LATEST), Counter()
	for number in range(histories):
		for tv in fresh:
			# A flash that was restored, or lost, or counted on elsewhere.
			tv.count = dice.choice((tv.count, tv.count, tv.count, max(0, tv.count - 3), 0, tv.count + 40))
		history = History(fresh, keys.masters(), "desk", moment, channels=CHANNELS, seed=seed + number)
		outcomes.update(compare(history, (DeskNode, lambda _now: edge), dice.randint(1, LONGEST)))
		moment = history.now
	return outcomes


def everybody() -> list[Someone]:
	"""TVs with and without a key store in each state of rights, one whose parts changed, and one that nobody knows."""
	known = [
		someone(state, small)
		for state in ("Active", "Suspended", "Cancelled", "Cancelling")
		for small in (False, True)
	]
	known.append(someone("Active", False, parts="B" * 43))
	frappe.db.set_value("TV Device Model", {"name": ("is", "set")}, "bind_parts", 1)
	frappe.db.set_value("TV Channel", CHANNELS[0], "age_rating", "From 16 years")
	set_parental_lock(device=known[0].serial, age="12", pin=PINS[0], pin_rule="New")
	set_parental_lock(device=known[1].serial, age="16", pin_rule="None")
	publish.publish_devices([tv.serial for tv in known])
	while publish.publish_pending():
		pass
	return [*known, Someone("TV-NEVER-SEEN-1", jws.Signer(jws.new_key()))]


def someone(state: str, small: bool, parts: str = PARTS) -> Someone:
	"""A TV bound to a subscription in this state."""
	subscription = factories.make_subscription("Awaiting Activation")
	tv = TV(delivered_tv(subscription).serial, small=small)
	tv.parts = parts
	bind.bind_by_code(subscription=subscription, line_id=line_of(subscription), code=tv.code())
	if state == "Suspended":
		change_state(subscription=subscription, event="suspend")
	elif state == "Cancelled":
		change_state(subscription=subscription, event="end")
	elif state == "Cancelling":
		end = add_days(getdate(), 4)
		change_state(subscription=subscription, event="cancel_at_date", end_date=end)
	return Someone(tv.serial, None if small else tv.signer, tv.secret)


def edge_at(folder: Path, now: int) -> EdgeNode:
	"""An edge of the desk's name with the desk's rows, and no counts yet."""
	upto = publish.current_sequence()
	rows = store_rights.entries_after(0, upto, 100_000)
	page = feed.Page("snapshot", 0, upto, now, True, tuple(rows))
	masters = Path(os.path.abspath(frappe.conf.subscriber_tv_masters))
	config = Config(folder / "edge.db", folder / "keys", masters, name="desk")
	store = Store(config.database)
	store.load_snapshot([feed.encode_page(page, keys.lease_signer())], keys.verifier())
	store.close()
	node = EdgeNode(config)
	node.refresh(now)
	return node
