"""One address for the desk: `/socket.io` goes to Node, the rest to the web server, as a reverse proxy would in production.

Run as `python -m devtools.front PORT WEB_PORT REALTIME_PORT SITE`; listens on 127.0.0.1 only. Every plain request gets
a connection of its own, so that no kept-alive connection can carry a request to the wrong side.
"""

import asyncio
import contextlib
import sys

HEAD_LIMIT = 65536
FORWARDED_FOR = b"x-forwarded-for:"
NOT_FORWARDED = (b"connection:", b"x-frappe-site-name:", b"keep-alive:", FORWARDED_FOR)


async def serve(port: int, web: int, realtime: int, site: str) -> None:
	"""Accept connections until cancelled."""

	async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
		with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
			await _relay(reader, writer, web, realtime, site)
		writer.close()

	server = await asyncio.start_server(accept, "127.0.0.1", port, limit=HEAD_LIMIT)
	async with server:
		await server.serve_forever()


async def _relay(
	reader: asyncio.StreamReader, writer: asyncio.StreamWriter, web: int, realtime: int, site: str
) -> None:
	head = await reader.readuntil(b"\r\n\r\n")
	request, *headers = head[:-4].split(b"\r\n")
	is_realtime = request.split(b" ")[1].startswith(b"/socket.io")
	upgrade = any(line.lower().startswith(b"upgrade:") for line in headers)
	kept = [line for line in headers if not line.lower().startswith(NOT_FORWARDED)]
	if is_realtime:
		kept = _with_origin(kept)
	kept.append(b"Connection: Upgrade" if upgrade else b"Connection: close")
	kept.append(b"X-Frappe-Site-Name: " + site.encode())
	passed = [line.split(b":", 1)[1].strip() for line in headers if line.lower().startswith(FORWARDED_FOR)]
	kept.append(b"X-Forwarded-For: " + b", ".join([*passed, b"127.0.0.1"]))
	upstream, sink = await asyncio.open_connection("127.0.0.1", realtime if is_realtime else web)
	sink.write(b"\r\n".join([request, *kept]) + b"\r\n\r\n")
	sending = asyncio.create_task(_pump(reader, sink))
	try:
		await _pump(upstream, writer)
	finally:
		sending.cancel()
		sink.close()


def _with_origin(headers: list[bytes]) -> list[bytes]:
	"""Frappe's realtime server asks for an Origin, which browsers leave out when they poll their own origin."""
	host = next(
		(line.split(b":", 1)[1].strip() for line in headers if line.lower().startswith(b"host:")), b""
	)
	others = [line for line in headers if not line.lower().startswith(b"origin:")]
	return [*others, b"Origin: http://" + host]


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
	with contextlib.suppress(OSError):
		while chunk := await source.read(HEAD_LIMIT):
			target.write(chunk)
			await target.drain()


if __name__ == "__main__":
	numbers = [int(number) for number in sys.argv[1:4]]
	with contextlib.suppress(KeyboardInterrupt):
		asyncio.run(serve(*numbers, sys.argv[4]))
