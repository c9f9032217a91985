"""Other connections, threads and processes for the tests that need more than one of us."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from urllib.error import URLError
from urllib.request import urlopen

import frappe
from werkzeug.test import Client, TestResponse

EDGE = "edge-test"
"""Name of the edges that tests start."""


# Seconds that a question of these edges for news stays open.
FEED_WAIT = 1


def on_own_connections(*calls: Callable) -> list:
	"""Run the calls at once, each on its own connection and committed; results or exceptions, in order."""
	results: list = [None] * len(calls)
	start = threading.Barrier(len(calls))
	site, path = frappe.local.site, frappe.local.sites_path

	def run(index: int, call: Callable) -> None:
		frappe.init(site=site, sites_path=path)
		frappe.connect()
		try:
			start.wait()
			results[index] = call()
			frappe.db.commit()
		except Exception as error:
			frappe.db.rollback()
			results[index] = error
		finally:
			frappe.destroy()

	threads = [threading.Thread(target=run, args=found) for found in enumerate(calls)]
	for thread in threads:
		thread.start()
	for thread in threads:
		thread.join()
	return results


def on_own_thread(call: Callable):
	"""The result of a call that connects by itself, such as a WSGI application."""
	results = []
	thread = threading.Thread(target=lambda: results.append(call()))
	thread.start()
	thread.join()
	return results[0]


def request(method: str, path: str, **arguments) -> TestResponse:
	"""One request to the desk's WSGI application, on a connection of its own: commit what it should see first."""
	from frappe.app import application

	headers = {"X-Frappe-Site-Name": frappe.local.site, **arguments.pop("headers", {})}

	def ask() -> TestResponse:
		peer = {"REMOTE_ADDR": "127.0.0.1"}
		answer = Client(application).open(
			path, method=method, headers=headers, environ_base=peer, **arguments
		)
		answer.get_data()
		return answer

	return on_own_thread(ask)


def free_port() -> int:
	"""A port that nobody listens on now."""
	with socket.socket() as found:
		found.bind(("127.0.0.1", 0))
		return found.getsockname()[1]


def start_publisher(port: int) -> subprocess.Popen:
	"""Start the site's publisher as a user would, and wait until its feed answers."""
	command = ["frappe", "--site", frappe.local.site, "subscriber-tv", "publisher", "--port", str(port)]
	process = subprocess.Popen(
		[sys.executable, "-m", "frappe.utils.bench_helper", *command], cwd=frappe.local.sites_path
	)
	return _ready(process, f"http://127.0.0.1:{port}/feed/health")


def start_edge(folder: str, port: int, feed_port: int, public_keys: str, **more: str) -> subprocess.Popen:
	"""Start an edge that follows the feed, and wait until it has taken its snapshot."""
	settings = {
		"DATABASE": os.path.join(folder, "edge.db"),
		"PUBLIC_KEY_FILE": public_keys,
		"MASTERS_FILE": os.path.abspath(frappe.conf.subscriber_tv_masters),
		"FEED_URL": f"http://127.0.0.1:{feed_port}",
		"FEED_SECRET_FILE": os.path.abspath(frappe.conf.subscriber_tv_feed_secret),
		"FEED_WAIT": str(FEED_WAIT),
		"PORT": str(port),
		"NAME": EDGE,
		"TV_PER_MINUTE": "60000",
		"FAILURES_PER_MINUTE": "60000",
		**more,
	}
	environment = {f"SUBSCRIBER_TV_EDGE_{name}": value for name, value in settings.items()}
	process = subprocess.Popen(
		[sys.executable, "-m", "subscriber_tv.edge"], env={**os.environ, **environment}
	)
	return _ready(process, f"http://127.0.0.1:{port}/v1/ready")


def _ready(process: subprocess.Popen, health: str) -> subprocess.Popen:
	"""The process once it is well; one that never gets there is ended, so that it cannot outlive the test."""
	try:
		wait_for(lambda: get(health)[0] == 200, process)
	except TimeoutError:
		stop(process)
		raise
	return process


def stop(process: subprocess.Popen) -> int:
	"""Ask a process to end, as an init system does; its exit code."""
	process.terminate()
	try:
		return process.wait(20)
	except subprocess.TimeoutExpired:
		process.kill()
		raise


def get(url: str) -> tuple[int, bytes]:
	"""Status and body of a GET; status 0 while nobody listens."""
	try:
		with urlopen(url, timeout=5) as response:
			return response.status, response.read()
	except URLError as error:
		return getattr(error, "code", 0) or 0, b""
	except OSError:
		return 0, b""


def wait_for(what: Callable[[], bool], process: subprocess.Popen | None = None, seconds: float = 60) -> None:
	"""Return once `what` is true; TimeoutError after `seconds`, at once when `process` has ended."""
	until = time.monotonic() + seconds
	while not what():
		if time.monotonic() > until or (process and process.poll() is not None):
			raise TimeoutError(f"still not so after {seconds} s, or the process ended")
		time.sleep(0.1)
