"""Billing speed: a bill run against ERPNext's own Subscription, as ratios of one run.

	cd SITES; PYTHONPATH=CLONE BENCH/env/bin/python CLONE/benchmarks/billing/run.py --site benchmark.localhost

The site is filled and left full: take one of its own. See README.md for what the figures mean.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import frappe

sys.path.insert(0, str(Path(__file__).parent))
import base

from subscriber_tv.flows.billing import chunks, facts, watch
from subscriber_tv.flows.billing.bill_payer import settle
from subscriber_tv.flows.billing.lock import under_payer_lock
from subscriber_tv.flows.billing.start_run import new_run

WRITER = Path(__file__).parent / "writer.py"
SERIES = ("FTV-.YYYY.-.#####", "FTVA-.YYYY.-.#####", "FTVB-.YYYY.-.#####", "FTVC-.YYYY.-.#####")
WARM_UP = 4  # customers, one of each kind, that a writer bills before the clock starts
SECONDS = ("wall", "cpu")


@dataclass(frozen=True)
class Setting:
	"""How many processes write at once, into how many number series. ERPNext's Subscription knows one series."""

	writers: int
	series: int

	def __str__(self) -> str:
		return f"{self.writers} × {self.series} series"


ONE = Setting(1, 1)
SETTINGS = (ONE, Setting(2, 1), Setting(2, 2), Setting(4, 1), Setting(4, 4))


class Benchmark:
	"""Gives each measurement customers of its own and, each time it is repeated, their next month."""

	def __init__(self, options: argparse.Namespace) -> None:
		self.options = options
		self._used = len(base.KINDS)  # the prototypes are billed for the first month, for their copies
		self._mine: dict[object, range] = {}
		self._months: dict[tuple, int] = defaultdict(int)
		self._filled = 0

	@property
	def customers(self) -> int:
		"""How many customers a side all measurements need."""
		writers = sum(setting.writers for setting in SETTINGS) + 2
		return len(base.KINDS) + writers * (self.options.each + WARM_UP)

	def speed(self) -> None:
		"""Rounds of both sides in turns, for each number of writers."""
		print(f"\ninvoices a second and writer ({self.options.each} a writer and round)")
		print(
			f"{'writers':>14} {'round':>5} {'ERPNext':>8} {'here':>8} {'ratio':>6} {'ratio of CPU':>13}",
			flush=True,
		)
		found: dict[Setting, list[dict]] = defaultdict(list)
		for number in range(1, self.options.rounds + 1):
			for setting in SETTINGS:
				found[setting].append(self._round(setting, number))
		for setting, rounds in found.items():
			ratios = {unit: [one[unit] for one in rounds] for unit in SECONDS}
			print(f"{setting!s:>14} median {_spread(ratios['wall'])}, of CPU {_spread(ratios['cpu'])}")

	def _round(self, setting: Setting, number: int) -> dict:
		sides = base.SIDES if number % 2 else base.SIDES[::-1]
		rates = {side: self.measure(setting, side, setting) for side in sides}
		ratio = {unit: rates[base.TV][unit] / rates[base.STANDARD][unit] for unit in SECONDS}
		print(
			f"{setting!s:>14} {number:>5} {rates[base.STANDARD]['wall']:8.2f} {rates[base.TV]['wall']:8.2f}"
			f" {ratio['wall']:6.1f} {ratio['cpu']:13.1f}",
			flush=True,
		)
		return ratio

	def measure(self, name: object, side: str, setting: Setting, way: str | None = None) -> dict:
		"""Invoices a second and writer, by wall clock and by the writers' CPU; `name` tells whose customers are billed."""
		each = self.options.each + WARM_UP
		mine = self._customers_of(name, setting.writers * each)
		month = self._months[name, side]
		self._months[name, side] += 1
		writers = []
		for number in range(setting.writers):
			names = [base.customer(side, place) for place in mine[number * each : (number + 1) * each]]
			series = SERIES[number % setting.series] if side == base.TV else None
			writers.append(self._writer(side, month, names, series, way))
		for writer in writers:
			_expect(writer, "ready")
		began = time.monotonic()
		for writer in writers:
			writer.stdin.write("go\n")
			writer.stdin.flush()
		answers = [json.loads(_expect(writer)) for writer in writers]
		wall = time.monotonic() - began
		done = sum(answer["done"] for answer in answers)
		_check(side, month, mine)
		return {
			"wall": done / wall / setting.writers,
			"cpu": done / sum(answer["cpu"] for answer in answers),
		}

	def _customers_of(self, name: object, number: int) -> range:
		if name not in self._mine:
			self._mine[name] = range(self._used, self._used + number)
			self._used += number
		return self._mine[name]

	def _writer(self, side: str, month: int, mine: list[str], series: str | None, way: str | None):
		order = {
			"site": self.options.site,
			"side": side,
			"day": str(base.first_day(month)),
			"warm_up": mine[:WARM_UP],
			"customers": mine[WARM_UP:],
			"series": series,
			"way": way,
		}
		pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
		process = subprocess.Popen([sys.executable, WRITER], **pipes)
		process.stdin.write(json.dumps(order) + "\n")
		process.stdin.flush()
		return process

	def steps(self) -> None:
		"""What each step of the quick way gave, one writer."""
		print("\nsteps, invoices a second, one writer")
		for number in range(1, self.options.rounds + 1):
			for label, side, way in (
				("ERPNext's Subscription", base.STANDARD, None),
				("bill run, posted as ERPNext posts", base.TV, "ordinary"),
				("  masters remembered", base.TV, "remembered"),
				("  validated once, written in bulk", base.TV, None),
			):
				rate = self.measure("steps", side, ONE, way)
				print(
					f"{number:>3} {label:<36} {rate['wall']:7.2f}  per CPU second {rate['cpu']:7.2f}",
					flush=True,
				)

	def growth(self) -> None:
		"""The same with ten times as many customers and a ledger ten times as long."""
		print("\ngrowth: milliseconds an invoice, and of a subscription that has nothing to bill")
		for size in self.options.sizes:
			base.make(size)
			self._fill(size)
			invoice = {side: 1000 / self.measure("growth", side, ONE)["wall"] for side in base.SIDES}
			look, here = _idle_here(self.options.each)
			standard = _idle_standard(self.options.each)
			print(
				f"{size:>7} customers: invoice here {invoice[base.TV]:.1f}, ERPNext {invoice[base.STANDARD]:.1f};"
				f" idle here {here:.4f} (looked at once a period {look:.1f}), ERPNext {standard:.1f},"
				f" {standard / here:.0f} times",
				flush=True,
			)

	def _fill(self, size: int) -> None:
		"""Give every customer that is not measured an invoice of the first month, copied from one of his kind."""
		first = self._filled if self._filled else self.customers
		if not self._filled:
			for side in base.SIDES:
				for number in range(len(base.KINDS)):
					writer = self._writer(side, 0, [base.customer(side, number)], SERIES[0], None)
					_expect(writer, "ready")
					writer.communicate("go\n")
		frappe.db.rollback()
		base.post_copies(0, range(first, size))
		self._filled = max(first, size)


