"""The desk over a fleet of 563,000 TVs: how long each query of the board, the pages and the minute's jobs takes.

	cd SITES; PYTHONPATH=CLONE BENCH/env/bin/python CLONE/benchmarks/fleet/run.py --site benchmark.localhost

The site is filled by bulk inserts and left full: take one of its own. See README.md for what the figures mean.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from datetime import timedelta

import frappe
from frappe.utils import now_datetime

from subscriber_tv.api import fleet
from subscriber_tv.core.devices import health, heartbeats
from subscriber_tv.core.devices.heartbeats import Beat
from subscriber_tv.flows.support import apply_rules, count_fleet
from subscriber_tv.flows.support.moments import epoch
from subscriber_tv.flows.support.take_heartbeats import take_heartbeats
from subscriber_tv.tests import factories

SITES = 10_000
SEGMENTS = ("Hotel", "Clinic", "Prison", "Care Home", "Home")
SECTORS = 20
ROUNDS = 5

FILL_SITES = """
	insert ignore into `tabTV Site` (name, creation, modified, owner, modified_by, site_name, customer, segment, territory)
	select concat('FB-S', lpad(seq, 5, '0')), %(then)s, %(then)s, 'Administrator', 'Administrator',
		concat('Site ', seq), %(customer)s, elt(1 + seq %% 5, %(s0)s, %(s1)s, %(s2)s, %(s3)s, %(s4)s),
		concat('Secteur ', lpad(seq %% %(sectors)s, 2, '0'))
	from seq_1_to_10000
"""
FILL_DEVICES = """
	insert ignore into `tabTV Device` (name, serial_no, creation, modified, owner, modified_by, item, model, state,
		credential_state, company, customer, site, firmware)
	select concat('FB-', lpad(seq, 7, '0')), concat('FB-', lpad(seq, 7, '0')), %(then)s, %(then)s, 'Administrator',
		'Administrator', %(model)s, %(model)s, 'In Service', 'Active', %(company)s, %(customer)s,
		concat('FB-S', lpad(1 + seq %% 10000, 5, '0')), ''
	from seq_1_to_1000000 where seq > %(after)s and seq <= %(upto)s
"""
FILL_STATUS = """
	insert ignore into `tabTV Device Status` (name, device, creation, modified, owner, modified_by, online, last_heard,
		firmware, site, segment, territory, customer, company, in_service, dirty, network, counted_key, counted_online)
	select d.name, d.name, %(now)s, %(now)s, 'Administrator', 'Administrator', right(d.name, 1) < '7',
		date_sub(%(now)s, interval if(right(d.name, 1) < '7', 60 + crc32(d.name) %% 1200, 86400) second),
		elt(1 + crc32(d.name) %% 4, '3.20', '3.21', '3.22', '4.0'), d.site, s.segment, s.territory, s.customer, d.company,
		1, 0, concat('10.', crc32(d.site) %% 256, '.', crc32(d.site) div 256 %% 256, '.0/24'),
		left(sha2(concat(d.company, '\n', d.site, '\n', elt(1 + crc32(d.name) %% 4, '3.20', '3.21', '3.22', '4.0')), 256), 24),
		right(d.name, 1) < '7'
	from `tabTV Device` d join `tabTV Site` s on s.name = d.site
	where d.name > %(first)s and d.name <= %(last)s
"""
FILL_HOURS = """
	insert ignore into `tabTV Device Hour` (name, device, creation, modified, owner, modified_by, hour, beats, temperature,
		signal_strength, errors, last_heard, firmware, error_counter, uptime)
	select concat(device, '|', %(number)s), device, %(now)s, %(now)s, 'Administrator', 'Administrator', %(hour)s, 4,
		40 + crc32(name) %% 25 + if(crc32(concat(name, 'hot')) %% 20000 = 0, 30, 0), -50 - cast(crc32(name) %% 20 as signed), 0, %(now)s,
		firmware, -1, -1
	from `tabTV Device Status` where online = 1 and name > %(first)s and name <= %(last)s
"""
# What the board would cost without its summary table.
COUNT_ALL = """
	select segment, count(*), sum(online), sum(alarms > 0) from `tabTV Device Status` where in_service = 1 group by segment
