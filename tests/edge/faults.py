"""The faults, each done to real processes while a fleet asks. Each takes a fresh scene's folder and returns what came of it.

`long` seconds is about how long a fault lasts; tests take short ones, benchmarks/reliability longer ones and more TVs.
"""

import os
import signal
import sqlite3
import subprocess
import threading
import time
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from edge_process import EdgeProcess, eventually
from feed_publisher import Publisher, Rights, credential
from laws import Tally
from scene import BECOMES, Scene
from stepped import stepped

from subscriber_tv.adapters.mqtt import Broker, Connection
from subscriber_tv.core.mqtt import payloads
from subscriber_tv.core.mqtt.broker_files import Member
from subscriber_tv.tests.mosquitto import Mosquitto


@dataclass
class Outcome:
	"""What a fleet was answered during one fault, and how soon all was well again (seconds)."""

	tally: Tally
	recovery: float
	# What this fault shows besides, by name.
	seen: dict[str, float] = field(default_factory=dict)

	def row(self) -> dict:
		"""A row of the benchmark's table."""
		tally = self.tally
		broken = [f"denied: {ask}" for ask in tally.denied[:3]]
		broken += [f"served beyond its rights: {ask}" for ask in tally.overserved[:3]]
		return {
			"TVs": tally.tvs,
			"asks": tally.asks,
			"served": tally.served,
			"refused": tally.refused,
			"lost": tally.lost,
			"dark": tally.dark,
			"denied": len(tally.denied),
			"beyond": len(tally.overserved),
			"again": tally.again,
			"longest": tally.longest,
			"healed": self.recovery,
			"seen": {
				"most tries": tally.most_tries,
				"on a lease": tally.on_lease,
				"await news": tally.waiting,
			}
			| self.seen,
			"broken": broken,
		}


@contextmanager
def staged(folder: Path, **given):
	"""A scene that is stopped at the end."""
	scene = Scene(folder, **given)
	try:
		yield scene
	finally:
		scene.stop()


def publisher_gone(folder: Path, long: float = 3.0, **given) -> Outcome:
	"""The publisher is not there while contracts change: TVs get what was last known."""
	with staged(folder, **given) as scene:
		with scene.asking(long):
			scene.stop_publisher()
			scene.change_states(long)
			scene.start_publisher()
			recovery = scene.heal()
		return Outcome(scene.tally(), recovery)


class Keeper:
	"""Starts an edge again that was killed, as systemd does (Restart=always, RestartSec=200ms), and times it."""

	def __init__(self, edge: EdgeProcess):
		self._edge = edge
		self.ready: list[float] = []

	def restart(self) -> None:
		self._edge.wait()
		time.sleep(0.2)
		began = time.monotonic()
		self._edge.start()
		eventually(lambda: self._edge.request("GET", "/v1/ready")[0] == 200)
		self.ready.append(time.monotonic() - began)


def killed(folder: Path, what: str, long: float = 4.0, **given) -> Outcome:
	"""A worker, the main process or both are killed at random moments, while deltas arrive and TVs ask."""
	with staged(folder, WORKERS="2", **given) as scene:
		keeper, kills, calm = Keeper(scene.edge), 0, threading.Event()

		def deltas():
			while not calm.wait(0.02):
				scene.busywork()

		with scene.asking(long):
			stream, changes = (
				threading.Thread(target=deltas),
				threading.Thread(target=scene.change_states, args=(long,)),
			)
			stream.start()
			changes.start()
			until = time.monotonic() + long
			while time.monotonic() < until:
				time.sleep(scene.draws.uniform(0.2, 2.0))
				kills += _kill(scene, what, keeper)
			changes.join()
			calm.set()
			stream.join()
			recovery = scene.heal()
		seen = {"kills": float(kills)}
		if keeper.ready:
			seen["ready, slowest"] = max(keeper.ready)
		return Outcome(scene.tally(), recovery, seen)


def _kill(scene: Scene, what: str, keeper: Keeper) -> bool:
	"""Whether there was something to kill."""
	edge = scene.edge
	if what == "worker":
		workers = edge.workers()
		with suppress(ProcessLookupError, IndexError):
			os.kill(scene.draws.choice(workers), signal.SIGKILL)
		# Under granian, workers that end again and again take the edge with them: then it is started anew.
		if edge.is_running:
			return bool(workers)
	elif what == "main":
		edge.signal(signal.SIGKILL)
	else:
		edge.kill()
	keeper.restart()
	return True


def disk_full(folder: Path, long: float = 3.0, **given) -> Outcome:
	"""The disk that holds the edge's files has no room left, then has some again."""
	with disk(folder / "edge", "6m"), staged(folder, **given) as scene:
		with scene.asking(long):
			ballast = scene.edge.folder / "ballast"
			with suppress(OSError), ballast.open("wb") as file:
				while True:
					file.write(bytes(4096))
					file.flush()
			# More than what is left in pages that were allocated before.
			for number in range(400):
				scene.rights.set_state(f"CLINIC-{number:06}", "Active")
			scene.change_states(long)
			log = scene.edge.log()
			ballast.unlink()
			recovery = scene.heal()
		noticed = "full" in log or "disk I/O" in log
		return Outcome(scene.tally(), recovery, {"noticed": float(noticed)})


@contextmanager
def disk(folder: Path, size: str):
	"""A disk of this size; OSError where this machine lets us make none."""
	folder.mkdir(exist_ok=True)
	mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
	try:
		subprocess.run(mount, check=True, capture_output=True)
	except subprocess.CalledProcessError as error:
		raise OSError(f"no disk can be made here: {error.stderr.decode().strip()}") from None
	try:
		yield
	finally:
		subprocess.run(["umount", "-l", str(folder)], check=True)


