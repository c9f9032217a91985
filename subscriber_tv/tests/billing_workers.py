"""RQ workers for the race test, some of which are to be killed at a given SQL statement.

A launcher process loads Frappe once and forks four ordinary RQ workers for each order it reads; an order is one line
of JSON on its standard input, an answer one line on its output:

	{"warm": {"site": "s", "payer": "c", "company": "x", "day": "2026-11-22"}}  ->  {"killed": 0, "refused": 0}
	{"deaths": [[412, true, false], null, [90, false, true], null]}  ->  {"killed": 2, "refused": 0}

The first bills a payer and takes it back, so that what Frappe loads on first use is there before the forks.

A death is: at which SQL statement of the worker's life, whether the worker dies with the job it has forked (else
the job's process alone), and whether after the statement was executed (else before). The statements are counted by a
wrapper around the database class, in this process and its children only; the product knows nothing of it. `refused` is
how often a claim stopped somebody who was about to bill a period again.

	python -m subscriber_tv.tests.billing_workers QUEUE-NAMESPACE [lock] [claims]

With `lock` or `claims` the workers go without the payer's lock or without claims: the race test must then fail.
"""

import importlib
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from datetime import date
from multiprocessing import RawValue

import frappe
from frappe.database.database import Database
from frappe.utils import background_jobs

from subscriber_tv.flows.billing import claims

LOOKS, PAUSE = 4, 0.15  # how often, and after how many seconds, a worker looks again at an empty queue

PRELOADED = (
	"erpnext.accounts.doctype.sales_invoice.sales_invoice",
	"erpnext.accounts.general_ledger",
	"subscriber_tv.flows.billing.run",
	"subscriber_tv.overrides.sales_invoice",
)


def main(namespace: str, without: list[str]) -> None:
	"""Serve orders until the input ends."""
	background_jobs.get_bench_id = lambda: namespace
	# Frappe takes CI for a test run; these are workers like any other.
	os.environ.pop("CI", None)
	for module in PRELOADED:
		importlib.import_module(module)
	_go_without(without)
	answers = os.fdopen(os.dup(1), "w")
	# Whatever a worker prints is no answer.
	os.dup2(2, 1)
	for line in sys.stdin:
		order = json.loads(line)
		if "warm" in order:
			_warm_up(**order["warm"])
		answers.write(json.dumps(_work(order.get("deaths", ()))) + "\n")
		answers.flush()


def _warm_up(site: str, payer: str, company: str, day: str) -> None:
	from subscriber_tv.flows.billing.bill_payer import settle

	frappe.init(site=site)
	frappe.connect()
	try:
		today = date.fromisoformat(day)
		settle(payer=payer, company=company, posting_date=today, bill_until=today)
	finally:
		# Never committed, and closed before anything is forked.
		frappe.db.rollback()
		frappe.destroy()


def _work(deaths: Sequence[list | None]) -> dict:
	"""Let one worker a death (or None) work until the queue is empty; returns what is counted."""
	killed, refused = RawValue("i", 0), RawValue("i", 0)
	_count_refusals(refused)
	workers = [_fork_worker(death, killed) for death in deaths]
	for worker in workers:
		os.waitpid(worker, 0)
	return {"killed": killed.value, "refused": refused.value}


def _count_refusals(refused) -> None:
	def counted(*args, **kwargs):
		refused.value += 1
		refuse(*args, **kwargs)

	refuse = getattr(claims._refuse, "__wrapped__", claims._refuse)
	counted.__wrapped__ = refuse
	claims._refuse = counted


def _fork_worker(death: list | None, killed) -> int:
	worker = os.fork()
	if worker:
		return worker
	try:
		if death:
			_die_at(*death, killed)
		for _ in range(LOOKS):
			background_jobs.start_worker(queue="long", quiet=True, burst=True)
			# The job that begins a run has yet to ask for the chunks.
			time.sleep(PAUSE)
	finally:
		os._exit(0)


def _die_at(number: int, whole: bool, after: bool, killed) -> None:
	"""Kill the process that executes the statement of this number; the count goes on from job to job."""
	count = RawValue("i", 0)
	execute = Database.sql

	def counted(self, *args, **kwargs):
		count.value += 1
		mine = count.value == number
		if mine and not after:
			_kill(whole, killed)
		result = execute(self, *args, **kwargs)
		if mine:
			_kill(whole, killed)
		return result

	Database.sql = counted


def _kill(whole: bool, killed) -> None:
	killed.value += 1
	if whole:
		os.kill(os.getppid(), signal.SIGKILL)
	os.kill(os.getpid(), signal.SIGKILL)


def _go_without(parts: list[str]) -> None:
	if "lock" in parts:
		from subscriber_tv.flows.billing import lock

		lock.payer_lock = lambda payer: frappe.db.rollback()
	if "claims" in parts:
		from subscriber_tv.overrides import sales_invoice

		sales_invoice.claim_rows = lambda doc: None


if __name__ == "__main__":
	main(sys.argv[1], sys.argv[2:])