def _check(side: str, month: int, customers: range) -> None:
	"""One submitted invoice a customer and month, of the amount of his kind: else the figure is worth nothing."""
	frappe.db.rollback()
	names = {base.customer(side, number): base.KINDS[number % len(base.KINDS)].total for number in customers}
	filters = {"customer": ("in", list(names)), "posting_date": base.first_day(month), "docstatus": 1}
	posted = frappe.get_all("Sales Invoice", filters, ["customer", "grand_total"], limit=0)
	found = {row.customer: Decimal(str(round(row.grand_total, 2))) for row in posted}
	if len(posted) != len(names) or found != names:
		raise SystemExit(f"{side}: {len(posted)} invoices instead of {len(names)}, or other amounts")


def _idle_here(number: int) -> tuple[float, float]:
	"""Milliseconds a payer of the one look a period, and to list him in a run as having nothing due.

	So many are looked at, as a run does it; the others, who are copies of them, are given what such a look leaves.
	"""
	day = base.add_days(base.first_day(0), 9)
	payers = [name for name in facts.payers(base.COMPANY) if name.startswith(f"Bench {base.TV}")]
	began = time.monotonic()
	for payer in payers[:number]:
		_look(payer, day)
	look = (time.monotonic() - began) / number
	base.copy_watches(payers[:number], payers[number:])
	name = new_run(company=base.COMPANY, posting_date=day, bill_until=day)
	began = time.monotonic()
	quiet = watch.quiet_payers(base.COMPANY, day)
	chunks.list_payers(name, facts.payers(base.COMPANY), quiet)
	frappe.db.commit()
	took = time.monotonic() - began
	if len(quiet) < len(payers):
		raise SystemExit(f"{len(payers) - len(quiet)} payers with nothing due are not known to be quiet")
	return look * 1000, took * 1000 / len(payers)


def _look(payer: str, day) -> None:
	outcome = under_payer_lock(
		payer, lambda: settle(payer=payer, company=base.COMPANY, posting_date=day, bill_until=day)
	)
	if outcome.document:
		raise SystemExit(f"{payer} had something to bill")
	frappe.db.commit()


def _idle_standard(number: int) -> float:
	"""Milliseconds that ERPNext's own job takes for a Subscription that has nothing to bill."""
	from erpnext.accounts.doctype.subscription.subscription import process_all

	day = base.add_days(base.first_day(0), 9)
	names = frappe.get_all("Subscription", pluck="name", limit=number + WARM_UP, order_by="name")
	for name in names[:WARM_UP]:
		process_all(name, day)
	began = time.monotonic()
	for name in names[WARM_UP:]:
		process_all(name, day)
	return (time.monotonic() - began) * 1000 / number


def _expect(writer: subprocess.Popen, line: str | None = None) -> str:
	answer = writer.stdout.readline()
	if not answer or (line and answer.strip() != line):
		raise SystemExit(f"a writer failed: {answer or writer.wait()}")
	return answer


def _spread(ratios: list[float]) -> str:
	return f"{statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})"


def _options() -> argparse.Namespace:
	parser = argparse.ArgumentParser(description=__doc__)
	parser.add_argument("--site", required=True)
	parser.add_argument("--rounds", type=int, default=5)
	parser.add_argument("--each", type=int, default=50, help="invoices of a writer in a round")
	parser.add_argument("--sizes", type=int, nargs="*", default=[1000, 10000])
	parser.add_argument(
		"--quick", action="store_true", help="a few minutes: what is broken shows, no figures"
	)
	parser.add_argument("--only", nargs="*", default=["steps", "speed", "growth"])
	options = parser.parse_args()
	if options.quick:
		options.rounds, options.each, options.sizes = 1, 6, [200, 400]
	return options


def main() -> None:
	"""Make the base, then measure."""
	options = _options()
	frappe.init(site=options.site, sites_path=".")
	frappe.connect()
	frappe.set_user("Administrator")
	if frappe.db.exists("Sales Invoice", {"customer": ("like", "Bench %")}):
		raise SystemExit(f"{options.site} was measured before: its months are billed. Take a new site.")
	benchmark = Benchmark(options)
	base.make(max(benchmark.customers, min(options.sizes)))
	for part in options.only:
		getattr(benchmark, part)()
	frappe.destroy()


if __name__ == "__main__":
	main()
