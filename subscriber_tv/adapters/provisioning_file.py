"""Orders as files in a folder that both sides see: one file a batch, its number in the name, acknowledged by another file.

	orders-0000000017.jsonl        ours: written aside, then renamed, so it is whole when it is there
	orders-0000000017.ack.jsonl    theirs: one line an order
	holdings-device.jsonl          theirs: what they hold; likewise holdings-account.jsonl
	settled/                       what has been read

A file is complete when its last line says how many stand before it; until then it is not there.
"""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from subscriber_tv.adapters.provisioning import NotHeld
from subscriber_tv.core.provisioning import message
from subscriber_tv.core.provisioning.orders import RETRY, WAITING, Outcome

MOST_BYTES = 256 * 1024 * 1024
_ACK = re.compile(r"orders-([0-9]{10})\.ack\.jsonl")


class FilePlatform:
	"""A platform that reads a folder.

	:param acknowledge_seconds: how long it may take to acknowledge before its orders are written again
	"""

	def __init__(self, folder: str | Path, *, acknowledge_seconds: int = 86_400):
		self._folder = Path(folder)
		self._wait = acknowledge_seconds

	def send(self, messages: Sequence[message.Message], batch: int = 0) -> list[Outcome]:
		"""Write one file; every order of it then waits for its acknowledgement. The same batch again is the same file."""
		try:
			self._write(_name(batch), message.file_of(messages))
		except OSError as error:
			return [Outcome(RETRY, str(error)[: message.LONGEST_TEXT], platform=True)] * len(messages)
		return [Outcome(WAITING, retry_after=self._wait)] * len(messages)

	def acknowledged(self) -> Iterator[tuple[int, dict[str, Outcome]]]:
		"""Batches acknowledged since, in order of their numbers. `settle` each once its outcomes are recorded.

		A file that cannot be read is set aside with the ending `.bad`.
		"""
		for path in sorted(self._folder.glob("orders-*.ack.jsonl")):
			found = _ACK.fullmatch(path.name)
			if not found:
				continue
			try:
				outcomes = message.read_acknowledgements(_read(path))
			except (message.BadAnswer, OSError):
				path.rename(path.with_suffix(".bad"))
				continue
			if outcomes is not None:
				yield int(found[1]), outcomes

	def settle(self, batch: int) -> None:
		"""Put a batch and its acknowledgement aside. Whatever is gone already is left alone."""
		settled = self._folder / "settled"
		settled.mkdir(exist_ok=True)
		name = _name(batch)
		for file in (name, name.replace(".jsonl", ".ack.jsonl")):
			path = self._folder / file
			if path.exists():
				os.replace(path, settled / file)

	def as_of(self, kind: str) -> int:
		"""When the platform wrote its file. Errors: NotHeld when there is none."""
		try:
			return int((self._folder / _holdings(kind)).stat().st_mtime)
		except OSError as error:
			raise NotHeld(str(error)) from None

	def holdings(self, kind: str) -> Iterator[message.Holding]:
		"""What the platform's file says it holds. Errors: NotHeld when there is no complete one, message.BadAnswer."""
		path = self._folder / _holdings(kind)
		try:
			found = message.read_holdings(_read(path))
		except OSError as error:
			raise NotHeld(str(error)) from None
		if found is None:
			raise NotHeld(f"{path.name} is not complete")
		yield from found

	def close(self) -> None:
		"""Nothing is kept open."""

	def _write(self, name: str, body: bytes) -> None:
		self._folder.mkdir(parents=True, exist_ok=True)
		aside = self._folder / f".{name}.{os.getpid()}.part"
		try:
			with open(aside, "wb") as file:
				file.write(body)
				file.flush()
				os.fsync(file.fileno())
			os.replace(aside, self._folder / name)
		finally:
			aside.unlink(missing_ok=True)
		descriptor = os.open(self._folder, os.O_RDONLY)
		try:
			os.fsync(descriptor)
		finally:
			os.close(descriptor)


def _name(batch: int) -> str:
	return f"orders-{batch:010}.jsonl"


def _holdings(kind: str) -> str:
	return f"holdings-{kind.lower()}.jsonl"


def _read(path: Path) -> bytes:
	if path.stat().st_size > MOST_BYTES:
		raise OSError(f"{path.name} is larger than {MOST_BYTES} bytes")
	return path.read_bytes()
