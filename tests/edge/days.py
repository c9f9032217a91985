"""Days without the ERP, in minutes: the clocks of edge, publisher and TVs leap from one event to the next."""

import heapq
import json
from pathlib import Path

from edge_process import eventually
from faults import Outcome, staged
from feed_publisher import credential
from laws import LOST, Ask, judge
from scene import BECOMES, ENDS, Scene, ask
from stepped import SteppedClock, stepped

from subscriber_tv.core.devices import jws
from subscriber_tv.simulator.http import Service
from subscriber_tv.simulator.roaming import Roaming
from subscriber_tv.simulator.tv import Tv

DAY = 86_400


def erp_stopped(folder: Path, days: float = 9, tvs: int = 40, seed: int = 4) -> Outcome:
	"""Nothing is heard of the ERP for days of simulated time; TVs ask when they are to, and when they are switched on."""
	with stepped(folder / "clock") as clock:
		with staged(folder, tvs=tvs, seed=seed, clock=clock.now, FEED_WAIT="0") as scene:
			return Days(scene, clock, days).run()


class Days:
	"""The time of a fleet without its ERP, event by event. Leases live seven days, an answer lets a TV play for one."""

	def __init__(self, scene: Scene, clock: SteppedClock, days: float):
		self._scene, self._clock = scene, clock
		self._began = clock.now()
		self._end = self._began + days * DAY
		self._draws = scene.draws
		self._asks: list[Ask] = []

	def run(self) -> Outcome:
		scene, clock = self._scene, self._clock
		for serial, contract in scene.contracts.items():
			if contract.kind == ENDS:
				scene.say(serial, "Active", int(clock.now() + self._draws.uniform(0.5, 6) * DAY))
		scene.reached()
		eventually((scene.edge.folder / "edge-clock.json").exists)
		fleet = list(self._fleet())
		self._round(fleet)
		scene.stop_publisher()
		# The operator's staff go on: what they cancel and suspend now is heard of later.
		changes = self._changes()
		queue = [(self._next(tv), number) for number, (tv, _) in enumerate(fleet)]
		heapq.heapify(queue)
		while queue[0][0] < self._end:
			moment, number = heapq.heappop(queue)
			while changes and changes[-1][0] <= moment:
				at, serial, state = changes.pop()
				clock.leap_to(at)
				scene.say(serial, state)
			clock.leap_to(moment)
			tv, roaming = fleet[number]
			self._asks.append(ask(tv, roaming, clock.now))
			heapq.heappush(queue, (self._next(tv), number))
		scene.rights.sign_again()
		scene.start_publisher()
		recovery = scene.heal()
		healed = clock.now()
		clock.leap_to(healed + 2)
		self._round(fleet)
		return Outcome(judge(self._asks, scene.contracts, healed), recovery, self._seen())

	def _fleet(self):
		scene = self._scene
		verifier = jws.Verifier(json.loads(scene.rights.jwks()))
		service = Service(f"http://127.0.0.1:{scene.edge.port}")
		for serial in scene.contracts:
			tv = Tv(serial, service, credential(serial), verifier=verifier, clock=self._clock.now)
			yield tv, Roaming(tv, {"edge": service}, sleep=lambda _: None, clock=self._clock.now)

	def _round(self, fleet) -> None:
		self._asks += [ask(tv, roaming, self._clock.now) for tv, roaming in fleet]

	def _changes(self) -> list[tuple[float, str, str]]:
		found = []
		for serial, contract in self._scene.contracts.items():
			if contract.kind in BECOMES:
				at = self._began + self._draws.uniform(0, 3) * DAY
				found.append((at, serial, BECOMES[contract.kind]))
		return sorted(found, reverse=True)

	def _next(self, tv: Tv) -> float:
		"""When it is due, or is switched on again. Refused TVs are not left to ask every five minutes: that takes too long."""
		now = self._clock.now()
		if not tv.memory.lease:
			return now + self._draws.uniform(0.1, 0.4) * DAY
		due = tv.memory.ask_after if tv.memory.ask_after > now else now + DAY
		return max(now + 60, min(due, now + self._draws.uniform(0.3, 0.9) * DAY))

	def _seen(self) -> dict[str, float]:
		def share(first: float, last: float) -> float:
			asked = [one for one in self._asks if first <= (one.began - self._began) / DAY < last]
			return 100 * sum(one.kind != LOST for one in asked) / len(asked)

		dark = [one.began for one in self._asks if one.dark]
		seen = {"answered % on day 1": share(0, 1), "answered % until day 7": share(0, 6.9)}
		if dark:
			seen["first dark after days"] = (min(dark) - self._began) / DAY
		return seen
