"""From contracts to TVs' rights at the edge: how long each stage takes, and what a TV costs. See README.md.

	cd SITES; PYTHONPATH=CLONE BENCH/env/bin/python CLONE/benchmarks/projection/run.py --site benchmark.localhost

The site is filled by bulk inserts and left full: take one of its own. `./dev benchmark projection` makes one and drops it.
"""

import argparse
import contextlib
import json
import random
import statistics
import tempfile
import time
from contextlib import closing
from pathlib import Path

import asking
import base
import frappe

from subscriber_tv.core.devices.jws import Verifier
from subscriber_tv.edge import sync
from subscriber_tv.edge.store import Store
from subscriber_tv.flows.activation import keys, publish, sign_rows
from subscriber_tv.flows.activation.note_change import note_changes
from subscriber_tv.flows.contracts.change_state import change_state
from subscriber_tv.tests import processes

GOALS = (
	"goals: built <= 30 s, <= 700 bytes a TV, >= 50,000 rows/s applied, commit to edge p99 <= 1 s, desk < 1 s"
)
DELTA = 100_000


def main() -> None:
	"""Fill the site, then measure each stage and print."""
	asked = argparse.ArgumentParser(description=__doc__)
	asked.add_argument("--site", required=True)
	asked.add_argument("--tvs", type=int, default=base.TVS)
	asked.add_argument("--contracts", type=int, default=base.CONTRACTS)
	asked.add_argument("--rounds", type=int, default=3)
	asked.add_argument("--changes", type=int, default=300, help="contracts suspended and resumed, in turn")
	asked.add_argument("--stages", default="build,edge,latency,hotel")
	options = asked.parse_args()
	frappe.init(site=options.site)
	frappe.connect()
	frappe.set_user("Administrator")
	try:
		began = time.perf_counter()
		base.make(options.tvs, options.contracts)
		print(
			f"{options.tvs:,} TVs of {options.contracts:,} contracts, there after {time.perf_counter() - began:.0f} s"
		)
		print(GOALS, flush=True)
		for stage in options.stages.split(","):
			STAGES[stage](options)
	finally:
		frappe.destroy()


def build(options: argparse.Namespace) -> None:
	"""From nothing to signed, numbered rows at the publisher."""
	frappe.conf.pop("subscriber_tv_edges", None)
	sign_rows.use_processes(max(1, (asking.os.cpu_count() or 2) - 1))
	walls = []
	for number in range(options.rounds):
		_forget()
		note_changes("Subscription", [base.contract(n) for n in range(options.contracts)])
		frappe.db.commit()
		_start_helpers()
		walls.append(_built(options, number + 1))
	sign_rows.use_processes(0)
	print(f"built: median {statistics.median(walls):.1f} s of {', '.join(f'{w:.1f}' for w in walls)}")
	size = asking.table_bytes("TV Entitlement")
	print(f"publisher's table: {size / options.tvs:.0f} bytes a TV, indexes included", flush=True)


def _built(options: argparse.Namespace, number: int) -> float:
	database = asking.database_pid()
	watched = {"publisher": ["self"], "signing": asking.children(asking.os.getpid())}
	watched["database"] = [database] if database else []
	before = {name: sum(map(asking.processor_seconds, pids)) for name, pids in watched.items()}
	began = time.perf_counter()
	while publish.publish_pending():
		frappe.db.commit()
	wall = time.perf_counter() - began
	spent = {name: sum(map(asking.processor_seconds, pids)) - before[name] for name, pids in watched.items()}
	done = frappe.db.count("TV Entitlement", {"kind": "Device", "removed": 0})
	if done < options.tvs:
		raise SystemExit(f"only {done} rows were made")
	parts = ", ".join(f"{name} {seconds:.1f}" for name, seconds in spent.items())
	print(
		f"  round {number}: {wall:6.1f} s, {done / wall:8,.0f} TVs/s; processor seconds: {parts},"
		f" {sum(spent.values()) / done * 1e6:.0f} us a TV",
		flush=True,
	)
	return wall


def _forget() -> None:
	for table in ("TV Entitlement", "TV Rights Outbox"):
		frappe.db.sql_ddl(f"truncate table `tab{table}`")


def _start_helpers() -> None:
	"""Started once in a publisher's life; not part of what is measured."""
	helpers = sign_rows._signers()
	if helpers:
		list(helpers.sign([]))
		helpers._pool.submit(int).result()


def edge(options: argparse.Namespace) -> None:
	"""Snapshot to an edge's file, over HTTP; then changes, applied from memory."""
	verifier = Verifier(keys.public_keys())
	with tempfile.TemporaryDirectory() as folder, _publisher() as port:
		client = sync.FeedClient(f"http://127.0.0.1:{port}", keys.feed_secret(), 1)
		path = Path(folder) / "edge.db"
		with closing(Store(path)) as store:
			began, cpu = time.perf_counter(), time.process_time()
			state = store.load_snapshot(client.snapshot(), verifier)
			wall, cpu = time.perf_counter() - began, time.process_time() - cpu
			print(
				f"snapshot over HTTP: {state.devices:,} TVs in {wall:.1f} s, {state.devices / wall:,.0f} rows/s,"
				f" {state.devices / cpu:,.0f} a processor second of the edge"
			)
			pages = list(client.snapshot())
			sent = sum(len(body) for body, _signature in pages)
			print(f"  on the way: {sent / state.devices:.0f} bytes a TV in {len(pages)} pages")
			_size(store, path, state.devices)
			_deltas(store, options, verifier, client)
			_size(store, path, store.state().devices)


