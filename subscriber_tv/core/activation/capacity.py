"""How many questions a second a worker can answer, measured from what it spent on those it answered."""

from __future__ import annotations

from dataclasses import dataclass

# What a refusal costs, measured against an answer: the decision is saved, the HTTP around it is not.
REFUSAL_COST = 0.4
# Before anything was measured: rather too much, since requests that wait show that soon enough.
FIRST_GUESS = 10_000.0
LEAST, MOST = 50.0, 100_000.0
# Answers within one sample that say enough about their cost.
_ENOUGH = 200.0
_WEIGHT = 0.3
# The event loop may be this late (seconds) before less is let in.
_LATE = 0.25
_BACK_OFF, _RECOVER, _LOWEST = 0.8, 0.05, 0.3


@dataclass(frozen=True)
class Sample:
	"""What a worker did: answers, refusals, the seconds they took of whatever is scarcest, how late its loop was."""

	admitted: int
	refused: int
	busy: float
	late: float = 0.0


class Capacity:
	"""A running estimate, for one worker, of the answers a second that it can give.

	:param fixed: answers a second that the operator has measured himself; 0: measure
	"""

	def __init__(self, fixed: float = 0.0):
		self._fixed = fixed
		self._measured = fixed or FIRST_GUESS
		self._factor = 1.0

	@property
	def value(self) -> float:
		"""Answers a second."""
		return min(MOST, max(LEAST, self._measured * self._factor))

	def note(self, sample: Sample) -> float:
		"""Take a sample into account; the new value."""
		work = sample.admitted + REFUSAL_COST * sample.refused
		if not self._fixed and work >= _ENOUGH and sample.busy > 0:
			self._measured += _WEIGHT * (work / sample.busy - self._measured)
		if sample.late > _LATE:
			# Others use the processor too, or the measure is wrong: what counts is that the queue does not grow.
			self._factor = max(_LOWEST, self._factor * _BACK_OFF)
		else:
			self._factor = min(1.0, self._factor + _RECOVER)
		return self.value
