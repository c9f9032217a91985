"""Brings the day's lines into the subscriptions whose change was planned ahead and takes effect now."""

from datetime import date, datetime, timedelta, timezone

import frappe

from subscriber_tv.core.contracts.timeline import Contract
from subscriber_tv.flows.activation.note_change import note_change
from subscriber_tv.flows.contracts import timeline
from subscriber_tv.flows.contracts.change_state import lock
from subscriber_tv.flows.contracts.record_change import refresh_cache
from subscriber_tv.flows.contracts.today import site_today


def follow_lines(*, today: date | None = None) -> int:
	"""Refresh every subscription whose planned change of lines has come at its site; return how many.

	Runs hourly and survives missed nights: bills and rights are read from the changes themselves, so only what the
	form shows waits for it. `today` replaces the day at every site. One that fails is written to the Error Log.
	"""
	done = 0
	latest = today or datetime.now(timezone.utc).date() + timedelta(days=1)
	due = frappe.get_all(
		"TV Subscription", {"next_change_on": ("<=", latest)}, ["name", "site"], order_by="name", limit=0
	)
	for row in due:
		day = today or site_today(row.site)
		frappe.db.savepoint("follow_lines")
		try:
			done += _follow(row.name, day)
		except frappe.QueryDeadlockError:
			raise  # the database has rolled everything back; the next hour finds them all
		except Exception:
			frappe.db.rollback(save_point="follow_lines")
			frappe.log_error(
				title="The lines of a subscription could not be brought up to date",
				reference_doctype="TV Subscription",
				reference_name=row.name,
			)
	return done


def _follow(subscription: str, today: date) -> bool:
	facts = lock(subscription)
	contract: Contract = timeline.load_locked(subscription, facts.change_count, facts)
	doc = frappe.get_doc("TV Subscription", subscription)
	if not doc.next_change_on or doc.next_change_on > today:
		return False
	refresh_cache(doc, contract, None, today)
	note_change("Subscription", subscription)
	return True
