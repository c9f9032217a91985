"""Compares what a platform holds with what it was ordered to hold."""

from __future__ import annotations

from subscriber_tv.core.provisioning.desired import ACCOUNT, Desired
from subscriber_tv.core.provisioning.message import Holding


def agrees(kind: str, desired: Desired, holding: Holding | None) -> bool:
	"""Whether the platform holds what it should. A TV without entitlements and one it does not know are the same."""
	if holding is None:
		return not desired.held
	if not desired.held:
		return kind != ACCOUNT and not holding.entitlements
	return set(holding.entitlements) == set(desired.codes)


def sequence_after(ordered: int, holding: Holding | None) -> int:
	"""The last sequence to count on from: never below the platform's, which a restored backup could be behind."""
	return max(ordered, holding.sequence if holding else 0)
