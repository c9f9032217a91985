import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cint, now_datetime

from subscriber_tv.core.mqtt.topics import is_operator
from subscriber_tv.flows.activation.note_change import note_all_bound, note_changes
from subscriber_tv.flows.billing.schedule_runs import schedule_of
from subscriber_tv.flows.contracts.today import require_time_zone

#: Fields that count something and must be at least this.
LEAST = {
	"pairing_minutes": 1,
	"max_stale_hours": 1,
	"play_hours": 1,
	"mqtt_port": 1,
	"mqtt_rate": 50,
	"activation_retention_days": 1,
	"bill_days_ahead": 0,
	"max_catch_up_months": 1,
	"max_months_ahead": 0,
	"max_rows_a_day": 0,
	"bill_chunk_size": 0,
	"outlier_jump_percent": 0,
}

#: Fields that every TV's rights depend on.
RIGHTS = ("activation_enabled", "play_hours", "default_time_zone")


class TVSettings(Document):
	"""Switches of the phases and the operator's choices, one document for the site."""

	def validate(self) -> None:
		require_time_zone(self.default_time_zone or "Europe/Paris")
		self._check_numbers()
		self._check_broker()
		self._check_series()
		self._check_schedule()
		self._check_warehouses()

	def on_update(self) -> None:
		if self.activation_enabled and any(self.has_value_changed(field) for field in RIGHTS):
			# The flows read these through the document cache, which still holds the old ones.
			self.clear_cache()
			self._note_everything()

	def _check_numbers(self) -> None:
		for field, least in LEAST.items():
			if self.get(field) is not None and cint(self.get(field)) < least:
				frappe.throw(
					_("{0} must be at least {1}.").format(frappe.bold(_(self.meta.get_label(field))), least)
				)

	def _check_broker(self) -> None:
		if not self.mqtt_enabled:
			return
		for field in ("mqtt_operator", "mqtt_user"):
			self.set(field, (self.get(field) or "").strip())
			if not is_operator(self.get(field)):
				frappe.throw(
					_("{0} consists of small letters, digits and hyphens, 32 at most.").format(
						frappe.bold(_(self.meta.get_label(field)))
					)
				)

	def _check_series(self) -> None:
		seen = set()
		for row in self.invoice_series:
			row.series = (row.series or "").strip()
			if row.series in seen:
				frappe.throw(_("Invoice Series, row {0}: {1} is there twice.").format(row.idx, row.series))
			if "#" not in row.series:
				frappe.throw(
					_("Invoice Series, row {0}: {1} has no number. Write it like {2}.").format(
						row.idx, row.series, "TVF-.YYYY.-.######"
					)
				)
			seen.add(row.series)

	def _check_schedule(self) -> None:
		before = {
			(row.company, row.frequency, row.days, row.hour): row.since
			for row in (self.get_doc_before_save() or frappe._dict(bill_schedule=[])).bill_schedule
		}
		seen = set()
		for row in self.bill_schedule:
			if not 0 <= cint(row.hour) <= 23:
				frappe.throw(_("Scheduled Bill Runs, row {0}: the hour is between 0 and 23.").format(row.idx))
			try:
				schedule_of(row)
			except ValueError:
				frappe.throw(
					_("Scheduled Bill Runs, row {0}: write days of the month like {1}.").format(
						row.idx, "1, 15"
					)
				)
			if row.company in seen:
				frappe.throw(
					_("Scheduled Bill Runs, row {0}: this company has a row already.").format(row.idx)
				)
			seen.add(row.company)
			# A schedule made today starts no run for a day that lies behind it.
			row.since = before.get((row.company, row.frequency, row.days, row.hour)) or now_datetime()

	def _check_warehouses(self) -> None:
		seen = set()
		for row in self.service_warehouses:
			company = frappe.get_cached_value("Warehouse", row.warehouse, "company")
			if company != row.company:
				frappe.throw(
					_("In-service Warehouses, row {0}: {1} belongs to {2}.").format(
						row.idx, frappe.bold(row.warehouse), frappe.bold(company)
					)
				)
			key = (row.company, row.territory or "")
			if key in seen:
				frappe.throw(
					_("In-service Warehouses, row {0}: this company and sector have a row already.").format(
						row.idx
					)
				)
			seen.add(key)

	def _note_everything(self) -> None:
		"""Every offer and every bound subscription: nothing was noted while the phase was off."""
		note_changes("Offer", frappe.get_all("TV Offer Version", {"docstatus": 1}, pluck="name"))
		note_all_bound()
