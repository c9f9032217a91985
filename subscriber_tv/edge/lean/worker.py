"""One worker process of the lean server: an event loop that accepts from the socket all workers share."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from contextlib import suppress

from subscriber_tv.edge import config as configuration
from subscriber_tv.edge import logs
from subscriber_tv.edge.app import Edge
from subscriber_tv.edge.lean.protocol import Connection, Served

# Connections accepted in a row, so that those who are connected have their turn.
_AT_ONCE = 32
# Connections that a worker holds: beyond it an idle one makes room.
_MOST = 20_000
_LOOK = 0.1
# Seconds that requests under way have when the worker ends, and that idle connections have to ask once more.
_GRACE = 5.0
_IDLE_GRACE = 0.5


def run(listening: socket.socket) -> None:
	"""Serve until SIGTERM, as the environment configures it."""
	config = configuration.load(os.environ)
	logs.configure(config.name)
	signal.signal(signal.SIGINT, signal.SIG_IGN)  # the main process hears it and says when to end
	signal.signal(signal.SIGHUP, signal.SIG_IGN)
	with suppress(ImportError):
		import uvloop

		uvloop.install()
	asyncio.run(Worker(listening, Edge(config), config.request_timeout).serve())


class Worker:
	"""Accepts, looks after the time of its connections, and ends without losing a request."""

	def __init__(self, listening: socket.socket, app: Edge, seconds: float):
		listening.setblocking(False)
		self._listening = listening
		self._app = app
		self._seconds = seconds

	async def serve(self) -> None:
		"""Run until SIGTERM."""
		loop = asyncio.get_running_loop()
		self._served = Served(self._app, loop, self._seconds)
		stop = asyncio.Event()
		loop.add_signal_handler(signal.SIGTERM, stop.set)
		lifespan = Lifespan(self._app)
		await lifespan.begin()
		loop.add_reader(self._listening, self._accept)
		looking = loop.create_task(self._look())
		await stop.wait()
		loop.remove_reader(self._listening)
		self._listening.close()
		await self._wind_up()
		looking.cancel()
		await lifespan.end()

	def _accept(self) -> None:
		for _ in range(_AT_ONCE):
			try:
				connection, _address = self._listening.accept()
			except OSError:
				return  # another worker took it, or it is gone, or there is no room for one more
			connection.setblocking(False)
			connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
			if len(self._served.connections) >= _MOST:
				self._make_room()
			task = self._served.loop.create_task(self._connect(connection))
			self._served.tasks.add(task)
			task.add_done_callback(self._served.tasks.discard)

	async def _connect(self, connection: socket.socket) -> None:
		try:
			await self._served.loop.connect_accepted_socket(lambda: Connection(self._served), connection)
		except OSError:
			connection.close()

	def _make_room(self) -> None:
		for one in self._served.connections:
			if one.is_idle:
				one.end_soon()
				return

	async def _look(self) -> None:
		while True:
			await asyncio.sleep(_LOOK)
			self._served.look()

	async def _wind_up(self) -> None:
		"""Answer what is under way; every reply from now on is the last of its connection."""
		served, loop = self._served, self._served.loop
		served.ending = True
		began = loop.time()
		while (served.connections or served.tasks) and loop.time() < began + _GRACE:
			if loop.time() >= began + _IDLE_GRACE:
				for connection in list(served.connections):
					connection.end_soon()
			await asyncio.sleep(0.02)


class Lifespan:
	"""Tells the application that its worker begins and ends."""

	def __init__(self, app: Edge):
		self._app = app
		self._said: asyncio.Queue[dict[str, str]] = asyncio.Queue()
		self._done: asyncio.Queue[dict[str, str]] = asyncio.Queue()

	async def begin(self) -> None:
		"""The worker begins."""
		self._running = asyncio.get_running_loop().create_task(
			self._app({"type": "lifespan"}, self._said.get, self._done.put)
		)
		await self._tell("startup")

	async def end(self) -> None:
		"""The worker ends."""
		await self._tell("shutdown")
		await self._running

	async def _tell(self, what: str) -> None:
		await self._said.put({"type": f"lifespan.{what}"})
		answered = asyncio.ensure_future(self._done.get())
		# An application that fails instead of answering must not be waited for.
		await asyncio.wait({answered, self._running}, return_when=asyncio.FIRST_COMPLETED)
		if not answered.done():
			answered.cancel()
			self._running.result()
