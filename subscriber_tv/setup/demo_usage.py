"""Usage in the demo: films and matches that another system reports, loaded by the profile of that system."""

from pathlib import Path

import frappe

from subscriber_tv.flows.usage.import_file import load_import, make_import

PROFILE = "Vidéo à la demande"
COLUMNS = (
	("Source Key", "Référence"),
	("Subscription", "Abonnement"),
	("Charge Code", "Prestation"),
	("Quantity", "Nombre"),
	("Time", "Date"),
	("Time", "Heure"),
)


def load_usage(path: Path) -> dict:
	"""Load the demo's records and return the figures of their import; a file that was loaded is not loaded again.

	Two of them fit no contract: they show what becomes of such a record.
	"""
	_make_profile()
	done = frappe.db.get_value("TV Import", {"profile": PROFILE, "file_name": path.name})
	name = done or _make_import(path)
	# The import commits chunk by chunk, so its own row must stand.
	frappe.db.commit()  # nosemgrep
	return load_import(tv_import=name)


def _make_import(path: Path) -> str:
	file = frappe.get_doc(
		{"doctype": "File", "file_name": path.name, "is_private": 1, "content": path.read_bytes()}
	).insert(ignore_permissions=True)
	return make_import(profile=PROFILE, file=file.name)


def _make_profile() -> None:
	if frappe.db.exists("TV Import Profile", PROFILE):
		return
	frappe.get_doc(
		{
			"doctype": "TV Import Profile",
			"profile_name": PROFILE,
			"kind": "Usage",
			"source": "VAD",
			"format": "CSV",
			"delimiter": "Semicolon",
			"encoding": "UTF-8",
			"decimal_sign": "Comma",
			"date_format": "DD/MM/YYYY HH:mm",
			"time_zone": "Europe/Paris",
			"columns": [{"field": field, "column_name": column} for field, column in COLUMNS],
		}
	).insert(ignore_permissions=True)
