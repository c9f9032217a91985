"""Processor time of other processes, to the nanosecond, and which core they run on."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable
from pathlib import Path

# What a server may still use, of a core, when it counts as idle.
_IDLE = 0.03
_LOOK = 0.25
_LONGEST = 20.0
# Seconds in which idling is measured at least.
_ENOUGH = 0.5


def cpu_seconds(pids: Iterable[int]) -> float:
	"""Seconds of processor time that these processes have used, their threads that ended included."""
	total = 0.0
	for pid in pids:
		# The kernel's own account by process, as clock_getcpuclockid(3) names it; /proc counts in ticks of 10 ms.
		with contextlib.suppress(OSError):
			total += time.clock_gettime((~pid << 3) | 2)
	return total


class Idle:
	"""What processes use while nobody asks them anything: a share of a core, from now until `rate` is called."""

	def __init__(self, pids: Iterable[int]):
		self._pids = tuple(pids)
		self._cpu, self._began = cpu_seconds(self._pids), time.monotonic()

	def rate(self) -> float:
		"""Seconds of processor time in a second."""
		time.sleep(max(0.0, _ENOUGH - (time.monotonic() - self._began)))
		return (cpu_seconds(self._pids) - self._cpu) / (time.monotonic() - self._began)


def settle(pids: Iterable[int], least: float = 0.0) -> None:
	"""Wait until these processes have been idle for a moment: `least` seconds at any rate, and never for ever."""
	pids = tuple(pids)
	began = time.monotonic()
	time.sleep(least)
	before, last = cpu_seconds(pids), time.monotonic()
	while pids and last - began < _LONGEST:
		time.sleep(_LOOK)
		now, spent = time.monotonic(), cpu_seconds(pids)
		if spent - before < _IDLE * (now - last):
			return
		before, last = spent, now


def tree(pid: int) -> tuple[int, ...]:
	"""A process and all that descend from it."""
	children: dict[int, list[int]] = {}
	for entry in Path("/proc").iterdir():
		if entry.name.isdigit():
			with contextlib.suppress(OSError):
				fields = (entry / "stat").read_text().rpartition(")")[2].split()
				children.setdefault(int(fields[1]), []).append(int(entry.name))
	found, waiting = [], [pid]
	while waiting:
		current = waiting.pop()
		found.append(current)
		waiting += children.get(current, [])
	return tuple(found)


def pin(pids: Iterable[int], core: int) -> None:
	"""Bind these processes, every thread of them, to one core."""
	for pid in pids:
		for task in Path(f"/proc/{pid}/task").iterdir():
			with contextlib.suppress(OSError):
				os.sched_setaffinity(int(task.name), {core})


def resident(pid: int) -> int:
	"""Memory of a process, in bytes."""
	with contextlib.suppress(OSError):
		for line in Path(f"/proc/{pid}/status").read_text().splitlines():
			if line.startswith("VmRSS"):
				return int(line.split()[1]) * 1024
	return 0


def cores() -> tuple[int, int]:
	"""Which core the servers get and which the load; the same one when the machine has no other."""
	allowed = sorted(os.sched_getaffinity(0))
	return allowed[0], allowed[1] if len(allowed) > 1 else allowed[0]
