"""The publisher process: the sweeping loop in the main thread, the feed server in threads beside it."""

import logging
import os
import signal
import threading

import frappe
import waitress

from subscriber_tv.api.feed import FeedApp
from subscriber_tv.core.activation import report
from subscriber_tv.flows.activation import sign_rows, sweep
from subscriber_tv.flows.mqtt import listen as tv_words

THREADS = 32
"""Edges that can wait for news at the same time."""


def serve(host: str, port: int) -> None:
	"""Sweep and serve the connected site until SIGTERM or SIGINT. Exits with an error when the port is taken."""
	logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
	stop, horizon = threading.Event(), sweep.Horizon()
	sign_rows.use_processes(max(1, (os.cpu_count() or 2) - 1))
	for number in (signal.SIGTERM, signal.SIGINT):
		signal.signal(number, lambda *_args: stop.set())
	app = FeedApp(frappe.local.site, os.path.abspath(frappe.local.sites_path), horizon)
	server = waitress.create_server(
		app, host=host, port=port, threads=THREADS, ident=None, max_request_body_size=report.MAX_BYTES
	)
	threading.Thread(target=server.run, name="feed", daemon=True).start()
	sweep.log.info("feed of %s on http://%s:%s", frappe.local.site, host, port)
	try:
		sweep.run(horizon, stop)
	finally:
		horizon.close()
		server.close()
		sign_rows.close()
	sweep.log.info("stopped")


def listen() -> None:
	"""Hear what TVs say on the connected site's message broker until SIGTERM or SIGINT. Errors: BrokerNotSet."""
	logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
	stop = threading.Event()
	for number in (signal.SIGTERM, signal.SIGINT):
		signal.signal(number, lambda *_args: stop.set())
	tv_words.run(stop)
	tv_words.log.info("stopped")


def sweep_once() -> None:
	"""Publish all that waits on the connected site, and sign again what ages."""
	sweep.sweep(sweep.Horizon(), resign=True)