"""
CHUNK = 50_000


def main() -> None:
	"""Fill the site to the number of TVs asked for, then measure and print."""
	asked = argparse.ArgumentParser(description=__doc__)
	asked.add_argument("--site", required=True)
	asked.add_argument("--tvs", type=int, default=563_000)
	options = asked.parse_args()
	frappe.init(site=options.site)
	frappe.connect()
	frappe.set_user("Administrator")
	try:
		fill(options.tvs)
		measure(options.tvs)
	finally:
		frappe.destroy()


def fill(tvs: int) -> None:
	"""Rows for `tvs` TVs in 10,000 sites, two thirds online, with two hours of telemetry each."""
	if frappe.db.count("TV Device Status") >= tvs:
		return print("filled already")
	company = factories.make_operator()
	began, now = time.perf_counter(), now_datetime()
	segments = {f"s{number}": factories.make_segment(name) for number, name in enumerate(SEGMENTS)}
	for number in range(SECTORS):
		factories.make_territory(f"Secteur {number:02d}")
	place = {"customer": factories.make_customer("Fleet Benchmark"), "company": company}
	place |= {"model": factories.make_device_model(), "sectors": SECTORS, "now": now, **segments}
	# Long ago, so that the minute's job does not take the whole fleet for changed.
	place["then"] = "2025-01-01 00:00:00"
	frappe.db.sql(FILL_SITES, place)
	hour = epoch(now) // 3600
	for after in range(0, tvs, CHUNK):
		upto = min(after + CHUNK, tvs)
		names = {"first": f"FB-{after:07d}", "last": f"FB-{upto:07d}"}
		frappe.db.sql(FILL_DEVICES, place | {"after": after, "upto": upto})
		frappe.db.sql(FILL_STATUS, place | names)
		for back in (1, 2):
			moment = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=back)
			frappe.db.sql(FILL_HOURS, place | names | {"number": hour - back, "hour": moment})
		frappe.db.commit()
	count_fleet.take_turn()
	frappe.db.commit()
	print(f"filled with {tvs:,} TVs in {time.perf_counter() - began:.0f} s")
	for table in ("TV Device", "TV Device Status", "TV Device Hour"):
		print(f"  {table}: {frappe.db.count(table):,} rows")


def measure(tvs: int) -> None:
	"""Each query and job, `ROUNDS` times; first, median and worst in milliseconds."""
	print(f"{'':64}{'first':>9}{'median':>9}{'worst':>9}  ms")
	once("recount of all (daily)", count_fleet.recount)
	print(f"  TV Fleet Count: {frappe.db.count('TV Fleet Count'):,} rows")
	segment = frappe.db.get_value("TV Site", "FB-S00001", "segment")
	serial = f"FB-{tvs // 2:07d}"
	site = frappe.db.get_value("TV Device", serial, "site")
	timed("board by segment, with totals and alarms", lambda: fleet.board("segment"))
	timed("board by sector", lambda: fleet.board("territory"))
	timed("board by firmware", lambda: fleet.board("firmware"))
	timed("board: sectors of a segment", lambda: fleet.board("territory", {"segment": segment}))
	timed(
		"board: sites of a segment and sector",
		lambda: fleet.board("site", {"segment": segment, "territory": "Secteur 05"}),
	)
	timed("board: all sites, the 100 largest", lambda: fleet.board("site"))
	timed("(the same by segment without summary: count of all TVs)", lambda: frappe.db.sql(COUNT_ALL))
	fields = ["name", "online", "last_heard", "firmware", "site", "alarms", "suspicion"]
	timed(
		"list of the TVs of a site",
		lambda: frappe.get_list("TV Device Status", {"site": site}, fields, limit=20),
	)
	timed("TV page: state, signs, alarms", lambda: fleet.device_now(serial))
	timed("TV page: everything that happened", lambda: fleet.device_story(serial))
	timed("why is this TV refused?", lambda: fleet.why_refused(serial))
	timed("number card: minutes to the first picture", fleet.activation_minutes)
	timed("minute's job with nothing to do", count_fleet.count_fleet)
	timed("1,000 heartbeat rows taken", lambda: hear(1000))
	timed("minute's job: 1,000 TVs changed", lambda: (change(1000), count_fleet.count_fleet()))
	now = epoch(now_datetime())
	hot = health.Rule("hot", health.TEMPERATURE, 85, 2)
	silent = health.Rule("silent", health.SILENCE, 0, 6, scope=health.SITE, tvs=50)
	timed("health rule over all TVs (temperature, two hours)", lambda: apply_rules.steps_of(hot, now))
	timed(
		"health rule over all sites (3,000 of them wholly silent)", lambda: apply_rules.steps_of(silent, now)
	)


def hear(number: int) -> None:
	"""Rows of TVs all over the fleet."""
	now = epoch(now_datetime())
	names = [f"FB-{1 + index * 499:07d}" for index in range(number)]
	take_heartbeats([heartbeats.one(name, Beat(temp=45), at=now) for name in names], now=now)
	frappe.db.commit()


def change(number: int) -> None:
	"""So many TVs change their firmware: each must be taken from one sum and added to another."""
	now = epoch(now_datetime())
	firmware = f"5.{time.monotonic_ns() % 2}"
	names = [f"FB-{1 + index * 487:07d}" for index in range(number)]
	take_heartbeats([heartbeats.one(name, Beat(firmware=firmware), at=now) for name in names], now=now)
	frappe.db.commit()


def once(what: str, call: Callable) -> None:
	"""Time one call."""
	began = time.perf_counter()
	call()
	frappe.db.commit()
	print(f"{what:64}{(time.perf_counter() - began) * 1000:9.0f}", flush=True)


def timed(what: str, call: Callable) -> None:
	"""Time a call `ROUNDS` times, each in a transaction of its own."""
	took = []
	for _round in range(ROUNDS):
		frappe.db.rollback()
		began = time.perf_counter()
		call()
		took.append((time.perf_counter() - began) * 1000)
	frappe.db.rollback()
	print(f"{what:64}{took[0]:9.1f}{statistics.median(took):9.1f}{max(took):9.1f}", flush=True)


if __name__ == "__main__":
	main()
