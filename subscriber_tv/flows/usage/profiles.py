"""A TV Import Profile as the core reads it."""

import frappe
from frappe import _

from subscriber_tv.core.money import money
from subscriber_tv.core.usage.problem import FIELD_LABELS
from subscriber_tv.core.usage.profile import (
	DELIMITERS,
	ENCODINGS,
	JSON_LINES,
	XLSX,
	Column,
	Fault,
	Profile,
	faults_of,
)

FIELD_OF = {label: field for field, label in FIELD_LABELS.items()}


def load(name: str) -> Profile:
	"""The profile of this name. DoesNotExistError."""
	return profile_of(frappe.get_cached_doc("TV Import Profile", name))


def profile_of(doc) -> Profile:
	"""A document, saved or not, as plain values; what its format has no use for is left at the default."""
	is_csv = doc.format not in (JSON_LINES, XLSX)
	return Profile(
		source=doc.source or "",
		format=doc.format,
		columns=tuple(
			Column(FIELD_OF.get(row.field, ""), row.column_name or "", row.fixed_value or "")
			for row in doc.columns
		),
		delimiter=DELIMITERS.get(doc.delimiter, ",") if is_csv else ",",
		encoding=ENCODINGS.get(doc.encoding, "utf-8-sig") if doc.format != XLSX else "utf-8-sig",
		decimal="," if doc.decimal_sign == "Comma" else ".",
		header_rows=0 if doc.format == JSON_LINES else doc.header_rows or 0,
		date_format=doc.date_format,
		time_zone=doc.time_zone or "",
		multiply=money(doc.multiply_by),
		divide=money(doc.divide_by),
		sheet=doc.sheet or "",
	)


def faults(doc) -> list[str]:
	"""What keeps the profile from reading anything, as sentences; empty when all is well."""
	return [_worded(fault) for fault in faults_of(profile_of(doc))]


def _worded(fault: Fault) -> str:
	sentences = {
		"field_twice": _("Field {0} has a column already. Only key and time may stand in several."),
		"field_empty": _("Field {0} has neither a column nor a fixed value."),
		"both": _("Field {0} has a column and a fixed value. Keep one of the two."),
		"fixed_key": _("The key cannot be fixed: it tells one record from the other."),
		"column_number": _("Without headings a column is named by its number, {0} is none."),
		"no_key": _("No column holds the key that tells one record from the other."),
		"no_charge": _("Neither a column nor a fixed value holds the charge code."),
		"no_quantity": _("Neither a column nor a fixed value holds the quantity."),
		"no_subject": _("No column holds the serial number of the TV or the subscription."),
		"no_time": _("No column holds the time or the day."),
		"conversion": _("Quantities are multiplied and divided by numbers above zero."),
		"header_rows": _("There can be 0 to 100 heading rows, not {0}."),
		"date_format": _(
			"The date format {0} tells no day. Use ISO 8601, Epoch seconds, Epoch milliseconds, or YYYY, MM and DD in your order."
		),
		"time_zone": _("{0} is not a time zone. Use an IANA name such as Europe/Paris."),
		"encoding": _("{0} is no encoding."),
	}
	label = FIELD_LABELS.get(fault.value)
	said = sentences[fault.code].format(_(label) if label else fault.value)
	return _("Columns, row {0}: {1}").format(fault.row, said) if fault.row else said
