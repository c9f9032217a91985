"""Carries the counted answers to the publisher, so that the desk shows what edges said.

Runs as one thread of the main process, beside the one that follows the feed. A batch is sent under the same number
until the publisher acknowledges it; meanwhile, counts gather in the file.
"""

from __future__ import annotations

import logging
import random
import sqlite3
import threading
from contextlib import closing

from subscriber_tv.core.activation import report
from subscriber_tv.edge import answers
from subscriber_tv.edge.answers import AnswerFile
from subscriber_tv.edge.clock import Clock
from subscriber_tv.edge.config import Config
from subscriber_tv.edge.sync import FeedClient, FeedUnavailable

log = logging.getLogger("subscriber_tv.edge")

_LAST_RETRY = 60.0
_TIMEOUT = 20
_NEVER = (400, 413)


def send_all(file: AnswerFile, client: FeedClient, name: str) -> None:
	"""Send batch after batch until none is left; FeedUnavailable when the publisher did not take one."""
	edge = report.identity(name, file.file())
	while batch := file.take():
		number, rows = batch
		status = client.post(report.ANSWERS_PATH, report.encode(report.Batch(edge, number, rows)))
		if status in _NEVER:
			log.error(
				"the publisher will not take batch %s (HTTP %s): %s rows dropped", number, status, len(rows)
			)
		elif status != 200:
			raise FeedUnavailable(f"HTTP {status}")
		file.forget(number)


def run(config: Config, stop: threading.Event) -> None:
	"""Send what is counted every few seconds until `stop` is set."""
	client = FeedClient(config.feed_url, config.feed_secret(), _TIMEOUT, clock=Clock(config.clock_file))
	pause = config.answers_every
	with closing(AnswerFile(config.answers_file)) as file:
		while not stop.wait(pause * random.uniform(0.8, 1.0)):
			try:
				answers.drop_old(file)
				send_all(file, client, config.name)
				pause = config.answers_every
			except (FeedUnavailable, sqlite3.Error) as error:
				log.warning("counted answers wait for the publisher: %s", error)
				pause = max(config.answers_every, min(_LAST_RETRY, pause * 2))
			finally:
				client.close()
