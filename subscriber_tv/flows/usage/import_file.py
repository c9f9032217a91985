"""Load a file of usage records: chunk after chunk, each committed with the figures of the import it belongs to.

The import's row is locked by each chunk and says how many rows are done: a worker that died leaves nothing half, and of two
workers on one import the second finds his chunk done and goes on with the next.
"""

import itertools
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import frappe
from frappe import _
from frappe.utils import now_datetime
from rq.timeouts import JobTimeoutException

from subscriber_tv.core.usage.problem import Unreadable
from subscriber_tv.core.usage.profile import XLSX, Profile
from subscriber_tv.core.usage.read import Read, read_row, rows_of, rows_of_table
from subscriber_tv.flows.usage import profiles
from subscriber_tv.flows.usage.attempts import repeated
from subscriber_tv.flows.usage.sheet import cells_of_sheet
from subscriber_tv.flows.usage.take import AT_ONCE, Origin, take
from subscriber_tv.flows.usage.words import sentence

DOCTYPE = "TV Import"
EVENT = "tv_import_progress"
QUEUED, RUNNING, COMPLETED, WITH_ERRORS, FAILED = (
	"Queued",
	"Running",
	"Completed",
	"Completed with Errors",
	"Failed",
)
UNFINISHED = (QUEUED, RUNNING)
COUNTERS = {
	"accepted": "accepted",
	"held": "held",
	"known": "known",
	"rejected": "rejected",
	"conflict": "conflicts",
	"cancelled": "cancelled",
	"superseded": "superseded",
	"received": "received",
}
"""Status of an outcome -> the figure it is counted in."""

JOB_SECONDS = 6 * 3600
ABANDONED_MINUTES = 30


def new_import(*, profile: str, file: str) -> str:
	"""Make the TV Import of an uploaded File and let a worker load it after the commit; return its name."""
	name = make_import(profile=profile, file=file)
	enqueue(name)
	return name


def make_import(*, profile: str, file: str) -> str:
	"""Make the TV Import of a File, for `load_import`; return its name."""
	uploaded = frappe.get_doc("File", file)
	doc = frappe.get_doc(
		{
			"doctype": DOCTYPE,
			"profile": profile,
			"kind": frappe.get_cached_value("TV Import Profile", profile, "kind"),
			"file_name": uploaded.file_name,
			"file": file,
			"status": QUEUED,
		}
	)
	# Who may load files was checked at the endpoint; nobody may make an import otherwise.
	doc.flags.ignore_permissions = True
	doc.insert()
	# Whoever may read the import may read its file.
	uploaded.db_set({"attached_to_doctype": DOCTYPE, "attached_to_name": doc.name}, update_modified=False)
	return doc.name


def load_path(*, profile: str, path: Path) -> dict:
	"""Load a file of this machine, in this process; the import and its figures. Errors: DoesNotExistError for the profile."""
	profiles.load(profile)
	file = frappe.get_doc(
		{"doctype": "File", "file_name": path.name, "is_private": 1, "content": path.read_bytes()}
	)
	# Whoever may run commands on the server may load files.
	file.flags.ignore_permissions = True
	name = make_import(profile=profile, file=file.insert().name)
	# The import commits chunk by chunk, so its own row must stand.
	frappe.db.commit()  # nosemgrep
	result = load_import(tv_import=name)
	return {"import": name, **result, "error": frappe.db.get_value(DOCTYPE, name, "error")}


def enqueue(name: str) -> None:
	"""Let a worker load an import, or go on with it; one that is being loaded is left alone."""
	frappe.enqueue(
		"subscriber_tv.flows.usage.import_file.load_import",
		queue="long",
		timeout=JOB_SECONDS,
		job_id=f"subscriber-tv-import-{name}",
		deduplicate=True,
		enqueue_after_commit=True,
		tv_import=name,
	)


def resume_abandoned() -> int:
	"""Take up imports whose worker is gone; hourly. Their number."""
	before = frappe.utils.add_to_date(now_datetime(), minutes=-ABANDONED_MINUTES)
	names = frappe.get_all(
		DOCTYPE, {"status": ("in", UNFINISHED), "modified": ("<", before)}, pluck="name", limit=0
	)
	for name in names:
		enqueue(name)
	return len(names)


