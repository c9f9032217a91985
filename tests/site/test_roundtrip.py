"""Install, demo, uninstall, reinstall, restore, bill: on a real site, each step a process of its own.

Needs a site with ERPNext set up for a French company without any entry, which it changes: `SUBSCRIBER_TV_BENCH` is the bench command as a
JSON list (run in the current folder), `SUBSCRIBER_TV_ROUNDTRIP_SITE` the site's name.
"""

import json
import os
import re
import subprocess

import pytest

BENCH = os.environ.get("SUBSCRIBER_TV_BENCH")
SITE = os.environ.get("SUBSCRIBER_TV_ROUNDTRIP_SITE")
LAST_RUN = "2026-10-01"
"""Day of the demo's last bill run: a run of that day finds everything billed."""

ADDED_TO_ERPNEXT = (
	"Custom Field",
	"Property Setter",
	"Role",
	"Role Profile",
	"Accounting Dimension",
	"Custom DocPerm",
	"Module Def",
)
KEPT = ("TV Subscription", "TV Subscription Change", "TV Device", "TV Device Event Line", "TV Billed Period")

pytestmark = pytest.mark.skipif(
	not (BENCH and SITE),
	reason="needs SUBSCRIBER_TV_BENCH and SUBSCRIBER_TV_ROUNDTRIP_SITE: a site it may change",
)


def run(*arguments: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess:
	command = [*json.loads(BENCH), "--site", SITE, *arguments]
	done = subprocess.run(
		command, capture_output=True, text=True, env={**os.environ, **environment}, timeout=900, check=False
	)
	if check and done.returncode:
		pytest.fail(f"{' '.join(arguments)} failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
	return done


def ask(method: str, *arguments):
	"""The JSON answer of a method on the site."""
	printed = run("execute", method, "--args", json.dumps(arguments)).stdout.strip()
	return json.loads(printed) if printed else None


def names(doctype: str) -> set[str]:
	return {row[0] for row in ask("frappe.db.sql", f"select name from `tab{doctype}`") or []}


def books() -> tuple:
	return (
		ask("frappe.db.sql", "select account, sum(debit), sum(credit) from `tabGL Entry` group by account"),
		ask(
			"frappe.db.sql",
			"select name, docstatus, outstanding_amount from `tabSales Invoice` order by name",
		),
		ask("frappe.db.sql", "select count(*), sum(actual_qty) from `tabStock Ledger Entry`"),
	)


def billed_rows():
	return ask(
		"frappe.db.sql",
		"select name, tv_line, tv_from, tv_to, tv_kind, tv_revision from `tabSales Invoice Item` order by name",
	)


def is_installed() -> bool:
	return "subscriber_tv" in run("list-apps").stdout


def uninstall() -> str:
	done = run("uninstall-app", "subscriber_tv", "--yes", "--no-backup", SUBSCRIBER_TV_UNINSTALL_ANYWAY="1")
	assert not is_installed()
	return re.search(r"(/\S+\.zip)", done.stdout).group(1)


def test_a_site_is_left_and_come_back_to_without_billing_twice():
	if is_installed():
		uninstall()
	before = {doctype: names(doctype) for doctype in ADDED_TO_ERPNEXT}

	run("install-app", "subscriber_tv")
	run("subscriber-tv", "demo", "--password", "Antenne-Bleue-2026!")
	kept = {doctype: names(doctype) for doctype in KEPT}
	rows, ledgers = billed_rows(), books()
	assert len(kept["TV Subscription"]) == 60
	assert len(kept["TV Device"]) == 300

	refused = run("uninstall-app", "subscriber_tv", "--yes", "--no-backup", check=False)
	assert refused.returncode != 0
	assert is_installed(), "an uninstall that refuses must leave the app installed"
	assert names("Role") >= {"TV Sales", "TV Partner"}, "nor may it take anything back"

	backup = uninstall()
	assert {doctype: names(doctype) for doctype in ADDED_TO_ERPNEXT} == before
	assert books() == ledgers

	run("install-app", "subscriber_tv")
	run("subscriber-tv", "restore", backup)
	assert {doctype: names(doctype) for doctype in KEPT} == kept
	assert billed_rows() == rows
	assert books() == ledgers

	run("subscriber-tv", "bill-run", "--posting-date", LAST_RUN, "--until", LAST_RUN)
	assert books() == ledgers, "nothing may be billed twice"

	run("subscriber-tv", "restore", backup)
	assert {doctype: names(doctype) for doctype in KEPT} == kept
