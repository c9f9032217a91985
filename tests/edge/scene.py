"""An operator, one edge or several, and a fleet of TVs that ask all the while, whatever is broken meanwhile.

Every TV is a thread that obeys the TVs' own rules (subscriber_tv.simulator): it has a key, counts, moves to the next node,
waits, and plays on while it may. What it was answered is written down and held against what its contract said (laws.py).
"""

import json
import random
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import msgspec
from edge_process import EdgeProcess, eventually, free_port
from feed_publisher import SECRET, Publisher, Rights, credential
from laws import LOST, REFUSED, SERVED, Ask, Contract, Tally, judge

from subscriber_tv.core.activation import compare, feed
from subscriber_tv.core.devices import jws
from subscriber_tv.simulator.http import Service
from subscriber_tv.simulator.mqtt import Ear, Place
from subscriber_tv.simulator.roaming import Roaming
from subscriber_tv.simulator.tv import PLAYING, RETRY, Tv
from subscriber_tv.tests.mosquitto import Mosquitto

# Waits are shortened so many times: 16 s become 0.4 s.
HURRY = 40.0
PATIENCE = 3.0

VALID, SUSPENDED, CANCELLED = "valid", "suspended", "cancelled"
CUT, CANCELS, ENDS, RESTORED = "cut", "cancels", "ends", "restored"
# Of twenty TVs; what changes does so during the fault.
SHARES = {VALID: 10, SUSPENDED: 2, CANCELLED: 1, CUT: 2, CANCELS: 2, ENDS: 1, RESTORED: 2}
BEGINS = {SUSPENDED: "Suspended", CANCELLED: "Cancelled", RESTORED: "Suspended"}
BECOMES = {CUT: "Suspended", CANCELS: "Cancelled", RESTORED: "Active"}


class Scene:
	"""The operator with its publisher, `names` of its edges, and the fleet. Everything random comes from `seed`."""

	def __init__(
		self,
		folder: Path,
		*,
		tvs: int = 40,
		names: tuple[str, ...] = ("edge",),
		seed: int = 4,
		every: float = 0.5,
		max_stale: int = 7 * 86_400,
		clock: Callable[[], float] = time.time,
		**settings: str,
	):
		self.draws = random.Random(seed)
		self.every = every
		self.clock = clock
		self.rights = Rights(max_stale=max_stale, clock=clock)
		self.broker: Mosquitto | None = None
		self.contracts = {serial: Contract(kind) for serial, kind in _fleet(tvs)}
		for serial, contract in self.contracts.items():
			self.say(serial, BEGINS.get(contract.kind, "Active"))
		self.publisher = Publisher(self.rights)
		self.feed_port = self.publisher.port
		self.operations = {name: free_port() for name in names}
		self.edges: dict[str, EdgeProcess] = {}
		for name in names:
			place = folder / name
			place.mkdir(exist_ok=True)
			metrics = str(self.operations[name])
			self.edges[name] = EdgeProcess(
				place, self.rights, self.publisher.url, NAME=name, METRICS_PORT=metrics, **settings
			)
		self.fleet = Fleet(self)
		self.cured = 0.0

	@property
	def edge(self) -> EdgeProcess:
		"""The first edge."""
		return next(iter(self.edges.values()))

	# the operator

	def _set_ends(self, first: float, last: float) -> None:
		"""Contracts that are to end do so between these seconds from now; that is known ahead."""
		for serial, contract in self.contracts.items():
			if contract.kind == ENDS:
				self.say(serial, "Active", int(time.time() + self.draws.uniform(first, last)) + 1)

	def change_states(self, seconds: float) -> None:
		"""Suspend, cancel and restore, in random order, spread over so many seconds."""
		changing = [serial for serial, contract in self.contracts.items() if contract.kind in BECOMES]
		self.draws.shuffle(changing)
		for serial in changing:
			self.say(serial, BECOMES[self.contracts[serial].kind])
			time.sleep(seconds / len(changing))

	def busywork(self) -> None:
		"""One more delta that changes nobody's rights."""
		self.say(self.draws.choice([s for s, c in self.contracts.items() if c.kind == VALID]), "Active")

	def say(self, serial: str, state: str, until: int = 0) -> None:
		"""A contract becomes Active, Suspended, Cancelled; it ends at `until` where that is given."""
		self.contracts[serial].become(state == "Active", until, self.clock())
		self.rights.set_state(serial, state, until)

	def stop_publisher(self) -> None:
		self.publisher.stop()

	def start_publisher(self) -> None:
		self.publisher = Publisher(self.rights, self.feed_port)

	# the edges

	def reached(self, seconds: float = 30) -> None:
		"""Wait until every edge has what was published."""
		for edge in self.edges.values():
			eventually(lambda edge=edge: _seq(edge) == self.rights.seq, seconds)

	def differences(self) -> list[str]:
		"""What the edges hold otherwise than the operator published: compare-edges, without a site."""
		return [f"{name}: {found}" for name in self.edges for found in self._compared(name)]

	def _compared(self, name: str) -> list[str]:
		ours = compare.Sums()
		for entry in list(self.rights.rows.values()):
			if entry.kind == feed.DEVICE and not entry.removed:
				ours.add(entry.subject, compare.packed(entry))
		try:
			question = {"slices": ours.slices}
			theirs = _ask(
				self.operations[name], compare.SLICES_PATH, question, compare.Slices, int(self.clock())
			)
		except OSError as error:
			return [str(error)]
		if theirs.seq != self.rights.seq:
			return [f"number {theirs.seq} instead of {self.rights.seq}"]
		wanted = {entry.subject: entry.document_hash for entry in self.rights.rows.values() if entry.document}
		found = [] if theirs.offers == wanted else ["offers differ"]
		return found + [f"slice {number}" for number in compare.unequal(ours, theirs)]

	def heal(self, seconds: float = 60) -> float:
		"""The fault is over now. Wait until nothing differs any more; how long that took."""
		self.cured = time.time()
		eventually(lambda: not self.differences(), seconds)
		return time.time() - self.cured

	# the run

	@contextmanager
	def asking(self, during: float, before: float = 1.0, after: float = 1.5):
		"""The fleet asks, from a while before the fault until a while after all is healed.

		:param during: about how long the fault will last
		"""
		self._set_ends(before, before + during)
		self.reached()
		self.fleet.start()
		try:
			time.sleep(before)
			yield
			self.fleet.healed = time.time()
			time.sleep(after)
		finally:
			self.fleet.stop()

	def tally(self) -> Tally:
		"""What the fleet was answered, held against the laws."""
		return judge(self.fleet.asks, self.contracts, self.fleet.healed)

	def stop(self) -> None:
		self.fleet.stop()
		for edge in self.edges.values():
			edge.stop()
		self.publisher.stop()


