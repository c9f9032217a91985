"""Sends what a worker heard to the publisher, now and then: heartbeats by the hour once, signs of copies until they arrive."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from contextlib import closing

from subscriber_tv.core.activation import report, telemetry
from subscriber_tv.edge.answers import AnswerFile
from subscriber_tv.edge.clock import Clock
from subscriber_tv.edge.config import Config
from subscriber_tv.edge.sync import FeedClient, FeedUnavailable

log = logging.getLogger("subscriber_tv.edge")

_TIMEOUT = 10


class Telemetry:
	"""One worker's ear. `watch` hears; the rest happens beside the answers."""

	def __init__(self, config: Config):
		self.watch = telemetry.Watch()
		self._config = config
		self._sending: asyncio.Task[None] | None = None

	def start(self) -> None:
		"""Begin to send; needs a running loop."""
		self._sending = asyncio.get_running_loop().create_task(self._run())

	async def stop(self) -> None:
		"""Send what is left and end."""
		if self._sending:
			self._sending.cancel()
		await asyncio.to_thread(self._send)

	async def _run(self) -> None:
		while True:
			await asyncio.sleep(self._config.telemetry_every)
			await asyncio.to_thread(self._send)

	def _send(self) -> None:
		hours, signs = self.watch.take()
		if not hours and not signs:
			return
		try:
			with closing(AnswerFile(self._config.answers_file)) as file:
				edge = report.identity(self._config.name, file.file())
			clock = Clock(self._config.clock_file)
			client = FeedClient(self._config.feed_url, self._config.feed_secret(), _TIMEOUT, clock=clock)
			with closing(client):
				for body in telemetry.encode(edge, hours, signs):
					status = client.post(telemetry.TELEMETRY_PATH, body)
					if status == 400:
						log.error("the publisher cannot read what this edge heard")
					elif status != 200:
						raise FeedUnavailable(f"HTTP {status}")
		except (FeedUnavailable, sqlite3.Error, OSError) as error:
			log.warning("telemetry of %s TVs is lost, %s signs wait: %s", len(hours), len(signs), error)
			self.watch.put_back(signs)
