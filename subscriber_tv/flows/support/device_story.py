"""All that happened to a TV, newest first, with who did it: see story_sources."""

import datetime

import frappe
from frappe.utils import get_datetime

from subscriber_tv.flows.support import story_sources
from subscriber_tv.flows.support.judge_copies import sign_label

PAGE = 50


def device_story(device: str, before: str | None = None, limit: int = PAGE) -> dict:
	"""Up to `limit` happenings older than `before`, with what to show first: state, signs that weigh, alarms.

	The caller has made sure that the user may read the TV.
	"""
	upto = get_datetime(before) if before else datetime.datetime.max.replace(microsecond=0)
	limit = max(1, min(int(limit), 200))
	items = [item for source in story_sources.ALL for item in source(device, upto, limit)]
	items.sort(key=lambda item: item["at"], reverse=True)
	return {"items": items[:limit], "more": len(items) > limit}


def device_now(device: str) -> dict:
	"""What is known of the TV right now, and the signs against it that nobody has cleared."""
	status = frappe.db.get_value(
		"TV Device Status",
		device,
		["online", "last_heard", "firmware", "channel", "temperature", "signal_strength", "network"],
		as_dict=True,
	)
	signs = frappe.get_all(
		"TV Device Evidence",
		{"device": device, "cleared": 0},
		["kind", "count", "first_noted", "last_noted", "network", "audience"],
		order_by="last_noted desc",
		limit=20,
	)
	alarms = frappe.get_all(
		"TV Alarm", {"device": device, "state": "Open"}, ["kind", "rule", "issue", "opened_on"], limit=20
	)
	return {
		"status": status or {},
		"signs": [sign | {"label": sign_label(sign.kind)} for sign in signs],
		"alarms": alarms,
	}
