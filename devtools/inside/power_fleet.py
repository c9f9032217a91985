"""The demo's TVs, as they stand in rooms: each powers on, says how it is, and asks when the broker says that it should.

Run with the tool environment as `python power_fleet.py URL CSV [DESK SITE] [--leave SERIAL]`. The CSV is the demo's bindings.csv; the TVs'
credentials follow from their serials; `--leave SERIAL` leaves one to somebody's TV page, since two that count by themselves are a
copied TV. With a desk some of them learn their place at its message broker and listen there.
Prints what the TVs saw each time.
"""

import argparse
import csv
import threading
import time
import zlib
from pathlib import Path

from subscriber_tv.core.devices import jws
from subscriber_tv.core.imports.demo_keys import demo_credential
from subscriber_tv.simulator.fleet import Identity, power_on_all, report
from subscriber_tv.simulator.http import NoAnswer, Service
from subscriber_tv.simulator.memory import Memory
from subscriber_tv.simulator.mqtt import Ear, Place
from subscriber_tv.simulator.tv import Tv

PAUSE = 30
# Every so many rounds all power on; in between only those that listen ask, when they hear of something.
ROUNDS = 10
# Each has a thread of its own, which is as much as a demonstration needs.
LISTENERS = 30
FIRMWARE = ("3.21", "3.21", "3.21", "3.20", "2.9")


class LivingFleet:
	"""The TVs and what they remember from one round to the next."""

	def __init__(self, url: str, fleet: list[Identity]):
		self.url = url
		self.fleet = fleet
		self.remembered: dict[str, Memory] = {}
		self.ears: dict[str, Ear] = {}
		self.began = time.monotonic()
		# A TV counts by itself: it never asks twice at once.
		self.busy = threading.Lock()
		self._verifier: jws.Verifier | None = None

	def power_on(self) -> str:
		"""Everybody asks; what they saw."""
		with self.busy:
			return report(
				power_on_all(self.fleet, lambda: Service(self.url), threads=4, remembered=self.remembered)
			)

	def beat(self) -> None:
		"""Whoever plays says how it is."""
		service = Service(self.url)
		with self.busy:
			for identity in self.fleet:
				tv = self.tv(identity, service)
				if tv.memory.key and tv.may_play:
					tv.heartbeat(**self.measures(identity.serial))
		service.close()

	def listen(self, desk: Service) -> None:
		"""Some learn from the desk where the broker is, and stay connected."""
		for identity in self.fleet[:: max(1, len(self.fleet) // LISTENERS)]:
			with self.busy:
				tv = self.tv(identity, Service(self.url))
				if not tv.memory.mqtt and tv.may_play:
					tv.learn_place(desk)
			if tv.memory.mqtt and identity.serial not in self.ears:
				self.ears[identity.serial] = self.ear(tv)
				self.ears[identity.serial].start()

	def ear(self, tv: Tv) -> Ear:
		"""A TV's connection to the broker. It does what it is told at once: nobody watches how."""

		def ask() -> None:
			with self.busy:
				print(f"{tv.serial} was told to ask, and sees: {tv.power_on().kind}", flush=True)

		def obey(command) -> bool:
			print(f"{tv.serial} was told: {command.do}", flush=True)
			return True

		return Ear(
			tv.serial,
			Place.told(tv.memory.mqtt),
			version=lambda: tv.memory.version,
			verifier=self.verifier,
			ask=ask,
			obey=obey,
		)

	def tv(self, identity: Identity, service: Service) -> Tv:
		"""A TV with its memory."""
		tv = Tv(identity.serial, service, identity.credential)
		tv.memory = self.remembered.setdefault(identity.serial, tv.memory)
		return tv

	def verifier(self) -> jws.Verifier:
		"""The operator's keys."""
		if self._verifier is None:
			service = Service(self.url)
			self._verifier = jws.Verifier(service.get(service.paths.jwks).document)
			service.close()
		return self._verifier

	def measures(self, serial: str) -> dict[str, str]:
		"""What a set measures: always its own, and a little different each time. One in sixty is too hot, one hears badly."""
		own = zlib.crc32(serial.encode())
		wave = int(time.time() / PAUSE + own) % 5
		return {
			"up": str(int(time.monotonic() - self.began) + own % 90_000),
			"temp": str((71 if own % 60 == 7 else 36 + own % 9) + wave),
			"err": str(own % 60 // 57),
			"rssi": str(-(88 if own % 60 == 11 else 48 + own % 14) - wave),
			"fw": FIRMWARE[own % len(FIRMWARE)],
		}


def fleet_of(path: Path) -> list[Identity]:
	with path.open(newline="", encoding="utf-8-sig") as rows:
		return [Identity(row["serial"], demo_credential(row["serial"])) for row in csv.DictReader(rows)]


def live(fleet: LivingFleet, desk: Service | None) -> None:
	rounds = 0
	while True:
		try:
			if rounds % ROUNDS == 0:
				print(fleet.power_on(), flush=True)
			fleet.beat()
			if desk:
				fleet.listen(desk)
			rounds += 1
		except NoAnswer as silence:
			print(f"no answer: {silence}", flush=True)
		time.sleep(PAUSE)


if __name__ == "__main__":
	parser = argparse.ArgumentParser(description=__doc__)
	parser.add_argument("url")
	parser.add_argument("bindings", type=Path)
	parser.add_argument("desk", nargs="?")
	parser.add_argument("site", nargs="?", default="")
	parser.add_argument("--leave", action="append", default=[])
	options = parser.parse_args()
	asked = Service(options.desk, "desk", options.site) if options.desk else None
	tvs = [tv for tv in fleet_of(options.bindings) if tv.serial not in options.leave]
	live(LivingFleet(options.url, tvs), asked)
