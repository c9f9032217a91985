"""Start an edge: `python -m subscriber_tv.edge`, configured by SUBSCRIBER_TV_EDGE_* (see config.py).

The main process follows the feed, writes the file and reports the counted answers; worker processes answer TVs.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
from importlib.util import find_spec

from subscriber_tv.core.devices import wire
from subscriber_tv.core.devices.jws import Verifier
from subscriber_tv.edge import logs
from subscriber_tv.edge.answers import AnswerFile
from subscriber_tv.edge.app import create
from subscriber_tv.edge.config import Config, ConfigError
from subscriber_tv.edge.counts import Counts
from subscriber_tv.edge.lean.server import Server
from subscriber_tv.edge.store import prepare, set_damaged_aside
from subscriber_tv.edge.supervise import Supervisor, read_config

log = logging.getLogger("subscriber_tv.edge")

_TARGET = "subscriber_tv.edge.app:create"
# Seconds that a new worker answers beside the one it replaces.
_OVERLAP = 2.0


def main() -> int:
	"""Run until told to stop; 2 when the configuration cannot work."""
	try:
		config = read_config(os.environ)
		if config.server != "lean" and not find_spec(config.server):
			raise ConfigError(f"server is {config.server}, which is not installed")
	except (ConfigError, ValueError) as error:
		print(f"subscriber_tv edge: {error}", file=sys.stderr)
		return 2
	logs.configure(config.name)
	prepare(config.database, Verifier(config.public_keys()))
	for file in (config.answers_file, config.counts_file):
		set_damaged_aside(file)
	AnswerFile(config.answers_file).close()
	Counts(config.counts_file).close()
	serve(config)
	return 0


def serve(config: Config) -> None:
	"""Serve with the server that is configured."""
	servers = {"lean": _serve_lean, "granian": _serve_granian, "uvicorn": _serve_uvicorn}
	servers[config.server](config, Supervisor(config))


def _serve_lean(config: Config, supervisor: Supervisor) -> None:
	try:
		Server(config, supervisor.reload, _OVERLAP).serve(supervisor.start)
	finally:
		supervisor.stop()


def _serve_granian(config: Config, supervisor: Supervisor) -> None:
	import granian
	from granian.constants import HTTPModes, Interfaces
	from granian.http import HTTP1Settings

	# Workers must not be forked from a process that runs the feed's thread.
	multiprocessing.set_start_method("spawn", force=True)
	server = granian.Granian(
		_TARGET,
		factory=True,
		address=config.host,
		port=config.port,
		workers=config.workers,
		interface=Interfaces.ASGI,
		http=HTTPModes.http1,
		http1_settings=HTTP1Settings(
			header_read_timeout=int(config.request_timeout * 1000), max_buffer_size=wire.MAX_HEAD
		),
		websockets=False,
		backlog=4096,
		log_level="warning",
		log_dictconfig=logs.settings(config.name),
		respawn_failed_workers=True,
		respawn_interval=_OVERLAP,
		workers_kill_timeout=5,
	)

	def reload(*_signal) -> None:
		if supervisor.reload():
			# New workers begin, then the old ones finish what they have and end.
			server.signal_handler_reload()

	def start() -> None:
		supervisor.start()
		signal.signal(signal.SIGHUP, reload)

	server.on_startup(start)
	server.on_shutdown(supervisor.stop)
	server.serve()


def _serve_uvicorn(config: Config, supervisor: Supervisor) -> None:
	import uvicorn

	signal.signal(signal.SIGHUP, lambda *_signal: log.error("uvicorn cannot reload: restart the edge"))
	# uvicorn catches it while it serves, and sends it once more when it is done.
	signal.signal(signal.SIGTERM, lambda *_signal: None)
	supervisor.start()
	try:
		uvicorn.run(
			create(),
			host=config.host,
			port=config.port,
			log_config=logs.settings(config.name),
			log_level="warning",
			access_log=False,
			h11_max_incomplete_event_size=wire.MAX_HEAD,
			timeout_graceful_shutdown=5,
		)
	finally:
		supervisor.stop()


if __name__ == "__main__":
	raise SystemExit(main())