class Fleet:
	"""A thread for each TV, each with connections of its own."""

	def __init__(self, scene: Scene):
		self._scene = scene
		self._stop = threading.Event()
		self._threads: list[threading.Thread] = []
		self.asks: list[Ask] = []
		self.ears: list[Ear] = []
		# When each TV was last hinted at.
		self.hinted: dict[str, float] = {}
		self.healed = float("inf")

	def start(self) -> None:
		"""Switch all on."""
		verifier = jws.Verifier(json.loads(self._scene.rights.jwks()))
		for serial in self._scene.contracts:
			draws = random.Random(f"{self._scene.draws.random()} {serial}")
			thread = threading.Thread(target=self._watch, args=(serial, verifier, draws), daemon=True)
			self._threads.append(thread)
			thread.start()

	def stop(self) -> None:
		"""Let each finish what it began."""
		self._stop.set()
		for thread in self._threads:
			thread.join(30)

	def _watch(self, serial: str, verifier: jws.Verifier, draws: random.Random) -> None:
		nodes = {
			name: Service(f"http://127.0.0.1:{edge.port}", timeout=PATIENCE)
			for name, edge in self._scene.edges.items()
		}
		tv = Tv(serial, next(iter(nodes.values())), credential(serial), verifier=verifier)
		roaming = Roaming(tv, nodes, hurry=HURRY, sleep=time.sleep, draws=draws)
		self._stop.wait(draws.uniform(0, self._scene.every))
		wake = threading.Event()
		ear = self._ear(tv, verifier, wake)
		while not self._stop.is_set():
			self.asks.append(ask(tv, roaming))
			wake.wait(draws.uniform(0.5, 1.5) * self._scene.every)
			wake.clear()
		if ear:
			ear.vanish()
		for node in nodes.values():
			node.close()

	def _ear(self, tv: Tv, verifier: jws.Verifier, wake: threading.Event) -> Ear | None:
		"""The TV's connection to the broker, if there is one; a hint makes it ask at once."""
		broker = self._scene.broker
		if broker is None:
			return None

		def hear() -> None:
			self.hinted[tv.serial] = time.time()
			wake.set()

		place = Place(
			"127.0.0.1", broker.port, broker.operator, broker.password(tv.serial), "TVL-1", ca=broker.ca
		)
		ear = Ear(
			tv.serial,
			place,
			version=lambda: tv.memory.version,
			verifier=lambda: verifier,
			ask=hear,
			obey=lambda _: True,
		)
		ear.start(0)
		self.ears.append(ear)
		return ear


def ask(tv: Tv, roaming: Roaming, clock=time.time) -> Ask:
	"""One power-on, until it is answered or the TV gives up for now."""
	began = clock()
	asked = roaming.power_on()
	screen, memory = asked.screen, tv.memory
	kind = LOST if not asked.node or screen.kind == RETRY else SERVED if screen.kind == PLAYING else REFUSED
	lease = json.loads(jws.unverified_claims(memory.lease))["exp"] if kind == SERVED else 0
	return Ask(
		tv.serial,
		began,
		clock(),
		kind,
		screen.code or screen.kind,
		asked.tries,
		asked.node,
		lease,
		memory.play_until,
		kind == LOST and not tv.may_play,
	)


def _fleet(tvs: int):
	kinds = [kind for kind, share in SHARES.items() for _ in range(share)]
	return [(f"HOTEL-{number:06}", kinds[number % len(kinds)]) for number in range(tvs)]


def _seq(edge: EdgeProcess) -> int:
	try:
		return edge.health().get("seq", -1)
	except (OSError, ValueError):
		return -1


def _ask(port: int, path: str, question: dict, kind: type, now: int):
	body = json.dumps(question).encode()
	header = feed.authorization(SECRET, path, now, method="POST", body=body)
	request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, {"Authorization": header})
	with urllib.request.urlopen(request, timeout=10) as response:
		return msgspec.json.decode(response.read(), type=kind)
