"""Load one CSV file: good rows through the flows a user would use, bad rows into a report, again at any time.

Each document is a savepoint of its own: what fails leaves nothing behind. A row that is already there as the file has
it changes nothing, so the corrected file may simply be loaded again.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import frappe
from frappe import _
from frappe.utils import strip_html

from subscriber_tv.core.imports.parse import Parsed, Problem, parse
from subscriber_tv.flows.devices import follow_stock
from subscriber_tv.flows.imports.cells import CellsRefused
from subscriber_tv.flows.imports.loaders import LOADERS, Loader

SAVEPOINT = "subscriber_tv_import"
CHECKPOINT_EVERY = 25
"""Documents per transaction: a crash loses at most these, and the next run makes them again."""

Progress = Callable[[int, int], None]


@dataclass
class Report:
	"""What became of a file: documents made or changed, documents already there, and problems."""

	kind: str
	file: str
	loaded: int = 0
	unchanged: int = 0
	problems: list[Problem] = field(default_factory=list)
	seconds: float = 0

	def as_dict(self) -> dict:
		"""For an API answer: figures and worded problems, the first hundred."""
		return {
			"kind": self.kind,
			"file": self.file,
			"loaded": self.loaded,
			"unchanged": self.unchanged,
			"problem_count": len(self.problems),
			"problems": [worded(problem) for problem in self.problems[:100]],
		}


def load_file(
	kind: str,
	data: bytes,
	file: str,
	*,
	progress: Progress | None = None,
	checkpoint: Callable[[], Any] | None = None,
) -> Report:
	"""Load a file of this kind (see core.imports.rows.KINDS); KeyError when there is no such kind.

	`progress(done, total)` is called after each document. `checkpoint` ends a unit of work, by default a commit;
	without commits (in a test) pass `lambda: None`. Problems of the file never raise, they are in the report.
	"""
	started = time.monotonic()
	parsed = parse(kind, data, file)
	report = Report(kind, file, problems=list(parsed.problems))
	loader = LOADERS[kind]
	documents = list(_documents(parsed, loader))
	checkpoint = checkpoint or frappe.db.commit
	for done, rows in enumerate(documents, start=1):
		_load_one(loader, rows, report)
		if done % CHECKPOINT_EVERY == 0:
			checkpoint()  # the unit of work of a long-running import
		if progress:
			progress(done, len(documents))
	checkpoint()
	report.problems.sort(key=lambda problem: problem.line)
	report.seconds = time.monotonic() - started
	return report


def worded(problem: Problem) -> dict:
	"""A problem in the user's language: file, line, column, reason, next step."""
	return {
		"file": problem.file,
		"line": problem.line,
		"column": problem.column,
		"reason": problem.reason(_),
		"next_step": problem.next_step(_),
	}


def _documents(parsed: Parsed, loader: Loader) -> Iterable[list]:
	groups: dict[tuple, list] = {}
	for row in parsed.rows:
		key = tuple(getattr(row, name) for name in loader.together) if loader.together else (row.line,)
		groups.setdefault(key, []).append(row)
	return groups.values()


def _load_one(loader: Loader, rows: list, report: Report) -> None:
	frappe.db.savepoint(SAVEPOINT)
	try:
		changed = loader.load(rows)
		follow_stock.flush()
	except Exception as error:
		frappe.db.rollback(save_point=SAVEPOINT)
		frappe.local.message_log = []
		report.problems += _problems(error, report.file, [row.line for row in rows])
		return
	frappe.db.release_savepoint(SAVEPOINT)
	if changed:
		report.loaded += 1
	else:
		report.unchanged += 1


def _problems(error: Exception, file: str, lines: list[int]) -> list[Problem]:
	if isinstance(error, CellsRefused):
		return error.problems(file, lines)
	return [Problem(file, line, "", "refused", _said(error)) for line in lines]


def _said(error: Exception) -> str:
	"""What ERPNext or a flow said, as one line of text; an unforeseen error is logged for the administrator."""
	if isinstance(error, frappe.ValidationError | frappe.DoesNotExistError | frappe.PermissionError):
		return strip_html(str(error)).replace("\n", " ").strip() or type(error).__name__
	log = frappe.log_error(title="CSV import", message=frappe.get_traceback())
	return _("Unforeseen error, see Error Log {0}").format(log.name if log else "")
