"""The main process of the lean server: it holds the listening socket and keeps its workers running.

The socket outlives every worker, so a connection that waits to be accepted is lost neither when a worker dies nor when
all of them are replaced.
"""

from __future__ import annotations

import errno
import logging
import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Callable
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess

from subscriber_tv.edge.config import Config
from subscriber_tv.edge.lean import worker

log = logging.getLogger("subscriber_tv.edge")

_BACKLOG = 4096
# A worker that dies sooner is started again a little later.
_SHORT_LIFE = 1.0
_KILL_AFTER = 7.0
_TICK = 0.2
# Seconds to wait for an address that workers of a killed main process still hold; they look twice a second.
ORPHANS = 10.0


class Server:
	"""Runs `config.workers` processes until SIGTERM. `may_reload` is asked at SIGHUP whether new ones may begin."""

	def __init__(self, config: Config, may_reload: Callable[[], bool], overlap: float):
		self._config = config
		self._may_reload = may_reload
		self._overlap = overlap
		# Workers must not be forked from a process that runs threads.
		self._context = multiprocessing.get_context("spawn")
		self._current: list[BaseProcess] = []
		# Those that are to end, and when they are told and killed.
		self._leaving: list[tuple[BaseProcess, float, float]] = []
		self._begin_again = 0.0
		self._signals: list[int] = []
		self._wake, self._woken = os.pipe()

	def serve(self, started: Callable[[], None]) -> None:
		"""Listen, call `started`, and serve."""
		with listen(self._config.host, self._config.port) as self._listening:
			for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
				signal.signal(number, self._heard)
			started()
			self._fill()
			while not {signal.SIGTERM, signal.SIGINT} & set(self._signals):
				self._wait()
				if signal.SIGHUP in self._signals:
					self._signals.clear()
					self._reload()
				self._look_after()
		self._end()

	def _heard(self, number: int, _frame: object) -> None:
		self._signals.append(number)
		os.write(self._woken, b"!")

	def _wait(self) -> None:
		watched = [process.sentinel for process in self._current]
		watched += [process.sentinel for process, _tell, _kill in self._leaving]
		if self._wake in wait([*watched, self._wake], _TICK if self._leaving or self._begin_again else None):
			os.read(self._wake, 4096)

	def _start(self) -> BaseProcess:
		process = self._context.Process(target=worker.run, args=(self._listening,), daemon=True)
		process.began = time.monotonic()  # type: ignore[attr-defined]
		process.start()
		return process

	def _fill(self) -> None:
		while len(self._current) < self._config.workers:
			self._current.append(self._start())

	def _look_after(self) -> None:
		"""Start anew what died, and see off those that are to end."""
		now = time.monotonic()
		for process in [one for one in self._current if not one.is_alive()]:
			log.error("worker %s ended with %s: a new one begins", process.pid, process.exitcode)
			self._current.remove(process)
			lived = now - process.began  # type: ignore[attr-defined]
			self._begin_again = now + (_SHORT_LIFE if lived < _SHORT_LIFE else 0.0)
		if self._begin_again and now >= self._begin_again:
			self._begin_again = 0.0
			self._fill()
		self._leaving = [left for left in self._leaving if _see_off(*left, now)]

	def _reload(self) -> None:
		if not self._may_reload():
			return
		now = time.monotonic()
		tell = now + self._overlap
		self._leaving += [(process, tell, tell + _KILL_AFTER) for process in self._current]
		self._current = []
		self._fill()

	def _end(self) -> None:
		now = time.monotonic()
		everybody = self._current + [process for process, _tell, _kill in self._leaving]
		for process in everybody:
			process.terminate()
		for process in everybody:
			process.join(max(0.0, now + _KILL_AFTER - time.monotonic()))
			if process.is_alive():
				process.kill()
				process.join()


def _see_off(process: BaseProcess, tell: float, kill: float, now: float) -> bool:
	"""Whether this process, which is to end, still runs."""
	if not process.is_alive():
		process.join()
		return False
	if now >= kill:
		process.kill()
	elif now >= tell:
		process.terminate()
	return True


def listen(host: str, port: int) -> socket.socket:
	"""Listen at this address; OSError when it stays taken, or is none of ours."""
	family, kind, protocol, _name, address = socket.getaddrinfo(
		host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
	)[0]
	listening = socket.socket(family, kind, protocol)
	listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
	until = time.monotonic() + ORPHANS
	while not _bound(listening, address, until):
		time.sleep(_TICK / 4)
	listening.listen(_BACKLOG)
	return listening


def _bound(listening: socket.socket, address: tuple, until: float) -> bool:
	"""Whether the address is ours now. Workers of a main process that was killed hold it until they see that it is gone."""
	try:
		listening.bind(address)
	except OSError as error:
		if error.errno != errno.EADDRINUSE or time.monotonic() >= until:
			raise
		return False
	return True
