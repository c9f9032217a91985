"""Starts the worker of a platform: at once after a commit that made orders, and each minute for whatever is due."""

import time
from collections.abc import Iterable
from functools import partial

import frappe
from frappe.utils.background_jobs import is_job_enqueued

from subscriber_tv.core.provisioning import orders
from subscriber_tv.core.provisioning.desired import ACCOUNT
from subscriber_tv.flows.provisioning.platforms import DOCTYPE, KINDS, served
from subscriber_tv.flows.provisioning.write_orders import ORDER, SUBJECT
from subscriber_tv.flows.settings import phase_on

QUEUE_SECONDS = 900
WORK = "subscriber_tv.flows.provisioning.work.work"


def wake(platforms: Iterable[str]) -> None:
	"""Let workers send orders once this transaction is committed. Redis being away costs a minute, nothing else."""
	for platform in sorted(platforms):
		frappe.db.after_commit.add(partial(_start_safely, platform))


def wake_due(now: int | None = None) -> int:
	"""Each minute: start a worker for every platform that has something to do; their number."""
	if not phase_on("activation"):
		return 0
	now = int(time.time()) if now is None else now
	names = [platform.name for platform in served() if something_due(platform.name, now)]
	for name in names:
		start(name)
	return len(names)


def something_due(platform: str, now: int) -> bool:
	"""Whether orders are due, an account changes by itself, a check is asked for, or files may have been acknowledged."""
	row = frappe.db.get_value(
		DOCTYPE, platform, ["paused_until", "check_from", "last_batch", "gets"], as_dict=True
	)
	if row.paused_until > now:
		return False
	due = {"platform": platform, "state": ("in", orders.OPEN), "due": ("<=", now)}
	changes = [["platform", "=", platform], ["changes_at", ">", 0], ["changes_at", "<=", now]]
	files = {"platform": platform, "state": orders.SENT, "batch": (">", 0)}
	accounts = ACCOUNT in KINDS[row.gets]
	return bool(
		row.check_from
		or frappe.db.exists(ORDER, due)
		or (accounts and frappe.db.exists(SUBJECT, changes))
		or (row.last_batch and frappe.db.exists(ORDER, files))
	)


def start(platform: str) -> None:
	"""Queue the platform's worker, unless one is queued or at work."""
	job = f"subscriber-tv-provisioning-{platform}"
	if not is_job_enqueued(job):
		frappe.enqueue(
			WORK, queue="long", timeout=QUEUE_SECONDS, job_id=job, deduplicate=True, platform=platform
		)


def _start_safely(platform: str) -> None:
	try:
		start(platform)
	except Exception:
		frappe.logger("subscriber_tv").warning("No worker could be woken for provisioning", exc_info=True)
