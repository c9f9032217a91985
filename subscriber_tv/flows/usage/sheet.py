"""Workbooks (XLSX): their cells as the core reads them, and cells as a workbook. The one user of openpyxl."""

import io
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from subscriber_tv.core.usage.problem import Unreadable
from subscriber_tv.core.usage.read import MAX_BYTES, MEGABYTE
from subscriber_tv.core.usage.values import Cell, text_of

MAX_UNPACKED = 500 * MEGABYTE
"""A workbook is a zip: what it unpacks to is looked at before it is unpacked."""


def cells_of_sheet(data: bytes, sheet: str = "") -> Iterator[tuple[int, list[Cell]]]:
	"""Rows of (line, cells) of the sheet of this name, else of the first. Unreadable when the file is no workbook."""
	if len(data) > MAX_BYTES:
		raise Unreadable("too_big", limit=MAX_BYTES // MEGABYTE)
	book = _open(data)
	try:
		if sheet and sheet not in book.sheetnames:
			raise Unreadable("no_sheet", sheet=sheet)
		rows = book[sheet or book.sheetnames[0]].iter_rows(values_only=True)
		for line, values in enumerate(rows, 1):
			yield line, _without_tail([_cell(value) for value in values])
	finally:
		book.close()


def sheet_of_cells(table: Sequence[Sequence[Cell]]) -> bytes:
	"""A workbook with one sheet of text cells."""
	book = Workbook(write_only=True)
	page = book.create_sheet("Records")
	for row in table:
		page.append([text_of(cell) for cell in row])
	buffer = io.BytesIO()
	book.save(buffer)
	return buffer.getvalue()


def _open(data: bytes):
	try:
		with zipfile.ZipFile(io.BytesIO(data)) as archive:
			if sum(member.file_size for member in archive.infolist()) > MAX_UNPACKED:
				raise Unreadable("too_big", limit=MAX_UNPACKED // MEGABYTE)
		return load_workbook(io.BytesIO(data), read_only=True, data_only=True)
	except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError):
		raise Unreadable("workbook") from None


def _cell(value: Any) -> Cell:
	if isinstance(value, float):
		return Decimal(repr(value))
	if value is None or isinstance(value, str | int | bool | datetime | date | time):
		return value
	return str(value)


def _without_tail(cells: list[Cell]) -> list[Cell]:
	while cells and cells[-1] is None:
		cells.pop()
	return cells
