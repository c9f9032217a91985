"""Faults on the ERP's side, on a site of one's own: its publisher is killed, its Redis is lost. Run by run.py, inside the bench.

The site is filled with bound TVs; a real publisher and an edge serve them while staff suspend and resume contracts.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

CLONE = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(CLONE), str(CLONE / "tests" / "edge")]

import frappe
from edge_process import EdgeProcess, eventually, free_port
from faults import Outcome
from feed_publisher import credential
from laws import Contract, judge
from scene import CUT, RESTORED, SUSPENDED, VALID, Fleet

from subscriber_tv.core.devices import wire
from subscriber_tv.flows.activation import keys, publish
from subscriber_tv.flows.activation.compare_edges import compare_edges
from subscriber_tv.flows.activation.note_change import note_change
from subscriber_tv.flows.contracts.change_state import change_state
from subscriber_tv.tests import factories, processes

KINDS = (VALID, VALID, VALID, VALID, VALID, SUSPENDED, CUT, CUT, RESTORED, RESTORED)
ROUNDS = 4


class Operator:
	"""A site with TVs, its publisher and an edge; it has what `scene.Fleet` asks of a scene."""

	def __init__(self, folder: Path, tvs: int, seed: int):
		self.draws = random.Random(seed)
		self.every, self.broker = 1.0, None
		self.contracts: dict[str, Contract] = {}
		self._tvs_of: dict[str, list[str]] = {}
		self._kind_of: dict[str, str] = {}
		for number in range(2 * len(KINDS)):
			self._sign_up(KINDS[number % len(KINDS)], max(1, tvs // (2 * len(KINDS))), number)
		frappe.db.commit()
		self.feed_port, self.operations = free_port(), free_port()
		self.publisher = processes.start_publisher(self.feed_port)
		self._published()
		self.edges = {"edge": self._edge(folder)}
		self.fleet = Fleet(self)
		self.rights = self

	def jwks(self) -> str:
		return json.dumps(keys.public_keys())

	def _sign_up(self, kind: str, tvs: int, number: int) -> None:
		subscription = factories.make_subscription("Active", quantity=tvs)
		line = frappe.get_doc("TV Subscription", subscription).lines[0].line_id
		mark = frappe.generate_hash(length=6).upper()
		serials = [f"FAULT-{mark}-{number:02}{tv:04}" for tv in range(tvs)]
		fields = ["name", "serial_no", "subscription", "line_id", "credential_state", "key_hash", "state"]
		frappe.db.bulk_insert(
			"TV Device",
			fields,
			[
				(tv, tv, subscription, line, "Active", wire.key_fingerprint(credential(tv)), "In Service")
				for tv in serials
			],
		)
		if kind in (SUSPENDED, RESTORED):
			change_state(subscription=subscription, event="suspend")
		note_change("Subscription", subscription)
		self._tvs_of[subscription], self._kind_of[subscription] = serials, kind
		for serial in serials:
			self.contracts[serial] = Contract(kind)
			self.contracts[serial].become(kind in (VALID, CUT), 0, time.time())

	def _edge(self, folder: Path) -> EdgeProcess:
		conf = frappe.conf
		edge = EdgeProcess(
			folder,
			self,
			f"http://127.0.0.1:{self.feed_port}",
			METRICS_PORT=str(self.operations),
			WORKERS="2",
			MASTERS_FILE=os.path.abspath(conf.subscriber_tv_masters),
			FEED_SECRET_FILE=os.path.abspath(conf.subscriber_tv_feed_secret),
		)
		eventually(lambda: edge.health()["seq"] >= self.sequence(), 60)
		return edge

	# staff

	def changing(self) -> list[str]:
		"""The contracts that are to change, in random order."""
		found = [name for name, kind in self._kind_of.items() if kind in (CUT, RESTORED)]
		self.draws.shuffle(found)
		return found

	def change(self, subscription: str) -> None:
		"""Suspend or resume a contract, as staff do."""
		event = "suspend" if self._kind_of[subscription] == CUT else "resume"
		for serial in self._tvs_of[subscription]:
			self.contracts[serial].become(event == "resume", 0, time.time())
		change_state(subscription=subscription, event=event)
		frappe.db.commit()

	# machines

	def sequence(self) -> int:
		frappe.db.rollback()
		return publish.current_sequence()

	def _published(self) -> None:
		eventually(lambda: (frappe.db.rollback(), frappe.db.count("TV Rights Outbox"))[1] == 0, 120)

	def kill_publisher(self) -> None:
		self.publisher.send_signal(signal.SIGKILL)
		self.publisher.wait()

	def start_publisher(self) -> None:
		self.publisher = processes.start_publisher(self.feed_port)

	def heal(self) -> float:
		"""Wait until compare-edges finds nothing; how long that took."""
		began = time.time()
		eventually(self._is_whole, 120)
		return time.time() - began

	def _is_whole(self) -> bool:
		frappe.db.rollback()
		if frappe.db.count("TV Rights Outbox"):
			return False
		(outcome,) = compare_edges({"edge": f"http://127.0.0.1:{self.operations}"})
		return not outcome.problem and not outcome.differences and outcome.seq == publish.current_sequence()

	@contextmanager
	def asking(self):
		self.fleet.start()
		try:
			time.sleep(2)
			yield
			self.fleet.healed = time.time()
			time.sleep(3)
		finally:
			self.fleet.stop()

	def stop(self) -> None:
		self.fleet.stop()
		for edge in self.edges.values():
			edge.stop()
		if self.publisher.poll() is None:
			processes.stop(self.publisher)


def publisher_killed(operator: Operator, seconds: float) -> Outcome:
	"""The publisher is killed when it has numbered rows and before any edge has them; then at random moments."""
	edge, unsent, changing = operator.edges["edge"], 0, operator.changing()
	with operator.asking():
		for number, subscription in enumerate(changing):
			before = operator.sequence()
			if number < ROUNDS:
				# The edge's main process is stopped: what is numbered now cannot have been sent.
				edge.signal(signal.SIGSTOP)
			operator.change(subscription)
			if number < ROUNDS:
				eventually(lambda before=before: operator.sequence() > before, 30)
			else:
				time.sleep(operator.draws.uniform(0, 0.2))
			operator.kill_publisher()
			edge.signal(signal.SIGCONT)
			unsent += eventually(edge.health)["seq"] < operator.sequence()
			time.sleep(seconds / len(changing))
			operator.start_publisher()
		recovery = operator.heal()
	tally = judge(operator.fleet.asks, operator.contracts, operator.fleet.healed)
	return Outcome(tally, recovery, {"kills": float(len(changing)), "numbered, not sent": float(unsent)})


def redis(operator: Operator, seconds: float) -> Outcome:
	"""The site's Redis is killed while contracts change, and comes back empty."""
	server, changing, took = operator.redis, operator.changing(), []
	with operator.asking():
		server.kill()
		for subscription in changing:
			before = operator.sequence()
			operator.change(subscription)
			began = time.monotonic()
			eventually(lambda before=before: operator.edges["edge"].health()["seq"] > before, 60)
			took.append(time.monotonic() - began)
			time.sleep(seconds / len(changing))
		server.start()
		recovery = operator.heal()
	tally = judge(operator.fleet.asks, operator.contracts, operator.fleet.healed)
	return Outcome(
		tally, recovery, {"change to edge, median s": sorted(took)[len(took) // 2], "slowest s": max(took)}
	)


class Redis:
	"""A Redis that this site has for itself, so that nobody else loses theirs."""

	def __init__(self, folder: Path):
		self.port, self._folder = free_port(), folder
		self.start()

	def start(self) -> None:
		command = [
			shutil.which("redis-server") or "redis-server",
			"--port",
			str(self.port),
			"--bind",
			"127.0.0.1",
		]
		command += ["--save", "", "--appendonly", "no", "--dir", str(self._folder)]
		self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
		eventually(
			lambda: subprocess.run(["redis-cli", "-p", str(self.port), "ping"], capture_output=True).stdout
		)

	def kill(self) -> None:
		self._process.kill()
		self._process.wait()

	@contextmanager
	def used_by(self, path: Path):
		"""The site's configuration names it, for now."""
		before = path.read_text()
		address = f"redis://127.0.0.1:{self.port}"
		own = {"redis_cache": f"{address}/0", "redis_queue": f"{address}/1", "redis_socketio": f"{address}/0"}
		path.write_text(json.dumps({**json.loads(before), **own}, indent=1))
		try:
			yield
		finally:
			path.write_text(before)
			self.kill()


FAULTS: dict[str, Callable[[Operator, float], Outcome]] = {
	"publisher-killed": publisher_killed,
	"redis": redis,
}


def main() -> None:
	"""Do one fault and write its row of the table."""
	asked = argparse.ArgumentParser(description=__doc__)
	asked.add_argument("fault", choices=FAULTS)
	asked.add_argument("--site", required=True)
	asked.add_argument("--answer", required=True, type=Path)
	asked.add_argument("--tvs", type=int, default=200)
	asked.add_argument("--seconds", type=float, default=20.0)
	asked.add_argument("--seed", type=int, default=4)
	options = asked.parse_args()
	with tempfile.TemporaryDirectory(prefix="reliability-") as folder:
		server = Redis(Path(folder))
		with server.used_by(Path.cwd() / options.site / "site_config.json"):
			options.answer.write_text(json.dumps(_on_site(options, Path(folder), server)))


def _on_site(options: argparse.Namespace, folder: Path, server: Redis) -> dict:
	frappe.init(site=options.site)
	frappe.connect()
	frappe.set_user("Administrator")
	operator = None
	try:
		operator = Operator(folder, options.tvs, options.seed)
		operator.redis = server
		return FAULTS[options.fault](operator, options.seconds).row()
	finally:
		if operator:
			operator.stop()
		frappe.destroy()


if __name__ == "__main__":
	main()
