"""The day at a site: a contract's day is its TV Site's, whatever the server's time zone."""

from datetime import date, datetime, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import frappe
from frappe import _


def site_today(site: str) -> date:
	"""Today in the time zone of the TV Site."""
	return day_in(time_zone_of(site))


def day_in(time_zone: str) -> date:
	"""Today in an IANA time zone."""
	return datetime.now(timezone.utc).astimezone(ZoneInfo(time_zone)).date()


def time_zone_of(site: str) -> str:
	"""IANA time zone of the TV Site, else the default of TV Settings."""
	zone = frappe.db.get_value("TV Site", site, "time_zone")
	return zone or frappe.get_cached_doc("TV Settings").default_time_zone or "Europe/Paris"


def require_time_zone(time_zone: str) -> None:
	"""Raise ValidationError unless `time_zone` is a name of the IANA database such as Europe/Paris."""
	try:
		ZoneInfo(time_zone)
	except (ZoneInfoNotFoundError, ValueError, OSError):
		frappe.throw(
			_("{0} is not a time zone. Use an IANA name such as Europe/Paris or America/Martinique.").format(
				frappe.bold(time_zone)
			),
			title=_("Unknown Time Zone"),
		)
