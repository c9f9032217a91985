"""Usage in the demo: films and matches that another system reports, loaded by the profile of that system."""

from pathlib import Path

import frappe

from subscriber_tv.flows.usage.import_file import load_import, load_path

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
	if done := frappe.db.get_value("TV Import", {"profile": PROFILE, "file_name": path.name}):
		return load_import(tv_import=done)
	return load_path(profile=PROFILE, path=path)


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
