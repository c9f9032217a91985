"""Starts the scheduled bill runs of TV Settings: one a company and day, whoever asks and how often."""

import frappe
from frappe.utils import add_days, get_datetime, now_datetime, strip_html

from subscriber_tv.core.billing.schedule import DAILY, Schedule, days_of, due_day
from subscriber_tv.flows.settings import phase_on


def start_due() -> list[str]:
	"""Submit the runs that are due and hand them to workers; returns their names. Hourly; commits each.

	A run is dated today even when its day was missed, and bills until today and the days ahead that TV Settings
	give. What keeps one from being made (closed books) is logged, and tried again the next hour.
	"""
	if not phase_on("billing"):
		return []
	made = []
	for row in frappe.get_cached_doc("TV Settings").get("bill_schedule") or []:
		day = due_day(schedule_of(row), now_datetime())
		if day and not frappe.db.exists("TV Bill Run", {"schedule_key": key_of(row.company, day)}):
			made += filter(None, [_start(row.company, day)])
	return made


def schedule_of(row) -> Schedule:
	"""The schedule that a row of TV Settings describes. ValueError for days that are none."""
	days = () if row.frequency == DAILY else days_of(row.days or "")
	return Schedule(row.hour or 0, days, get_datetime(row.since) if row.since else None)


def key_of(company: str, day) -> str:
	"""What the database lets exist once: two schedulers at the same second make one run."""
	return f"{company}|{day.isoformat()}"


def _start(company: str, day) -> str | None:
	frappe.db.rollback()  # a new snapshot for each run
	today = now_datetime().date()
	ahead = frappe.get_cached_doc("TV Settings").bill_days_ahead or 0
	doc = frappe.get_doc(
		{
			"doctype": "TV Bill Run",
			"company": company,
			"posting_date": today,
			"bill_until": add_days(today, ahead),
			"scheduled_for": day,
			"schedule_key": key_of(company, day),
		}
	)
	doc.flags.scheduled = True
	try:
		doc.submit()
		# Each run is a piece of work of its own; the job that begins it is asked for now.
		frappe.db.commit()  # nosemgrep
		return doc.name
	except (frappe.UniqueValidationError, frappe.DuplicateEntryError):
		# Another scheduler was faster.
		frappe.db.rollback()
		frappe.clear_messages()
	except Exception as error:
		frappe.db.rollback()
		reason = strip_html(str(error)).strip()
		frappe.log_error(
			title=f"Scheduled bill run of {company}: {reason}"[:140], reference_doctype="TV Settings"
		)
		frappe.clear_messages()
		# The log entry stays.
		frappe.db.commit()  # nosemgrep
	return None
