"""Chunks of a bill run: about 200 payers each, one job of a worker each, one invoice series each while it works.

No more chunks are asked for at a time than there are series; whoever ends one asks for the next. A chunk is somebody's
as long as he holds its named lock, so that a dead worker's chunk is free at once, and a job delivered twice does
nothing the second time. What was done is never counted up: it is read from the outcomes of the payers.
"""

from collections.abc import Container

import frappe
from frappe.utils import now_datetime
from frappe.utils.background_jobs import get_job_status
from rq.job import JobStatus

from subscriber_tv.flows.billing.lock import is_held
from subscriber_tv.flows.billing.series import writers

LINE = "TV Bill Run Line"
PENDING, INVOICED, NOTHING_DUE, PARKED = "Pending", "Invoiced", "Nothing Due", "Parked"

DEFAULT_SIZE = 200  # payers
LONGEST_CHUNK = 3600  # seconds of a worker: two hundred payers, ten seconds each, and the wait for a series


def list_payers(bill_run: str, payers: list[str], quiet: Container[str] = ()) -> None:
	"""Write the payers of a run as Pending rows, a chunk number each. Call it once, under the run's lock.

	Those who are `quiet` (see watch.py) have nothing due: nobody need look at them, and they are of chunk 0.
	"""
	size = frappe.get_cached_doc("TV Settings").get("bill_chunk_size") or DEFAULT_SIZE
	now, user = now_datetime(), frappe.session.user
	fields = ("name", "parent", "parenttype", "parentfield", "idx", "docstatus", "payer", "outcome", "chunk")
	rows, waiting = [], 0
	for number, payer in enumerate(payers, start=1):
		state, chunk = (NOTHING_DUE, 0) if payer in quiet else (PENDING, waiting // size + 1)
		waiting += state == PENDING
		name = frappe.generate_hash(length=10)
		rows.append((name, bill_run, "TV Bill Run", "payers", number, 1, payer, state, chunk))
	stamps = ("creation", "modified", "owner", "modified_by")
	if rows:
		frappe.db.bulk_insert(LINE, [*fields, *stamps], [(*row, now, now, user, user) for row in rows])
	frappe.db.set_value("TV Bill Run", bill_run, "payers_total", len(rows))


def open_chunks(bill_run: str) -> list[int]:
	"""Chunks with payers still Pending."""
	return sorted(
		frappe.get_all(
			LINE, {"parent": bill_run, "outcome": PENDING}, pluck="chunk", distinct=True, order_by="chunk"
		)
	)


def pending_lines(bill_run: str, chunk: int) -> list[dict]:
	"""Rows of a chunk that nobody has billed: name and payer, in their order."""
	return frappe.get_all(
		LINE,
		{"parent": bill_run, "chunk": chunk, "outcome": PENDING},
		["name", "payer"],
		order_by="idx",
		limit=0,
	)


def chunk_lock(bill_run: str, chunk: int) -> str:
	"""Name of the lock that whoever bills the chunk holds."""
	return f"chunk {bill_run} {chunk}"


def preview_lock(bill_run: str) -> str:
	"""Name of the lock that whoever previews the run holds."""
	return f"preview {bill_run}"


def dispatch(bill_run: str) -> list[int]:
	"""Ask workers for open chunks that nobody has, as many as there are series left; returns their numbers."""
	attempt = frappe.db.get_value("TV Bill Run", bill_run, "attempt") or 0
	chunks = open_chunks(bill_run)
	free = [chunk for chunk in chunks if not _is_taken(bill_run, chunk, attempt)]
	room = max(writers() - (len(chunks) - len(free)), 0)
	for chunk in free[:room]:
		frappe.enqueue(
			"subscriber_tv.flows.billing.run.run_chunk",
			queue="long",
			timeout=LONGEST_CHUNK,
			job_id=job_id(bill_run, attempt, chunk),
			deduplicate=True,
			bill_run=bill_run,
			chunk=chunk,
		)
	return free[:room]


def abandoned(bill_run: str, attempt: int) -> bool:
	"""Whether nobody works on a run and no job of its last attempt waits for a worker.

	A job that says it was started proves nothing: it goes on saying so for minutes after its worker was killed.
	"""
	if is_held(preview_lock(bill_run)) or _waits(job_id(bill_run, attempt)):
		return False
	return not any(
		is_held(chunk_lock(bill_run, chunk)) or _waits(job_id(bill_run, attempt, chunk))
		for chunk in open_chunks(bill_run)
	)


def job_id(bill_run: str, attempt: int, chunk: int | None = None) -> str:
	"""The one job of a chunk, or that begins the run: while it waits or works, asking again starts no second one."""
	return "::".join(map(str, ("tv-bill-run", bill_run, attempt, *(() if chunk is None else (chunk,)))))


def outcomes(bill_run: str) -> dict:
	"""Number of payers by outcome, of invoices and credit notes, and the net total, as the rows say."""
	rows = frappe.get_all(
		LINE,
		{"parent": bill_run, "parenttype": "TV Bill Run"},
		["outcome", "count(*) as payers", "sum(documents) as documents", "sum(net_amount) as net"],
		group_by="outcome",
	)
	number = {row.outcome: row.payers for row in rows}
	total = sum(number.values())
	return {
		"payers_total": total,
		"payers_done": total - number.get(PENDING, 0),
		"payers_parked": number.get(PARKED, 0),
		"invoices": int(sum(row.documents or 0 for row in rows)),
		"net_total": sum(row.net or 0 for row in rows),
		"payers_pending": number.get(PENDING, 0),
	}


def _is_taken(bill_run: str, chunk: int, attempt: int) -> bool:
	if is_held(chunk_lock(bill_run, chunk)):
		return True
	return get_job_status(job_id(bill_run, attempt, chunk)) in (JobStatus.QUEUED, JobStatus.STARTED)


def _waits(job: str) -> bool:
	return get_job_status(job) == JobStatus.QUEUED
