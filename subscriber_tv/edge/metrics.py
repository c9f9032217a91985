"""Numbers for Prometheus. Each worker writes its own into a small mapped file; the main process sums and serves them.

Counting costs a worker no system call and no lock: one writer a file. A worker that is gone leaves its counts behind.
"""

from __future__ import annotations

import mmap
import os
from bisect import bisect_left
from collections.abc import Iterable
from pathlib import Path

ROUTES = (
	*("auth", "challenge", "assert", "heartbeat", "stream", "enrol", "token"),
	*("offer", "jwks", "hello", "health", "ready", "page", "other"),
)
STATUSES = (200, 204, 302, 400, 401, 403, 404, 405, 408, 409, 413, 415, 429, 431, 503, 0)
BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

_route = {f"/v1/{name}": number for number, name in enumerate(ROUTES[:-2])}
_status = {status: number for number, status in enumerate(STATUSES)}
_PAGE, _OTHER = len(ROUTES) - 2, len(ROUTES) - 1
_OFFER = ROUTES.index("offer")

# The board: answers by route and status, the histogram and its sum, then the single numbers.
_TIMES = len(ROUTES) * len(STATUSES)
_SUM = _TIMES + len(BOUNDS) + 1
SLOT_GIVEN, PUT_OFF, ADDRESS_FAILS, TV_TOO_OFTEN, CPU = range(_SUM + 1, _SUM + 6)
CAPACITY, QUEUE, LATE, REMEMBERED = range(_SUM + 6, _SUM + 10)
_SIZE = _SUM + 10

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Sample = tuple[str, float]


class Board:
	"""One worker's numbers; in a mapped file, or only in memory."""

	def __init__(self, file: Path | None = None):
		if file is None:
			self._numbers = memoryview(bytearray(8 * _SIZE)).cast("d")
			return
		with file.open("wb+") as opened:
			opened.truncate(8 * _SIZE)
			self._numbers = memoryview(mmap.mmap(opened.fileno(), 8 * _SIZE)).cast("d")

	@classmethod
	def of_this_process(cls, folder: Path) -> Board:
		"""The board under this process's number."""
		return cls(folder / f"{os.getpid()}.board")

	def add(self, number: int, by: float = 1.0) -> None:
		"""Add to a counter."""
		self._numbers[number] += by

	def set(self, number: int, value: float) -> None:
		"""Set a gauge."""
		self._numbers[number] = value

	def count_answer(self, path: str, status: int, seconds: float) -> None:
		"""Count an answer by route and status, and the time it took."""
		route = _route.get(path)
		if route is None:
			route = _OFFER if path.startswith("/v1/offer/") else _PAGE if status in (200, 302) else _OTHER
		numbers = self._numbers
		numbers[route * len(STATUSES) + _status.get(status, len(STATUSES) - 1)] += 1
		numbers[_TIMES + bisect_left(BOUNDS, seconds)] += 1
		numbers[_SUM] += seconds

	def values(self) -> list[float]:
		"""All numbers."""
		return list(self._numbers)


class Boards:
	"""All boards of an edge, those of workers that are gone included."""

	def __init__(self, folder: Path):
		self._folder = folder
		self._gone = [0.0] * _SIZE

	def read(self) -> tuple[list[float], list[list[float]]]:
		"""The sums of all workers there ever were, and the boards of those that run."""
		running = []
		for file in sorted(self._folder.glob("*.board")):
			data = file.read_bytes()
			if len(data) != 8 * _SIZE:
				continue  # just being made
			numbers = list(memoryview(data).cast("d"))
			if _runs(int(file.stem)):
				running.append(numbers)
				continue
			self._gone = [gone + number for gone, number in zip(self._gone, numbers, strict=True)]
			file.unlink(missing_ok=True)
		return [sum(column) for column in zip(self._gone, *running, strict=True)], running


def _runs(pid: int) -> bool:
	try:
		os.kill(pid, 0)
	except ProcessLookupError:
		return False
	except PermissionError:
		pass
	return True


def text(sums: list[float], running: list[list[float]], more: Iterable[tuple[str, str, str, float]]) -> str:
	"""The numbers in Prometheus' text format; `more` are single ones: name, type, help, value."""
	lines: list[str] = []
	_family(lines, "requests_total", "counter", "Answers by route and status.", _answers(sums))
	_family(lines, "request_seconds", "histogram", "Time from a request's head to its answer.", _times(sums))
	reasons = {
		"slot": SLOT_GIVEN,
		"put_off": PUT_OFF,
		"address_fails": ADDRESS_FAILS,
		"tv_too_often": TV_TOO_OFTEN,
	}
	refused = [(f'refusals_total{{reason="{name}"}}', sums[number]) for name, number in reasons.items()]
	_family(lines, "refusals_total", "counter", "Requests refused for their number, by reason.", refused)
	_single(lines, "cpu_seconds_total", "counter", "CPU seconds of the workers.", sums[CPU])
	_single(lines, "workers", "gauge", "Workers that run.", len(running))
	for name, number, summary, said in (
		("capacity", CAPACITY, sum, "Answers a second that the workers can give, as measured."),
		("queue_seconds", QUEUE, max, "Length of the longest virtual queue of TVs asked to come back."),
		(
			"loop_late_seconds",
			LATE,
			max,
			"How late the event loop of the slowest worker was in the last second.",
		),
		("remembered", REMEMBERED, sum, "Entries in the bounded tables of limits and tickets."),
	):
		_single(lines, name, "gauge", said, summary([board[number] for board in running] or [0.0]))
	for name, kind, said, value in more:
		_single(lines, name, kind, said, value)
	return "\n".join(lines) + "\n"


def _answers(sums: list[float]) -> Iterable[Sample]:
	for number, value in enumerate(sums[:_TIMES]):
		if value:
			route, status = ROUTES[number // len(STATUSES)], STATUSES[number % len(STATUSES)]
			yield f'requests_total{{route="{route}",status="{status or "other"}"}}', value


def _times(sums: list[float]) -> Iterable[Sample]:
	total = 0.0
	for bound, value in zip((*BOUNDS, "+Inf"), sums[_TIMES:_SUM], strict=True):
		total += value
		yield f'request_seconds_bucket{{le="{bound}"}}', total
	yield "request_seconds_sum", sums[_SUM]
	yield "request_seconds_count", total


def _family(lines: list[str], name: str, kind: str, said: str, samples: Iterable[Sample]) -> None:
	lines.append(f"# HELP subscriber_tv_edge_{name} {said}")
	lines.append(f"# TYPE subscriber_tv_edge_{name} {kind}")
	lines.extend(f"subscriber_tv_edge_{sample} {value:.17g}" for sample, value in samples)


def _single(lines: list[str], name: str, kind: str, said: str, value: float) -> None:
	_family(lines, name, kind, said, [(name, value)])
