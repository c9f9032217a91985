"""What a server costs that decides nothing: `python -m benchmarks.device_auth.echo FORM PORT PADDING`.

A POST's body comes back, followed by so many bytes that the answer is as long as a TV's. The server is configured as the
edge configures it, and does nothing else.
"""

from __future__ import annotations

import os
import sys

from subscriber_tv.core.devices import wire

PADDING = "BENCHMARK_PADDING"


_HEADERS = (("Content-Type", "application/json"),)


class Echo:
	"""The smallest ASGI application that reads a body and sends one."""

	def __init__(self, padding: int):
		self._padding = b" " * padding

	async def __call__(self, scope, receive, send):
		"""Answer one request, or the server's start and stop."""
		if scope["type"] == "lifespan":
			while True:
				message = await receive()
				await send({"type": f"{message['type']}.complete"})
				if message["type"] == "lifespan.shutdown":
					return
		body, more = b"", True
		while more:
			message = await receive()
			body += message.get("body", b"")
			more = message.get("more_body", False)
		body += self._padding
		headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
		await send({"type": "http.response.start", "status": 200, "headers": headers})
		await send({"type": "http.response.body", "body": body})

	def answer_now(self, _path, _said, body, _peer):
		"""The same for our own server, which has the whole body in hand."""
		return wire.Answer(200, body + self._padding, _HEADERS)


def create() -> Echo:
	"""The application of a worker."""
	return Echo(int(os.environ[PADDING]))


def serve_granian(port: int) -> None:
	"""On granian, as `subscriber_tv.edge` starts it."""
	import granian
	from granian.constants import HTTPModes, Interfaces

	granian.Granian(
		"benchmarks.device_auth.echo:create",
		factory=True,
		address="127.0.0.1",
		port=port,
		workers=1,
		interface=Interfaces.ASGI,
		http=HTTPModes.http1,
		websockets=False,
		backlog=4096,
		log_level="warning",
	).serve()


def serve_uvicorn(port: int) -> None:
	"""On uvicorn, likewise."""
	import uvicorn

	uvicorn.run(create(), host="127.0.0.1", port=port, log_level="warning", access_log=False)


def serve_lean(port: int) -> None:
	"""On the edge's own server, in one process."""
	import asyncio
	import socket
	from contextlib import suppress

	from subscriber_tv.edge.lean.worker import Worker

	with suppress(ImportError):
		import uvloop

		uvloop.install()
	listening = socket.create_server(("127.0.0.1", port), backlog=4096)
	asyncio.run(Worker(listening, create(), 5.0).serve())


FORMS = {"lean": serve_lean, "granian": serve_granian, "uvicorn": serve_uvicorn}


def main() -> None:
	"""Serve until ended."""
	form, port, padding = sys.argv[1:]
	os.environ[PADDING] = padding
	FORMS[form](int(port))


if __name__ == "__main__":
	main()