def load_import(*, tv_import: str) -> dict:
	"""Load the file of a TV Import, or what is left of it; commits chunk by chunk. Returns its figures.

	A file that cannot be read fails with the reason on the import. Rows that are wrong do not: they are records in the
	state Rejected.
	"""
	doc = frappe.get_doc(DOCTYPE, tv_import)
	profile = profiles.load(doc.profile)
	origin = Origin(profile.source, doc.profile, tv_import)
	try:
		data = _content(doc.file)
		_begin(doc, data, profile)
		done = 0
		for chunk in _chunks(reads(data, profile)):
			repeated(lambda chunk=chunk, done=done: _take_chunk(tv_import, chunk, done, origin))
			done += len(chunk)
			_show(tv_import)
	except Unreadable as unreadable:
		frappe.db.rollback()
		return _close(tv_import, FAILED, sentence(unreadable.problem))
	except JobTimeoutException:
		# Unfinished, as after a crash: the next worker goes on with it.
		frappe.db.rollback()
		raise
	except Exception:
		frappe.db.rollback()
		log = frappe.log_error(title=f"TV Import {tv_import}", message=frappe.get_traceback())
		return _close(tv_import, FAILED, _("Unforeseen error, see Error Log {0}").format(log.name))
	return _close(tv_import)


def resume(tv_import: str) -> None:
	"""Go on with an import whose worker is gone, or load a failed one from its first row. ValidationError otherwise.

	From the first row because the profile may have been corrected since; what is known already is only counted again.
	"""
	status = frappe.db.get_value(DOCTYPE, tv_import, "status", for_update=True)
	if status == FAILED:
		start = dict.fromkeys((*COUNTERS.values(), "rows_done"), 0)
		frappe.db.set_value(DOCTYPE, tv_import, {**start, "status": QUEUED, "error": None})
	elif status not in UNFINISHED:
		frappe.throw(_("Import {0} is over.").format(tv_import))
	enqueue(tv_import)


def reads(data: bytes, profile: Profile) -> Iterator[Read]:
	"""The records of a file of any format."""
	if profile.format == XLSX:
		found = rows_of_table(cells_of_sheet(data, profile.sheet), profile)
	else:
		found = rows_of(data, profile)
	return (read_row(row, profile) for row in found)


def _content(file: str) -> bytes:
	content = frappe.get_doc("File", file).get_content()
	return content.encode() if isinstance(content, str) else content


def _chunks(found: Iterator[Read]) -> Iterator[list[Read]]:
	while chunk := list(itertools.islice(found, AT_ONCE)):
		yield chunk


def _begin(doc, data: bytes, profile: Profile) -> None:
	values = {"status": RUNNING, "finished_at": None, "error": None}
	if not doc.started_at:
		values["started_at"] = now_datetime()
	if profile.format != XLSX:
		values["rows_total"] = max(data.count(b"\n"), doc.rows_done)
	frappe.db.set_value(DOCTYPE, doc.name, values)
	# Whoever opens the import sees that it is being loaded.
	frappe.db.commit()  # nosemgrep


def _take_chunk(tv_import: str, chunk: list[Read], done: int, origin: Origin) -> None:
	standing = frappe.db.get_value(
		DOCTYPE, tv_import, ["rows_done", *COUNTERS.values()], as_dict=True, for_update=True
	)
	if standing.rows_done < done + len(chunk):
		counts = Counter(COUNTERS[outcome.status] for outcome in take(chunk, origin))
		figures = {figure: standing[figure] + count for figure, count in counts.items()}
		frappe.db.set_value(DOCTYPE, tv_import, {**figures, "rows_done": done + len(chunk)})
	# The unit of work of a long import: records and figures stand or fall together.
	frappe.db.commit()  # nosemgrep


def _close(tv_import: str, status: str | None = None, error: str | None = None) -> dict:
	doc = frappe.get_doc(DOCTYPE, tv_import, for_update=True)
	wrong = doc.rejected or doc.conflicts or doc.held
	values = {
		"status": status or (WITH_ERRORS if wrong else COMPLETED),
		"finished_at": now_datetime(),
		"error": error,
	}
	if not error:
		values["rows_total"] = doc.rows_done
	frappe.db.set_value(DOCTYPE, tv_import, values)
	# The last unit; whoever waits for the end is told when it can be read.
	frappe.db.commit()  # nosemgrep
	frappe.publish_realtime(
		EVENT, {"tv_import": tv_import, "percent": 100}, doctype=DOCTYPE, docname=tv_import
	)
	return frappe.db.get_value(DOCTYPE, tv_import, ["status", "rows_done", *COUNTERS.values()], as_dict=True)


def _show(tv_import: str) -> None:
	doc = frappe.db.get_value(DOCTYPE, tv_import, ["rows_done", "rows_total"], as_dict=True)
	percent = (
		min(99, doc.rows_done * 100 // max(doc.rows_total or 0, doc.rows_done, 1)) if doc.rows_total else 0
	)
	text = _("{0} rows read").format(doc.rows_done)
	frappe.publish_realtime(
		EVENT,
		{"tv_import": tv_import, "percent": percent, "text": text},
		doctype=DOCTYPE,
		docname=tv_import,
	)
