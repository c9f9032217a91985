"""Power-on verifications per second: the desk's endpoint against the edge, as a ratio in one run.

	python benchmarks/device_auth/run.py --desk-url http://site:8000 --edge-url http://127.0.0.1:8090 --tvs tvs.csv \\
		--masters sites/SITE/tv-keys/tv-masters.json

Every TV of the file has its own key, its own count at each of the two, and its own row. Rounds alternate between the two, so that a machine that slows down slows both. The load comes from a process of its
own over real, kept sockets; every answer is read and counted by status. See README.md for what the numbers mean.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import os
import statistics
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from urllib.parse import urlsplit

from subscriber_tv.core.devices import mac, wire
from subscriber_tv.core.devices.jws import b64url

PATHS = {"desk": "/api/method/subscriber_tv.api.activation.{}", "edge": "/v1/{}"}


class Sets:
	"""The TVs of the file, asking in turns: each question is counted and under its TV's own MAC.

	Counts begin above `start`; where a server has seen more of a TV already, its 409 says from where to go on.
	"""

	def __init__(self, tvs: Path, masters: Path, start: int):
		self._masters = mac.read_masters(masters.read_bytes())
		self._epoch = str(self._masters.current)
		with tvs.open(newline="", encoding="utf-8") as file:
			self._tvs = [self._identity(row["serial"], row["credential"]) for row in csv.DictReader(file)]
		self._counts = dict.fromkeys((serial for serial, _ in self._tvs), start)
		self._turn = cycle(self._tvs)

	def _identity(self, serial: str, credential: str) -> tuple[str, bytes]:
		return serial, self._masters.newest(serial, wire.key_fingerprint(credential))

	def question(self, audience: str) -> tuple[str, bytes]:
		"""Whose turn it is, and what it asks."""
		serial, key = next(self._turn)
		self._counts[serial] += 1
		count, nonce = str(self._counts[serial]), b64url(os.urandom(16))
		m = mac.of_auth(key, audience, serial, self._epoch, count, nonce, mac.NOBODY)
		fields = {"d": serial, "e": self._epoch, "c": count, "n": nonce, "f": mac.NOBODY, "m": m}
		return serial, json.dumps(fields, separators=(",", ":")).encode()

	def go_on(self, serial: str, body: bytes) -> None:
		"""Count on above what the server says that it has seen."""
		self._counts[serial] = max(self._counts[serial], int(json.loads(body)["base"]))

	@property
	def highest(self) -> int:
		"""The highest number that any of them used."""
		return max(self._counts.values())


@dataclass
class Tally:
	"""What one round of load saw."""

	statuses: Counter = field(default_factory=Counter)
	latencies: list[float] = field(default_factory=list)
	broken: int = 0


class Connection(asyncio.Protocol):
	"""One kept connection: the next power-on goes out when the answer to the last one is in."""

	def __init__(self, ask, sets: Sets, tally: Tally, deadline: float, closed: asyncio.Future):
		self._ask = ask
		self._sets = sets
		self._serial = ""
		self._tally = tally
		self._deadline = deadline
		self._closed = closed
		self._received = b""
		self._sent = 0.0

	def connection_made(self, transport):
		self._transport = transport
		self._next()

	def data_received(self, data):
		self._received += data
		head, separator, body = self._received.partition(b"\r\n\r\n")
		if not separator or len(body) < _content_length(head):
			return
		self._received = b""
		self._tally.statuses[head[9:12].decode()] += 1
		self._tally.latencies.append(time.perf_counter() - self._sent)
		if head[9:12] == b"409":
			self._sets.go_on(self._serial, body)
		if b"connection: close" in head.lower():
			self._transport.close()
		else:
			self._next()

	def connection_lost(self, _):
		self._tally.broken += bool(self._received)
		if not self._closed.done():
			self._closed.set_result(None)

	def _next(self):
		self._sent = time.perf_counter()
		if self._sent >= self._deadline:
			self._transport.close()
		else:
			self._serial, request = self._ask()
			self._transport.write(request)


def _content_length(head: bytes) -> int:
	for line in head.split(b"\r\n")[1:]:
		name, _, value = line.partition(b":")
		if name.lower() == b"content-length":
			return int(value)
	raise SystemExit("the server sent an answer without Content-Length")


async def load(url: str, kind: str, site: str, sets: Sets, seconds: float, connections: int) -> Tally:
	"""Power-ons for `seconds` over so many connections, each opened again when the server closes it."""
	parts = urlsplit(url)
	ask = _asking(
		parts.netloc,
		parts.path.rstrip("/") + PATHS[kind].format("auth"),
		site,
		sets,
		_audience(url, kind, site),
	)
	tally = Tally()
	loop = asyncio.get_running_loop()
	deadline = time.perf_counter() + seconds

	async def keep() -> None:
		while time.perf_counter() < deadline:
			closed = loop.create_future()
			await loop.create_connection(
				lambda: Connection(ask, sets, tally, deadline, closed), parts.hostname, parts.port or 80
			)
			await closed

	await asyncio.gather(*(keep() for _ in range(connections)))
	return tally


def _audience(url: str, kind: str, site: str) -> str:
	"""How the server calls itself: a question for one is worth nothing at another."""
	headers = {"X-Frappe-Site-Name": site} if site else {}
	request = urllib.request.Request(url.rstrip("/") + PATHS[kind].format("hello"), headers=headers)
	with urllib.request.urlopen(request, timeout=10) as answer:
		return json.loads(answer.read())["aud"]


def _asking(host: str, path: str, site: str, sets: Sets, audience: str):
	"""What makes the next request, with the serial that asks."""
	lines = [
		f"POST {path} HTTP/1.1",
		f"Host: {host}",
		"Content-Type: application/json",
		*([f"X-Frappe-Site-Name: {site}"] if site else []),
	]
	head = "\r\n".join([*lines, ""]).encode()

	def ask() -> tuple[str, bytes]:
		serial, body = sets.question(audience)
		return serial, head + b"Content-Length: %d\r\n\r\n" % len(body) + body

	return ask


# How far the TVs have counted at each, from round to round.
_started = dict.fromkeys(PATHS, 0)


def round_of(kind: str, options: argparse.Namespace, seconds: float) -> dict:
	"""One round of load from a process of its own."""
	url = options.desk_url if kind == "desk" else options.edge_url
	command = [sys.executable, __file__, "--load", kind, "--url", url, "--tvs", str(options.tvs)]
	command += ["--seconds", str(seconds), "--connections", str(options.connections)]
	command += ["--masters", str(options.masters), "--start", str(_started[kind])]
	command += ["--site", options.site] if kind == "desk" else []
	pid = options.desk_pid if kind == "desk" else options.edge_pid
	before = cpu_seconds(pid)
	output = subprocess.run(command, capture_output=True, text=True, check=False)
	if output.returncode:
		raise SystemExit(f"{kind}: {output.stderr.strip().splitlines()[-1]}")
	result = json.loads(output.stdout)
	_started[kind] = result["highest"]
	spent = cpu_seconds(pid) - before
	result["per_cpu"] = result["answers"] / spent if spent > 0 else None
	return result


def cpu_seconds(pid: int | None) -> float:
	"""CPU seconds that a process and its descendants have used so far; 0 when none is given."""
	if not pid:
		return 0.0
	children: dict[int, list[int]] = {}
	ticks: dict[int, int] = {}
	for entry in Path("/proc").iterdir():
		if entry.name.isdigit():
			try:
				fields = (entry / "stat").read_text().rpartition(")")[2].split()
			except OSError:
				continue
			children.setdefault(int(fields[1]), []).append(int(entry.name))
			ticks[int(entry.name)] = int(fields[11]) + int(fields[12])
	total, waiting = 0, [pid]
	while waiting:
		current = waiting.pop()
		total += ticks.get(current, 0)
		waiting += children.get(current, [])
	return total / os.sysconf("SC_CLK_TCK")


def compare(options: argparse.Namespace) -> None:
	"""Alternate rounds, print each, then the medians and the ratio."""
	for kind in ("desk", "edge"):
		round_of(kind, options, 1.0)  # warm caches, discarded
	print(
		f"{'round':>5}  {'desk /s':>9}  {'p50 ms':>7}  {'p99 ms':>7}  {'edge /s':>9}  {'p50 ms':>7}  {'p99 ms':>7}  ratio"
	)
	rounds = []
	for number in range(1, options.rounds + 1):
		order = ("desk", "edge") if number % 2 else ("edge", "desk")
		found = {kind: round_of(kind, options, options.seconds) for kind in order}
		rounds.append(found)
		columns = "  ".join(
			f"{found[kind]['rate']:9.1f}  {found[kind]['p50']:7.2f}  {found[kind]['p99']:7.2f}"
			for kind in ("desk", "edge")
		)
		print(f"{number:>5}  {columns}  {found['edge']['rate'] / found['desk']['rate']:.1f}", flush=True)
	_summary(rounds, "rate", "wall second")
	if all(found[kind]["per_cpu"] for found in rounds for kind in found):
		_summary(rounds, "per_cpu", "second of server CPU")
	for kind in ("desk", "edge"):
		statuses = sum((Counter(found[kind]["statuses"]) for found in rounds), Counter())
		print(f"{kind} answers by status: {dict(statuses)}")


def _summary(rounds: list[dict], name: str, unit: str) -> None:
	desk = statistics.median(found["desk"][name] for found in rounds)
	edge = statistics.median(found["edge"][name] for found in rounds)
	ratios = [found["edge"][name] / found["desk"][name] for found in rounds]
	print(
		f"median per {unit}: desk {desk:.1f}, edge {edge:.1f}; "
		f"ratio {statistics.median(ratios):.1f} (rounds {min(ratios):.1f} to {max(ratios):.1f})"
	)


def _load_round(options: argparse.Namespace) -> None:
	sets = Sets(options.tvs, options.masters, options.start)
	began = time.perf_counter()
	tally = asyncio.run(
		load(options.url, options.load, options.site, sets, options.seconds, options.connections)
	)
	seconds = time.perf_counter() - began
	ordered = sorted(tally.latencies) or [0.0]
	result = {
		"answers": len(tally.latencies),
		"rate": len(tally.latencies) / seconds,
		"p50": ordered[len(ordered) // 2] * 1000,
		"p99": ordered[len(ordered) * 99 // 100] * 1000,
		"statuses": dict(tally.statuses),
		"broken": tally.broken,
		"highest": sets.highest,
	}
	print(json.dumps(result))


def main() -> None:
	"""Compare, or be the load of one round."""
	parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
	parser.add_argument("--desk-url", help="address of the site's web server")
	parser.add_argument("--edge-url", help="address of the edge")
	parser.add_argument("--site", default="", help="name of the site, when its address serves several")
	parser.add_argument(
		"--tvs", type=Path, required=True, help="CSV file with the columns serial and credential"
	)
	parser.add_argument("--masters", type=Path, required=True, help="the site's file of masters")
	parser.add_argument("--start", type=int, default=0, help=argparse.SUPPRESS)
	parser.add_argument("--rounds", type=int, default=5)
	parser.add_argument("--seconds", type=float, default=4.0, help="length of a round")
	parser.add_argument("--connections", type=int, default=8)
	parser.add_argument("--desk-pid", type=int, help="main process of the web server, to count its CPU time")
	parser.add_argument("--edge-pid", type=int, help="main process of the edge, to count its CPU time")
	parser.add_argument("--load", choices=PATHS, help=argparse.SUPPRESS)
	parser.add_argument("--url", help=argparse.SUPPRESS)
	options = parser.parse_args()
	if options.load:
		_load_round(options)
	elif not (options.desk_url and options.edge_url):
		parser.error("--desk-url and --edge-url are needed")
	else:
		compare(options)


if __name__ == "__main__":
	main()
