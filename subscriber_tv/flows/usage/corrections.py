"""Files for people: the rejected rows of an import to put right and load again, and an example of what a profile reads."""

import unicodedata
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path

import frappe
from frappe import _

from subscriber_tv.core.usage.inbox import CONFLICT, REJECTED
from subscriber_tv.core.usage.profile import CSV, JSON_LINES, Profile
from subscriber_tv.core.usage.read import cells_of_raw
from subscriber_tv.core.usage.record import Record
from subscriber_tv.core.usage.write import Cells, cells_of, table_of, write
from subscriber_tv.flows.usage import profiles
from subscriber_tv.flows.usage.rows import DOCTYPE
from subscriber_tv.flows.usage.sheet import sheet_of_cells
from subscriber_tv.flows.usage.words import problem_of, sentence

ENDINGS = {CSV: "csv", JSON_LINES: "jsonl"}
MOST_ROWS = 100_000


def rejected_file(tv_import: str) -> tuple[str, bytes]:
	"""Name and content of a file with the records of an import that are rejected or contradict, as they came.

	Those that the user may read. The last column says why; the profile does not read it, so the corrected file can be loaded as it is.
	"""
	doc = frappe.get_doc("TV Import", tv_import)
	profile = profiles.load(doc.profile)
	found = frappe.get_list(
		DOCTYPE,
		{"tv_import": tv_import, "state": ("in", (REJECTED, CONFLICT))},
		["raw", "problem", "problem_values", "reason"],
		order_by="row_no, name",
		limit=MOST_ROWS,
	)
	label = _("Reason")
	rows = [cells_of_raw(row.raw) | {label: _reason(row)} for row in found]
	return _named(f"{Path(doc.file_name).stem}-{_('rejected')}", rows, profile, (label,))


def example_file(name: str) -> tuple[str, bytes]:
	"""Name and content of a file with two records, as this profile reads it."""
	profile = profiles.load(name)
	rows = [cells_of(one, profile) for one in _examples(profile)]
	return _named(f"{name}-{_('example')}", rows, profile, ())


def _examples(profile: Profile) -> tuple[Record, Record]:
	"""A film by its time and a match by its day, of a TV and of a subscription, as far as the profile has fields for them."""
	has = profile.places_of
	tv = {"serial": "AB43H-000001"} if "serial" in has else {"subscription": "TVS-00001"}
	contract = {"subscription": "TVS-00001"} if "subscription" in has else tv
	time = (
		{"at": datetime(2026, 11, 3, 20, 15, tzinfo=timezone.utc)}
		if "at" in has
		else {"day": date(2026, 11, 3)}
	)
	day = {"day": date(2026, 11, 4)} if "day" in has else time
	return (
		Record(key="EX-1", charge="VOD", quantity=Decimal(1), **tv, **time),
		Record(key="EX-2", charge="EVENT", quantity=Decimal(2), **contract, **day),
	)


def _reason(row) -> str:
	found = problem_of(row)
	return sentence(found) if found else row.reason or ""


def _named(stem: str, rows: list[Cells], profile: Profile, extra: tuple[str, ...]) -> tuple[str, bytes]:
	# A header of an answer holds plain letters only.
	stem = (
		unicodedata.normalize("NFKD", stem)
		.encode("ascii", "ignore")
		.decode()
		.replace(" ", "_")
		.replace('"', "")
	)
	ending = ENDINGS.get(profile.format)
	if ending:
		return f"{stem}.{ending}", write(rows, profile, extra)
	return f"{stem}.xlsx", sheet_of_cells(table_of(rows, profile, extra))
