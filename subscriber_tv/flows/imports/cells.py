"""What a loader says when it knows the cell that is wrong."""

from collections.abc import Iterable
from dataclasses import dataclass

import frappe

from subscriber_tv.core.imports.parse import Problem


@dataclass(frozen=True)
class BadCell:
	"""Line and column of a file, and the sentence that says what is wrong there; empty: the cell is."""

	line: int
	column: str
	sentence: str


class CellsRefused(frappe.ValidationError):
	"""A document of a file is refused for some of its cells."""

	def __init__(self, cells: Iterable[BadCell]):
		self.cells = tuple(cells)
		super().__init__(" ".join(cell.sentence for cell in self.cells))

	def problems(self, file: str, lines: Iterable[int]) -> list[Problem]:
		"""One for each bad cell, and one for each other line of the document: that is not loaded either."""
		bad = {cell.line for cell in self.cells}
		others = [Problem(file, line, "", "incomplete") for line in lines if line not in bad]
		return [_problem(file, cell) for cell in self.cells] + others


def _problem(file: str, cell: BadCell) -> Problem:
	if not cell.sentence:
		return Problem(file, cell.line, cell.column, "required")
	return Problem(file, cell.line, cell.column, "refused", frappe.utils.strip_html(cell.sentence))
