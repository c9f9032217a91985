"""The demo operator "Antenne Bleue": a site an evaluator can walk through, from the files in `fixtures/demo`.

Everything is loaded by the importers a user would use, in their order. Loading twice changes nothing; `erase_demo` takes
it away again. Dates are fixed in 2026, so that every site shows the same history.
"""

from collections.abc import Callable
from pathlib import Path

import frappe
from frappe import _

from subscriber_tv.core.imports.rows import KINDS
from subscriber_tv.flows.imports.load_file import Report, load_file
from subscriber_tv.setup import demo_users
from subscriber_tv.setup.demo_usage import load_usage
from subscriber_tv.setup.operator import complete_setup_wizard, set_up_operator
from subscriber_tv.setup.operator_stock import make_warehouse

DEMO_COMPANY = "subscriber_tv_demo_company"
"""Default value that marks the company the demo was loaded into."""

SECTORS = ("Île-de-France", "Nord", "Est", "Sud", "Ouest")
DEPOTS = ("Dépôt Paris", "Dépôt Lyon", "Dépôt Marseille", "Revendeur Armor TV")
SUPPLIERS = ("Écrans du Nord", "Lumière Électronique")
BILL_RUNS = (("2026-09-01", "2026-09-01"), ("2026-10-01", "2026-10-01"))
"""(posting date, billed until) of the runs of the past: the first catches up, the second is a month like any other."""

Say = Callable[[str], None]


def load_demo(
	*, password: str | None = None, bill: bool = True, say: Say = print, progress: Callable | None = None
) -> dict[str, str]:
	"""Load the demo into the site's company and return e-mail -> password of its users.

	`password` is given to all demo users; without it each new user gets a random one (an existing one keeps his and
	is returned with an empty string). Raises ValidationError when the site holds other people's accounts.
	"""
	company = complete_setup_wizard()
	_refuse_foreign_site(company)
	frappe.db.set_default(DEMO_COMPANY, company)
	say(_("Setting up {0}").format(company))
	set_up_operator(company)
	_make_ground(company)
	# The ground stands even if a file is wrong.
	frappe.db.commit()  # nosemgrep
	reports = [_load(kind, say, progress) for kind in KINDS]
	used = load_usage(fixtures_folder() / "usage.csv")
	say(_("usage.csv: {0} accepted, {1} rejected").format(used["accepted"], used["rejected"]))
	logins = demo_users.make_users(password or "")
	# The users can log in while the bill runs go on.
	frappe.db.commit()  # nosemgrep
	if bill:
		_bill(company, say)
	_publish(say)
	wrong = [report.file for report in reports if report.problems]
	if wrong:
		frappe.throw(_("The demo has problems in {0}.").format(", ".join(wrong)))
	return logins


def fixtures_folder() -> Path:
	"""Where the demo's CSV files lie, beside the package."""
	return Path(frappe.get_app_path("subscriber_tv")).parent / "fixtures" / "demo"


def _refuse_foreign_site(company: str) -> None:
	"""The demo posts to the ledgers: it never mixes with a real company's books."""
	has_books = frappe.db.exists("GL Entry", {"company": company})
	has_contracts = frappe.db.exists("TV Subscription", {})
	if not has_books and not has_contracts:
		return
	if frappe.db.get_default(DEMO_COMPANY) != company:
		frappe.throw(
			_("{0} has entries in its ledgers. Load the demo into a site of its own.").format(company),
			title=_("Not a Demo Site"),
		)
	if not has_contracts:
		frappe.throw(
			_(
				"The ledgers of {0} hold the demo, its subscriptions are gone. Restore the backup zip first."
			).format(company),
			title=_("Demo Without Its Rows"),
		)


def _make_ground(company: str) -> None:
	"""What the files refer to and an operator has before the first import: sectors, depots, suppliers."""
	root = frappe.db.get_value("Territory", {"parent_territory": ("is", "not set")}, "name")
	for sector in SECTORS:
		if not frappe.db.exists("Territory", sector):
			frappe.get_doc(
				{"doctype": "Territory", "territory_name": sector, "parent_territory": root}
			).insert(ignore_permissions=True)  # nosemgrep: a command of the administrator
	for depot in DEPOTS:
		make_warehouse(company, depot)
	group = frappe.db.get_value("Supplier Group", {"is_group": 0}, "name")
	for supplier in SUPPLIERS:
		if not frappe.db.exists("Supplier", supplier):
			frappe.get_doc(
				{"doctype": "Supplier", "supplier_name": supplier, "supplier_group": group}
			).insert(ignore_permissions=True)


def _load(kind: str, say: Say, progress: Callable | None) -> Report:
	path = fixtures_folder() / f"{kind}.csv"
	report = load_file(
		kind,
		path.read_bytes(),
		path.name,
		progress=(lambda done, total: progress(kind, done, total)) if progress else None,
	)
	say(
		_("{0}: {1} loaded, {2} already there, {3} problems, {4} s").format(
			path.name, report.loaded, report.unchanged, len(report.problems), round(report.seconds, 1)
		)
	)
	for problem in report.problems[:20]:
		say(f"  {problem.file}:{problem.line} {problem.column} {problem.reason(_)}")
	return report


def _bill(company: str, say: Say) -> None:
	"""Run the bill runs of the past that have not been run; a run is a submitted document, as a user makes it."""
	from subscriber_tv.flows.billing.run import run
	from subscriber_tv.flows.billing.start_run import new_run

	for posting_date, bill_until in BILL_RUNS:
		done = {"company": company, "posting_date": posting_date, "docstatus": 1}
		name = frappe.db.exists("TV Bill Run", done) or new_run(
			company=company, posting_date=posting_date, bill_until=bill_until, history=True
		)
		counters = run(bill_run=name)
		say(
			_("Bill run {0}: {1} invoices, {2} parked").format(
				name, counters["invoices"], counters["payers_parked"]
			)
		)


def _publish(say: Say) -> None:
	"""Compile and sign the rights of all TVs once, so that the first power-on needs no running publisher."""
	from subscriber_tv.flows.activation.publish import publish_pending

	while publish_pending():
		# As the publisher does after each sweep.
		frappe.db.commit()  # nosemgrep
	# The last sweep found nothing, yet took the sequence lock.
	frappe.db.commit()  # nosemgrep
	rows = frappe.db.count("TV Entitlement", {"removed": 0})
	say(_("Rights of {0} TVs and offers published").format(rows))