def spoiled(folder: Path, how: str, long: float = 3.0, **given) -> Outcome:
	"""The projection's file is spoiled under an edge that serves from it, while contracts change."""
	with staged(folder, WORKERS="2", **given) as scene:
		with scene.asking(long):
			changes = threading.Thread(target=scene.change_states, args=(long,))
			changes.start()
			time.sleep(long / 4)
			SPOILERS[how](scene)
			changes.join()
			recovery = scene.heal(90)
		kept = scene.edge.folder / "edge.db.damaged"
		return Outcome(scene.tally(), recovery, {"damaged file kept": float(kept.exists())})


def flip(scene: Scene) -> None:
	"""Single bits at random, in some thirty pages and the head of the file."""
	_fold(scene)
	with open(scene.edge.folder / "edge.db", "r+b") as file:
		size = file.seek(0, os.SEEK_END)
		for at in (40, *(scene.draws.randrange(size) for _ in range(200))):
			file.seek(at)
			(byte,) = file.read(1)
			file.seek(at)
			file.write(bytes([byte ^ 1 << scene.draws.randrange(8)]))


def cut_short(scene: Scene) -> None:
	"""Half of the file is gone."""
	_fold(scene)
	path = scene.edge.folder / "edge.db"
	os.truncate(path, path.stat().st_size // 2)


def swap(scene: Scene) -> None:
	"""Another operator's file, whole and sound, takes the place of ours: the same serials, other keys."""
	stranger = Rights()
	for serial in scene.contracts:
		stranger.set_secret(serial, credential(serial[::-1]))
	place = scene.edge.folder / "stranger"
	place.mkdir()
	server = Publisher(stranger)
	other = EdgeProcess(place, stranger, server.url)
	try:
		eventually(lambda: other.health()["rows"] == len(scene.contracts))
	finally:
		other.stop()
		server.stop()
	with closing(sqlite3.connect(place / "edge.db")) as file:
		file.execute("pragma wal_checkpoint(truncate)")
	for suffix in ("-wal", "-shm"):
		(scene.edge.folder / f"edge.db{suffix}").unlink(missing_ok=True)
	os.replace(place / "edge.db", scene.edge.folder / "edge.db")


SPOILERS = {"bits": flip, "half": cut_short, "stranger": swap}


def _fold(scene: Scene) -> None:
	with closing(sqlite3.connect(scene.edge.folder / "edge.db", timeout=5)) as file:
		file.execute("pragma wal_checkpoint(truncate)")


def node_lost(folder: Path, long: float = 3.0, **given) -> Outcome:
	"""Of two edges one is gone for good: its TVs ask the other, at once."""
	with staged(folder, names=("north", "south"), **given) as scene:
		with scene.asking(long):
			lost = scene.edges["north"]
			lost.kill()
			scene.change_states(long)
			gone = scene.edges.pop("north")
			recovery = scene.heal()
			gone.stop()
		return Outcome(scene.tally(), recovery)


def clock_stepped(folder: Path, seconds: float, long: float = 3.0, **given) -> Outcome:
	"""The machine's clock is set wrong by so many seconds; half of the time the publisher is away as well."""
	with stepped(folder / "clock") as clock, staged(folder, FEED_WAIT="0", **given) as scene:
		eventually((scene.edge.folder / "edge-clock.json").exists)
		with scene.asking(2 * long):
			clock.step(seconds)
			scene.change_states(long)
			scene.stop_publisher()
			time.sleep(long)
			scene.start_publisher()
			recovery = scene.heal()
			clock.step(0)
		return Outcome(scene.tally(), recovery)


def broker_down(folder: Path, long: float = 3.0, **given) -> Outcome:
	"""The message broker is killed while contracts change, and comes back later. Only hints are late by it."""
	with staged(folder, **given) as scene:
		place = folder / "broker"
		place.mkdir()
		scene.broker = broker = Mosquitto(place, [Member(serial, "TVL-1") for serial in scene.contracts])
		app = Connection(
			Broker("127.0.0.1", broker.port, broker.users.publisher, broker.app_password, ca=broker.ca), ()
		)
		try:
			with scene.asking(long):
				eventually(lambda: all(ear.connections for ear in scene.fleet.ears), 30)
				broker.kill()
				scene.change_states(long)
				broker.start()
				recovery = scene.heal()
				seen = _hint_again(scene, app)
		finally:
			scene.stop()
			app.close()
			broker.stop()
		return Outcome(scene.tally(), recovery, seen)


def _hint_again(scene: Scene, app: Connection) -> dict[str, float]:
	"""The publisher sends what the broker did not take, as soon as it is back; how many TVs heard it, and when the last did."""
	changed = [serial for serial, contract in scene.contracts.items() if contract.kind in BECOMES]
	began = time.time()
	assert app.wait_connected(30)
	for serial in changed:
		topic = scene.broker.topic("d", serial, "ent")
		hint = payloads.hint(scene.rights.seq + 1, 0)
		eventually(
			lambda topic=topic, hint=hint: app.publish(topic, hint, within=60.0, retain=True, key=topic)
		)
	eventually(lambda: all(scene.fleet.hinted.get(serial, 0) >= began for serial in changed), 60)
	heard = [scene.fleet.hinted[serial] for serial in changed]
	return {"hints heard": float(len(heard)), "last after, s": max(heard) - scene.cured}
