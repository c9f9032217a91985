"""The lines of a contract as pieces of time: folded from the opening and from every dated step since.

A step says what changes from its day on and leaves the rest as it was, so steps fold by the day they take effect,
then by their number: the order in which they were recorded does not matter.

	recorded   1: 10 TVs             3: from 15 Feb 12 TVs       2: from 1 March plan B
	pieces     |--- A, 10 TVs ---|--- A, 12 TVs ---|--- B, 12 TVs ...
	                          15 Feb            1 March
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from subscriber_tv.core.pricing.models import PriceModel

#: Negotiated or revised prices by charge code.
Prices = tuple[tuple[str, PriceModel], ...]


@dataclass(frozen=True)
class Line:
	"""A piece of a line: `quantity` outlets of an offer version, in force in `[start, end)`.

	`prices` go before those of the offer. An option names the line whose TVs it widens in `option_of`. `change` is
	the number of the change that began the piece; it says why, and makes no difference to what is owed.
	"""

	line_id: str
	offer_version: str
	quantity: int
	start: date | None = None
	end: date | None = None
	prices: Prices = ()
	option_of: str = ""
	change: int = field(default=0, compare=False)

	def in_force_on(self, day: date) -> bool:
		"""Whether this piece holds on `day`."""
		return (self.start is None or self.start <= day) and (self.end is None or day < self.end)


@dataclass(frozen=True)
class LineStep:
	"""What changes of one line; None leaves it as it is. A line not known yet begins, one that `ends` is over.

	A new offer version brings its own prices, so negotiated ones end unless `prices` gives them anew. A price of
	None is that of the offer again.
	"""

	line_id: str
	offer_version: str | None = None
	quantity: int | None = None
	prices: tuple[tuple[str, PriceModel | None], ...] = ()
	option_of: str | None = None
	ends: bool = False


@dataclass(frozen=True)
class DatedStep:
	"""A step with the day it takes effect and the number of its change."""

	effective: date
	no: int
	step: LineStep


def fold_lines(opening: Sequence[Line], steps: Iterable[DatedStep]) -> tuple[Line, ...]:
	"""The pieces of every line, line after line in order of appearance, each in order of time.

	The lines of the opening are in force from the beginning. A step on a line that is over starts it anew when it
	names an offer version or a quantity; one that only sets prices does not.
	"""
	tracks = {line.line_id: _Track(line, [line]) for line in opening}
	for dated in sorted(steps, key=lambda dated: (dated.effective, dated.no)):
		line_id = dated.step.line_id
		tracks.setdefault(line_id, _Track(None, [])).apply(dated)
	return tuple(
		piece
		for track in tracks.values()
		for piece in track.pieces
		if piece.start is None or piece.start != piece.end
	)


def line_on(pieces: Iterable[Line], line_id: str, day: date) -> Line | None:
	"""The piece of the line in force on `day`."""
	return next((piece for piece in pieces if piece.line_id == line_id and piece.in_force_on(day)), None)


def next_day_of_change(pieces: Iterable[Line], day: date) -> date | None:
	"""The first day after `day` on which a line begins, changes or ends."""
	days = [edge for piece in pieces for edge in (piece.start, piece.end) if edge and edge > day]
	return min(days, default=None)


class _Track:
	"""One line while its steps are applied: what is agreed for it, in force or not, and the pieces so far."""

	def __init__(self, agreed: Line | None, pieces: list[Line]):
		self._agreed = agreed
		self.pieces = pieces

	@property
	def _running(self) -> bool:
		return bool(self.pieces) and self.pieces[-1].end is None

	def apply(self, dated: DatedStep) -> None:
		step = dated.step
		if step.ends:
			self._stop(dated.effective)
			return
		if self._agreed is None:
			if not step.offer_version:
				return  # nothing known to change: what would have opened the line was taken back
			self._agreed = Line(step.line_id, step.offer_version, 1)
		before, self._agreed = self._agreed, _begun(self._agreed, step, dated)
		starts = step.offer_version is not None or step.quantity is not None
		if (self._agreed != before) if self._running else starts:
			self._stop(dated.effective)
			self.pieces.append(replace(self._agreed, start=dated.effective))

	def _stop(self, day: date) -> None:
		if self._running:
			self.pieces[-1] = replace(self.pieces[-1], end=day)


def _begun(agreed: Line, step: LineStep, dated: DatedStep) -> Line:
	"""What is agreed after the step."""
	version = step.offer_version or agreed.offer_version
	prices = dict(agreed.prices) if version == agreed.offer_version else {}
	for code, price in step.prices:
		prices.pop(code, None)
		if price is not None:
			prices[code] = price
	return replace(
		agreed,
		offer_version=version,
		quantity=agreed.quantity if step.quantity is None else step.quantity,
		prices=tuple(sorted(prices.items(), key=lambda item: item[0])),
		option_of=agreed.option_of if step.option_of is None else step.option_of,
		change=dated.no,
	)
