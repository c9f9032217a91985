"""What every provisioning adapter offers. One that speaks a vendor's own protocol implements this, and is named in `ADAPTERS`
of flows/provisioning/platforms.py."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from subscriber_tv.core.provisioning.message import Holding, Message
from subscriber_tv.core.provisioning.orders import Outcome


class NotHeld(Exception):
	"""The platform did not say what it holds."""


class Platform(Protocol):
	"""An outside platform. What it does wrong is an outcome or NotHeld, never another exception."""

	def send(self, messages: Sequence[Message], batch: int) -> list[Outcome]:
		"""Send orders of different subjects; the outcome of each, in order. The same batch again is the same batch."""

	def acknowledged(self) -> Iterator[tuple[int, dict[str, Outcome]]]:
		"""Answers that came later: outcomes by order key, by batch."""

	def settle(self, batch: int) -> None:
		"""The outcomes of an acknowledged batch are recorded."""

	def as_of(self, kind: str) -> int:
		"""The moment (epoch seconds) for which `holdings` will speak. Errors: NotHeld."""

	def holdings(self, kind: str) -> Iterator[Holding]:
		"""What the platform holds of a kind. Errors: NotHeld, core.provisioning.message.BadAnswer."""

	def close(self) -> None:
		"""Let go of connections."""
