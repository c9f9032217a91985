"""The main process of an edge: it follows the feed, reports, serves the metrics, and reloads when told to.

Workers get their configuration from a copy in the runtime folder, which is replaced only by one that was found good:
whatever somebody writes into the file, a worker that starts anew starts.
"""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from http.server import ThreadingHTTPServer
from pathlib import Path

from subscriber_tv.core.devices.jws import Verifier
from subscriber_tv.edge import comparison, metrics, operations, runtime, soundness, sync, upload
from subscriber_tv.edge.config import PREFIX, Config, ConfigError, load
from subscriber_tv.edge.store import Store

log = logging.getLogger("subscriber_tv.edge")

# What workers and threads are made with once; the rest of the configuration may change under them.
_FIXED = ("database", "server", "host", "port", "workers", "name", "metrics_host", "metrics_port")


def read_config(environ: Mapping[str, str]) -> Config:
	"""The configuration, every file that it names read once; ConfigError or ValueError says what is wrong with it."""
	config = load(environ)
	Verifier(config.public_keys())
	config.masters()
	if config.feed_url:
		config.feed_secret()
	return config


class Supervisor:
	"""Everything of an edge that is not a worker."""

	def __init__(self, config: Config):
		self.config = config
		self._environ = dict(os.environ)
		self._began = time.time()
		self._ending = threading.Event()
		self._stop = threading.Event()
		self._threads: list[threading.Thread] = []
		self._followed: tuple[object, ...] = ()
		self._server: ThreadingHTTPServer | None = None
		self._folder = runtime.make_folder()
		self._boards = metrics.Boards(self._folder)
		self._keep_copy()

	def start(self) -> None:
		"""Begin to follow, to report and to serve the metrics."""
		config = self.config
		self._follow()
		threading.Thread(
			target=soundness.run, args=(config, self._ending), name="soundness", daemon=True
		).start()
		if config.metrics_port:
			self._server = self._serve_operations(config)

	def stop(self) -> None:
		"""End all of it and take the runtime folder away."""
		self._ending.set()
		self._stop.set()
		if self._server:
			self._server.shutdown()
			self._server.server_close()
		shutil.rmtree(self._folder, ignore_errors=True)

	def reload(self) -> bool:
		"""Read the configuration and the keys anew; False when they are wrong and everything stays as it is."""
		try:
			config = read_config(self._environ)
			fixed = [name for name in _FIXED if getattr(config, name) != getattr(self.config, name)]
			if fixed:
				raise ConfigError(f"a restart is needed to change {', '.join(fixed)}")
			self._keep_copy()
		except (ConfigError, ValueError, OSError) as error:
			log.error("not reloaded, everything stays as it was: %s", error)
			return False
		self.config = config
		self._follow()
		log.info("configuration and keys read anew")
		return True

	def page(self) -> str:
		"""What Prometheus reads."""
		sums, running = self._boards.read()
		return metrics.text(sums, running, self._facts())

	def _serve_operations(self, config: Config) -> ThreadingHTTPServer | None:
		try:
			return operations.serve(config.metrics_host, config.metrics_port, self.page, self._compare)
		except OSError as error:
			# TVs matter more than who watches them.
			log.error("no metrics at %s:%s: %s", config.metrics_host, config.metrics_port, error.strerror)
			return None

	def _compare(self, path: str, authorization: str | None, body: bytes) -> tuple[int, bytes]:
		return comparison.answer(self.config, path, authorization, body)

	def _follow(self) -> None:
		"""Follow the feed and report, with what the configuration and its files say now.

		Threads that run with something else end first, which may take as long as a question to the publisher.
		"""
		config = self.config
		given = (config, config.public_keys(), config.feed_url and config.feed_secret())
		if not config.feed_url or given == self._followed:
			return
		self._stop.set()
		before, stop = self._threads, threading.Event()
		self._followed, self._stop, self._threads = given, stop, []
		for name, run in (("feed", sync.run), ("answers", upload.run)):
			thread = threading.Thread(target=_after, args=(before, run, config, stop), name=name, daemon=True)
			self._threads.append(thread)
			thread.start()

	def _facts(self) -> list[tuple[str, str, str, float]]:
		now = time.time()
		with closing(Store(self.config.database, read_only=True)) as store:
			state = store.state()
		return [
			("up_seconds", "gauge", "Seconds since the main process began.", now - self._began),
			("rows", "gauge", "TVs in the projection.", state.devices),
			("sequence", "gauge", "The last number applied.", state.seq),
			("ready", "gauge", "1 when the file holds something.", float(bool(state.as_of))),
			(
				"data_as_of_seconds",
				"gauge",
				"When the content was last confirmed, epoch seconds.",
				state.as_of,
			),
			("database_bytes", "gauge", "Size of the projection's file.", _size(self.config.database)),
		]

	def _keep_copy(self) -> None:
		source = self._environ.get(f"{PREFIX}CONFIG")
		if not source:
			return
		copy = self._folder / "config.toml"
		fresh = copy.with_suffix(".new")
		shutil.copyfile(source, fresh)
		os.replace(fresh, copy)
		os.environ[f"{PREFIX}CONFIG"] = str(copy)


def _after(
	before: list[threading.Thread],
	run: Callable[[Config, threading.Event], None],
	config: Config,
	stop: threading.Event,
) -> None:
	for thread in before:
		thread.join()
	run(config, stop)


def _size(path: Path) -> int:
	try:
		return path.stat().st_size
	except OSError:
		return 0
