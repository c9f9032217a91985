"""Opens one standard Issue per alarm, and closes it when what it was about is over.

The alarm's name is its rule and its subject, and its row is locked while it changes: however many workers see the same
trouble at once, the first opens the Issue and the others find it open.
"""

import hashlib
from dataclasses import dataclass, field

import frappe
from frappe import _
from frappe.utils import add_to_date, now_datetime
from pypika.terms import Values

DOCTYPE = "TV Alarm"
OPEN, RECOVERED = "Open", "Recovered"
HEALTH, COPY = "Health", "Suspected Copy"
UNTOUCHED = ("Open",)
"""States of an Issue that nobody has answered yet: it may be closed as it was opened, without a person."""

OVER = ("Closed", "Resolved")
REOPENED_DAYS = 30
"""A trouble that comes back within so many days is the same: its Issue is opened again, with all that was written in it."""

SHOWN = 20
"""TVs named in an alarm of a site; their number is told whatever it is."""


@dataclass(frozen=True)
class Alarm:
	"""What is wrong, with which TV or site, and what the Issue says. `text` is HTML, already escaped."""

	name: str
	kind: str
	title: str
	text: str
	device: str | None = None
	site: str | None = None
	customer: str | None = None
	company: str | None = None
	rule: str | None = None
	value: int = 0
	tvs: tuple[str, ...] = field(default=())
	issue_type: str | None = None
	priority: str | None = None


def health_name(rule: str, subject: str) -> str:
	"""The name of the alarm of a rule about a TV or site."""
	return f"H|{hashlib.sha256(rule.encode()).hexdigest()[:16]}|{subject}"


def copy_name(serial: str) -> str:
	"""The name of the alarm of a TV that may have a copy."""
	return f"C|{serial}"


def open_alarm(alarm: Alarm) -> str | None:
	"""Open the alarm with its Issue, the one of last time if that is not long ago; None when it is open already.

	The caller commits.
	"""
	_make_row(alarm.name)
	before = _locked(alarm.name)
	if before.state == OPEN:
		return None
	issue = _reopened(before, alarm) or _make_issue(alarm)
	frappe.db.set_value(
		DOCTYPE,
		alarm.name,
		{
			"kind": alarm.kind,
			"state": OPEN,
			"rule": alarm.rule,
			"device": alarm.device,
			"site": alarm.site,
			"customer": alarm.customer,
			"company": alarm.company,
			"value": alarm.value,
			"tvs": "\n".join(alarm.tvs[:SHOWN]),
			"times": before.times + 1,
			"issue": issue,
			"opened_on": now_datetime(),
			"recovered_on": None,
		},
	)
	return issue


def recover(name: str, comment: str) -> bool:
	"""End an open alarm: comment on its Issue, and close it if nobody works on it. False: it was not open.

	:param comment: why, in the language of whoever reads Issues
	"""
	if not frappe.db.exists(DOCTYPE, name):
		return False
	alarm = _locked(name)
	if alarm.state != OPEN:
		return False
	frappe.db.set_value(DOCTYPE, name, {"state": RECOVERED, "recovered_on": now_datetime()})
	if alarm.issue and frappe.db.exists("Issue", alarm.issue):
		_end_issue(alarm.issue, comment)
	return True


def _end_issue(name: str, comment: str) -> None:
	issue = frappe.get_doc("Issue", name, for_update=True)
	issue.add_comment("Comment", comment)
	if issue.status in UNTOUCHED:
		issue.status = "Closed"
		issue.resolution_details = comment
		issue.flags.ignore_permissions = True  # the alarm opened it, whoever's request ends it
		issue.save()


def _reopened(before: frappe._dict, alarm: Alarm) -> str | None:
	if not before.issue or not frappe.db.exists("Issue", before.issue):
		return None
	if before.recovered_on and before.recovered_on < add_to_date(now_datetime(), days=-REOPENED_DAYS):
		return None
	issue = frappe.get_doc("Issue", before.issue, for_update=True)
	issue.add_comment("Comment", "<p>" + _("The same trouble is back.") + "</p>" + alarm.text)
	if issue.status in OVER:
		issue.status = "Open"
		issue.flags.ignore_permissions = True  # as when it was made
		issue.save()
	return issue.name


def _make_issue(alarm: Alarm) -> str:
	issue = frappe.get_doc(
		{
			"doctype": "Issue",
			"subject": alarm.title[:140],
			"description": alarm.text,
			"customer": alarm.customer,
			"company": alarm.company,
			"issue_type": alarm.issue_type,
			"priority": alarm.priority,
		}
	)
	issue.flags.ignore_permissions = True  # made by a rule, not by whoever's heartbeat or request it was
	issue.insert()
	return issue.name


def _make_row(name: str) -> None:
	now, user = now_datetime(), frappe.session.user
	table = frappe.qb.DocType(DOCTYPE)
	(
		frappe.qb.into(table)
		.columns("name", "creation", "modified", "owner", "modified_by", "docstatus", "state", "times")
		.insert(name, now, now, user, user, 0, RECOVERED, 0)
		# Nothing to update, but a row that is there must be waited for, not failed on.
		.on_duplicate_key_update(table.name, Values(table.name))
		.run()
	)


def _locked(name: str) -> frappe._dict:
	fields = ["state", "issue", "times", "recovered_on"]
	return frappe.db.get_value(DOCTYPE, name, fields, as_dict=True, for_update=True)


def closed_text() -> str:
	"""What the comment of an Issue says whose trouble went away by itself."""
	return _("The signal has been normal again. This issue is closed unless somebody is working on it.")
