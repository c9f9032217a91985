"""The one converter from a Datetime field, which holds site time, back to epoch seconds; the way there is `local_time`."""

from datetime import datetime
from zoneinfo import ZoneInfo

from frappe.utils import get_datetime, get_system_timezone


def epoch(moment: datetime | str | None) -> int:
	"""Epoch seconds UTC of a moment in site time; 0 for none. The hour that happens twice is taken for its first."""
	if not moment:
		return 0
	return int(get_datetime(moment).replace(tzinfo=ZoneInfo(get_system_timezone())).timestamp())