def _size(store: Store, path: Path, devices: int) -> None:
	store._db.execute("pragma wal_checkpoint(truncate)")
	print(f"  edge's file: {path.stat().st_size / devices:.0f} bytes a TV", flush=True)


def _deltas(store: Store, options: argparse.Namespace, verifier: Verifier, client: sync.FeedClient) -> None:
	tvs = min(DELTA, options.tvs)
	serials = [base.serial(number + 1) for number in random.sample(range(options.tvs), tvs)]
	for start in range(0, tvs, publish.CHUNK):
		publish.publish_devices(serials[start : start + publish.CHUNK], again=True)
		frappe.db.commit()
	rates, per_cpu = [], []
	state, pages, applied = store.state(), [], 0
	while state.seq < publish.current_sequence():
		page = client.delta(state.seq, 0)
		count = -time.process_time(), -time.perf_counter()
		state = store.apply_delta(*page, verifier)
		cpu, wall = time.process_time() + count[0], time.perf_counter() + count[1]
		pages.append(len(page[0]))
		if applied + 1000 < tvs:
			rows = min(tvs - applied, 5000)
			rates.append(rows / wall)
			per_cpu.append(rows / cpu)
			applied += rows
	print(
		f"changes applied: {tvs:,} TVs in {len(pages)} pages, median {statistics.median(rates):,.0f} rows/s,"
		f" {statistics.median(per_cpu):,.0f} a processor second"
	)


def latency(options: argparse.Namespace) -> None:
	"""From the commit of a change until the edge answers by it: one edge, then two."""
	for edges in (1, 2):
		with tempfile.TemporaryDirectory() as folder, _publisher() as port:
			with contextlib.ExitStack() as open_edges:
				asks = [
					open_edges.enter_context(_edge(Path(folder), port, number)) for number in range(edges)
				]
				_report(
					f"commit to {edges} edge(s)", [_change(options, asks) for _ in range(options.changes)]
				)


def _change(options: argparse.Namespace, asks: list[asking.Asking]) -> float:
	"""Suspend or resume a contract at a random moment; seconds until every edge answers by it."""
	time.sleep(random.random() * 0.4)
	owner = random.randrange(1, options.contracts)
	tv = _tv_of(owner)
	if not tv:
		return _change(options, asks)
	is_active = frappe.db.get_value("TV Subscription", base.contract(owner), "state") == "Active"
	change_state(subscription=base.contract(owner), event="suspend" if is_active else "resume")
	frappe.db.commit()
	began = time.perf_counter()
	expected = "suspended" if is_active else "allow"
	for ask in asks:
		while ask.answer(*tv) != expected:
			if time.perf_counter() - began > 60:
				raise SystemExit(f"{tv[0]} is not {expected} after a minute but {ask.answer(*tv)}")
			time.sleep(0.002)
	return time.perf_counter() - began


def hotel(options: argparse.Namespace) -> None:
	"""The largest contract suspended and resumed: until the desk answers, and until its last TV's row is at the edge."""
	desk, arrived = [], []
	tvs = frappe.db.count("TV Device", {"subscription": base.contract(0)})
	with tempfile.TemporaryDirectory() as folder, _publisher() as port, _edge(Path(folder), port, 0) as ask:
		last = _tv_of(0, "desc")
		for _turn in range(2 * options.rounds):
			is_active = frappe.db.get_value("TV Subscription", base.contract(0), "state") == "Active"
			event, expected = ("suspend", "suspended") if is_active else ("resume", "allow")
			began = time.perf_counter()
			change_state(subscription=base.contract(0), event=event)
			frappe.db.commit()
			desk.append(time.perf_counter() - began)
			while ask.answer(*last) != expected:
				time.sleep(0.005)
			arrived.append(time.perf_counter() - began)
	_report(f"{tvs:,} TVs of one contract: the desk answers", desk)
	_report("  its last TV is at the edge", arrived)


def _tv_of(owner: int, order: str = "asc") -> tuple[str, str, str] | None:
	rows = frappe.get_all(
		"TV Device",
		{"subscription": base.contract(owner)},
		["name", "key_hash", "parts"],
		order_by=f"name {order}",
		limit=1,
		as_list=True,
	)
	return rows[0] if rows else None


@contextlib.contextmanager
def _publisher():
	"""A real publisher of the site; the port of its feed."""
	frappe.db.commit()
	port = processes.free_port()
	process = processes.start_publisher(port)
	try:
		yield port
	finally:
		processes.stop(process)


@contextlib.contextmanager
def _edge(folder: Path, feed_port: int, number: int):
	"""A real edge that holds everything; somebody who asks it."""
	port, name = processes.free_port(), f"edge-{number}"
	home = folder / name
	home.mkdir()
	(home / "jwks.json").write_text(json.dumps(keys.public_keys()))
	more = {"NAME": name, "FEED_WAIT": "20", "CAPACITY": "1000000"}
	process = processes.start_edge(str(home), port, feed_port, str(home / "jwks.json"), **more)
	try:
		yield asking.Asking(port, name)
	finally:
		processes.stop(process)


def _report(what: str, seconds: list[float]) -> None:
	ordered = sorted(seconds)
	print(
		f"{what}: median {statistics.median(ordered) * 1000:.0f} ms,"
		f" p99 {ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] * 1000:.0f} ms,"
		f" worst {ordered[-1] * 1000:.0f} ms of {len(ordered)}",
		flush=True,
	)


STAGES = {"build": build, "edge": edge, "latency": latency, "hotel": hotel}


if __name__ == "__main__":
	main()
