"""What the usage tests share: an offer with films beyond an allowance, profiles of sources, and what they send."""

import frappe
from frappe.utils.file_manager import save_file

from subscriber_tv.flows.usage import import_file, receive
from subscriber_tv.tests import factories
from subscriber_tv.tests.billing_case import BillingTestCase

RECORD = "TV Usage Record"


def make_version() -> str:
	"""30.00 a TV and month; ten films a month are free, each further one is 0.20."""
	films = factories.charge(
		"VOD", charge_kind="Usage", price_model="Usage", item="TV-OPTION", unit_price=0, allowance=10
	)
	return factories.make_offer_version(
		f"VOD-{frappe.generate_hash(length=6)}".upper(),
		charges=[factories.charge(item="TV-SUBSCRIPTION", unit_price=30), films],
		tiers=[{"charge_code": "VOD", "unit_price": 0.2}],
	)


def make_profile(columns: tuple[tuple[str, str, str], ...] = (), **values) -> str:
	"""A profile of a source of its own; columns are (field, column, fixed value)."""
	name = f"Source {frappe.generate_hash(length=8)}"
	return (
		frappe.get_doc(
			{
				"doctype": "TV Import Profile",
				"profile_name": name,
				"kind": "Usage",
				"source": name,
				"format": "JSON Lines",
				"columns": [
					{"field": field, "column_name": column, "fixed_value": fixed}
					for field, column, fixed in columns
				],
				**values,
			}
		)
		.insert()
		.name
	)


FRENCH = (
	("Source Key", "Référence", ""),
	("Subscription", "Abonné", ""),
	("Charge Code", "", "VOD"),
	("Quantity", "Minutes", ""),
	("Time", "Date", ""),
	("Time", "Heure", ""),
)


def french_profile(**values) -> str:
	"""Semicolons, Windows letters, French days and minutes: a film is ninety of them."""
	return make_profile(
		FRENCH,
		format="CSV",
		delimiter="Semicolon",
		encoding="Windows-1252",
		decimal_sign="Comma",
		date_format="DD/MM/YYYY HH:mm",
		time_zone="Europe/Paris",
		divide_by=90,
		**values,
	)


def film(key: str, subscription: str = "", day: str = "2026-10-05", **values) -> dict:
	"""One film of a subscription, as a source tells it."""
	told = {"key": key, "subscription": subscription, "charge": "VOD", "quantity": 1, "day": day, **values}
	return {name: value for name, value in told.items() if value != ""}


class UsageTestCase(BillingTestCase):
	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		cls.version = make_version()
		cls.profile = make_profile()
		frappe.db.commit()

	def post(self, *records: dict, profile: str | None = None) -> list[str]:
		"""Send records as the API does; the status of each. Commits."""
		answer = receive.receive(profile=profile or self.profile, records=records)
		frappe.db.commit()
		return [one["status"] for one in answer["records"]]

	def load(self, profile: str, content: str | bytes, file_name: str = "usage.csv"):
		"""Load a file as the desk does, the worker's part included; the import."""
		data = content if isinstance(content, bytes) else content.encode()
		file = save_file(file_name, data, None, None, is_private=1)
		name = import_file.new_import(profile=profile, file=file.name)
		frappe.db.commit()
		import_file.load_import(tv_import=name)
		return frappe.get_doc("TV Import", name)

	def record(self, key: str, profile: str | None = None, **filters):
		"""The record that stands for a key, or one beside it that the filters name."""
		filters = filters or {"current_record": ("is", "not set")}
		source = {"source": profile or self.profile, "source_key": key}
		return frappe.get_doc(RECORD, frappe.db.get_value(RECORD, {**source, **filters}))

	def state(self, key: str, profile: str | None = None) -> str:
		return self.record(key, profile).state
