"""Start an edge: `python -m subscriber_tv.edge`, configured by SUBSCRIBER_TV_EDGE_* (see config.py).

The main process follows the feed, writes the file and reports the counted answers; worker processes answer TVs.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import sys
import threading

from subscriber_tv.core.devices import wire
from subscriber_tv.core.devices.jws import Verifier
from subscriber_tv.edge import sync, upload
from subscriber_tv.edge.answers import AnswerFile
from subscriber_tv.edge.app import create
from subscriber_tv.edge.config import Config, ConfigError, load
from subscriber_tv.edge.store import Store, set_damaged_aside

_TARGET = "subscriber_tv.edge.app:create"


def main() -> int:
	"""Run until told to stop; 2 when the configuration cannot work."""
	logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
	try:
		config = load(os.environ)
		Verifier(config.public_keys())
		if config.feed_url:
			config.feed_secret()
	except (ConfigError, ValueError) as error:
		print(f"subscriber_tv edge: {error}", file=sys.stderr)
		return 2
	for file in (config.database, config.answers_file):
		set_damaged_aside(file)
	Store(config.database).close()
	AnswerFile(config.answers_file).close()
	serve(config)
	return 0


def serve(config: Config) -> None:
	"""Serve with granian, or with uvicorn where granian is missing."""
	try:
		import granian
	except ImportError:
		_serve_uvicorn(config)
	else:
		_serve_granian(config, granian)


def _serve_granian(config: Config, granian) -> None:
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
		respawn_failed_workers=True,
		workers_kill_timeout=5,
	)
	following = []
	server.on_startup(lambda: following.append(_start_threads(config)))
	server.on_shutdown(lambda: [stop.set() for stop in following])
	server.serve()


def _start_threads(config: Config) -> threading.Event:
	stop = sync.start(config)
	upload.start(config, stop)
	return stop


def _serve_uvicorn(config: Config) -> None:
	import uvicorn

	stop = _start_threads(config)
	try:
		uvicorn.run(
			create(),
			host=config.host,
			port=config.port,
			log_level="warning",
			access_log=False,
			h11_max_incomplete_event_size=wire.MAX_HEAD,
		)
	finally:
		stop.set()


if __name__ == "__main__":
	raise SystemExit(main())
