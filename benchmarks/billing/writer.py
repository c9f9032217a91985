"""One writer: a process that bills the customers it is given, the way its side does it, and says how long it took.

Reads one order, as JSON, from its input; bills a few customers to warm up; prints "ready"; waits for a line; bills the
rest and prints what it took as JSON. `run.py` starts writers, and lets several of them go at the same moment.
"""

import json
import resource
import sys
import time
from contextlib import nullcontext

import frappe
from erpnext.controllers.accounts_controller import get_taxes_and_charges

sys.path.insert(0, __file__.rpartition("/")[0])
import base

from subscriber_tv.flows.billing import bill_payer
from subscriber_tv.flows.billing.ahead import read_ahead
from subscriber_tv.flows.billing.lock import under_payer_lock
from subscriber_tv.ledger import invoices
from subscriber_tv.ledger.posting.memory import looking_seldom
from subscriber_tv.ledger.posting.post import post_ordinarily
from subscriber_tv.ledger.posting.totals import count_sales


def main() -> None:
	"""Carry out one order."""
	order = json.loads(sys.stdin.readline())
	frappe.init(site=order["site"], sites_path=".")
	frappe.connect()
	frappe.set_user("Administrator")
	day = base.getdate(order["day"])
	bill = standard(day) if order["side"] == base.STANDARD else ours(day, order.get("series"))
	go_the_way_of(order.get("way"))
	bill(order["warm_up"])
	print("ready", flush=True)
	sys.stdin.readline()
	cpu, began = cpu_seconds(), time.monotonic()
	bill(order["customers"])
	count_sales()
	frappe.db.commit()
	took = {"wall": time.monotonic() - began, "cpu": cpu_seconds() - cpu}
	print(json.dumps({**took, "done": len(order["customers"])}), flush=True)
	frappe.destroy()


def ours(day, series: str | None):
	"""What a bill run does with a chunk: read a handful ahead, settle each under his lock, commit."""

	def bill(customers: list[str]) -> None:
		with looking_seldom():
			for customer, ahead in read_ahead(base.COMPANY, customers):
				under_payer_lock(customer, lambda: settle(customer, ahead))
				frappe.db.commit()

	def settle(customer: str, ahead) -> None:
		bill_payer.settle(
			payer=customer,
			company=base.COMPANY,
			posting_date=day,
			bill_until=day,
			series=series,
			ahead=ahead,
		)

	return bill


def standard(day):
	"""What ERPNext's daily job does with each Subscription: its own `process_all`, for one name."""
	from erpnext.accounts.doctype.subscription.subscription import process_all

	names = dict(frappe.get_all("Subscription", fields=["party", "name"], as_list=True, limit=0))

	def bill(customers: list[str]) -> None:
		for customer in customers:
			process_all(names[customer], day)

	return bill


def go_the_way_of(way: str | None) -> None:
	"""For the table of steps: `ordinary` posts as ERPNext does, `remembered` does so but reads masters from memory."""
	if way:
		invoices.post = post_ordinarily
	if way == "ordinary":
		bill_payer.remembering = nullcontext
		invoices._taxes_of = lambda template: get_taxes_and_charges(invoices.TAX_MASTER, template)


def cpu_seconds() -> float:
	"""Of this process so far; the database's own time is not in it."""
	used = resource.getrusage(resource.RUSAGE_SELF)
	return used.ru_utime + used.ru_stime


main()
