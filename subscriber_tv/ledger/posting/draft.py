"""What the draft would be if it had been saved and read back: the old side of the version that Frappe keeps."""

import datetime

import frappe
from frappe.model import float_like_fields
from frappe.utils import getdate

DECIMALS = 9  # of a Float or Currency column


class Draft(frappe._dict):
	"""A row as the database gives it back, with what the comparison of versions asks of a document."""

	def get_formatted(self, fieldname: str) -> str:
		"""The value as Frappe shows it."""
		doc = frappe.get_doc(dict(self.plain, doctype=self.doctype))
		return doc.get_formatted(fieldname)


def draft_of(doc) -> Draft:
	"""The draft of a document that is validated but not written, its tables included."""
	draft = _read_back(doc)
	for field in doc.meta.get_table_fields():
		draft[field.fieldname] = [_read_back(row) for row in doc.get(field.fieldname) or ()]
	return draft


def _read_back(doc) -> Draft:
	values = doc.get_valid_dict(convert_dates_to_str=False, ignore_virtual=True)
	for field in doc.meta.fields:
		name = field.fieldname
		if (value := values.get(name)) is None:
			continue
		if field.fieldtype in float_like_fields:
			values[name] = round(value, DECIMALS)
		elif field.fieldtype == "Date" and not isinstance(value, datetime.date):
			values[name] = getdate(value)
	return Draft(values, doctype=doc.doctype, plain=values)
