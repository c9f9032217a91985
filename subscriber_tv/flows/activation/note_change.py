"""Notes that somebody's rights may have changed; the publisher works out what that means.

One row per changed subject, in the transaction of the change itself: a change that is rolled back notes
nothing, a change that commits is never forgotten. Ten thousand TVs of one subscription are one row.
"""

import time
from collections.abc import Iterable

import frappe

from subscriber_tv.flows.settings import phase_on

CHANNEL = "subscriber_tv:rights"
"""Redis channel that wakes the publisher; the message is the site's name."""

SUBJECT_TYPES = ("Offer", "Subscription", "Site", "Device")


def note_change(subject_type: str, subject: str) -> None:
	"""Put one subject on the rights outbox. Does nothing while the activation phase is off."""
	note_changes(subject_type, [subject])


def note_changes(subject_type: str, subjects: Iterable[str]) -> None:
	"""Put subjects of one type on the rights outbox and wake the publisher once they are committed.

	:param subject_type: Offer (name of a TV Offer Version), Subscription, Site or Device (serial)
	"""
	if subject_type not in SUBJECT_TYPES:
		raise KeyError(subject_type)
	subjects = list(subjects)
	if not subjects or not phase_on("activation"):
		return
	now = frappe.utils.now_datetime()
	user = frappe.session.user
	columns = [
		"name",
		"creation",
		"modified",
		"owner",
		"modified_by",
		"subject_type",
		"subject",
		"created_at",
	]
	frappe.db.bulk_insert(
		"TV Rights Outbox",
		columns,
		[
			(
				frappe.db.get_next_sequence_val("TV Rights Outbox"),
				now,
				now,
				user,
				user,
				subject_type,
				subject,
				int(time.time()),
			)
			for subject in subjects
		],
	)
	frappe.db.after_commit.add(wake)


def note_all_bound(model: str | None = None) -> None:
	"""Have the rights of every bound TV worked out again, or of those of a model, with those they share a subscription with."""
	device = frappe.qb.DocType("TV Device")
	query = frappe.qb.from_(device).select(device.subscription).distinct()
	query = query.where((device.line_id != "") & (device.subscription != ""))
	note_changes("Subscription", (query.where(device.model == model) if model else query).run(pluck=True))


def wake() -> None:
	"""Tell the publisher not to wait for its next sweep. Redis being away costs one second, nothing else."""
	try:
		frappe.cache.publish(CHANNEL, frappe.local.site)
	except Exception:
		frappe.logger("subscriber_tv").warning("The publisher could not be woken", exc_info=True)
