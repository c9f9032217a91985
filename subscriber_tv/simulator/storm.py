"""A power cut ends: thousands of TVs ask one address within seconds, each over connections of its own.

Every TV asks the same question until it is answered: a refusal is no answer, and whoever hears nothing may repeat
itself. It comes back when it is told to, with its ticket; told nothing, it waits at random, longer each time.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

# Seconds that a TV waits for an answer, and between which it waits at random when it got none.
PATIENCE = 5.0
_FIRST, _LONGEST = 16.0, 300.0
# A moment in which nobody is connected anew: what one process can open without tripping over itself.
_OPENING = 500


@dataclass
class Outcome:
	"""When each TV was answered (seconds from the beginning), how often each asked, and every status (0: nothing came)."""

	times: list[float] = field(default_factory=list)
	requests: list[int] = field(default_factory=list)
	statuses: Counter = field(default_factory=Counter)
	answers: Counter = field(default_factory=Counter)
	never: int = 0

	def percentile(self, share: float) -> float:
		"""The second in which this share of the TVs had been answered."""
		ordered = sorted(self.times)
		return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

	@property
	def mean_requests(self) -> float:
		"""Requests a TV."""
		return sum(self.requests) / len(self.requests)


async def storm(
	host: str,
	port: int,
	path: str,
	questions: Sequence[bytes],
	*,
	within: float,
	give_up: float,
	draws: random.Random | None = None,
) -> Outcome:
	"""Switch one TV on for each question, spread over `within` seconds, and follow them for `give_up` seconds."""
	chance = draws or random.Random()
	outcome, began, opening = Outcome(), time.monotonic(), asyncio.Semaphore(_OPENING)

	async def tv(question: bytes) -> None:
		await asyncio.sleep(chance.uniform(0, within))
		asked, ticket = 0, ""
		while time.monotonic() - began < give_up:
			asked += 1
			status, document = await _ask(host, port, path, question, ticket, opening)
			outcome.statuses[status] += 1
			if status not in (0, 429, 503):
				outcome.times.append(time.monotonic() - began)
				outcome.requests.append(asked)
				outcome.answers[status] += 1
				return
			ticket = document.get("slot", "")
			wait = document.get("retry_ms", 0) / 1000
			await asyncio.sleep(wait or chance.uniform(0, min(_LONGEST, _FIRST * 2 ** (asked - 1))))
		outcome.never += 1

	await asyncio.gather(*map(tv, questions))
	return outcome


async def _ask(
	host: str, port: int, path: str, question: bytes, ticket: str, opening: asyncio.Semaphore
) -> tuple[int, dict]:
	head = (
		f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nPriority: u=0\r\n"
		f"Content-Length: {len(question)}\r\nConnection: close\r\n"
	)
	if ticket:
		head += f"X-TV-Slot: {ticket}\r\n"
	try:
		async with opening:
			raw = await asyncio.wait_for(_exchange(host, port, head.encode() + b"\r\n" + question), PATIENCE)
		status_line, _, rest = raw.partition(b"\r\n")
		status, body = int(status_line.split()[1]), rest.partition(b"\r\n\r\n")[2]
		return status, json.loads(body) if status == 503 else {}
	except (OSError, asyncio.TimeoutError, ValueError, IndexError):
		return 0, {}


async def _exchange(host: str, port: int, request: bytes) -> bytes:
	reader, writer = await asyncio.open_connection(host, port)
	try:
		writer.write(request)
		return await reader.read()
	finally:
		writer.close()
