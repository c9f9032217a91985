"""Two things Frappe works out anew each time although nothing about them changes while an invoice is posted."""

import contextlib
from collections.abc import Iterator

import frappe

FIELDS_ASKED = (
	"Sales Invoice",
	"Sales Invoice Item",
	"Sales Taxes and Charges",
	"Payment Schedule",
	"GL Entry",
	"Payment Ledger Entry",
	"Version",
)


@contextlib.contextmanager
def shortcuts() -> Iterator[None]:
	"""Keep compiled address templates, and the fields of a DocType by property, for this request or job."""
	metas = [frappe.get_meta(doctype) for doctype in FIELDS_ASKED]
	for meta in metas:
		# Objects of this request alone (frappe.local), never shared between threads.
		meta.__dict__["get"] = _FieldsByProperty(meta)
	_keep_templates()
	try:
		yield
	finally:
		for meta in metas:
			meta.__dict__.pop("get", None)


class _FieldsByProperty:
	"""`Meta.get`, which filters all fields of a DocType by their properties each time it is asked."""

	def __init__(self, meta) -> None:
		self._get = type(meta).get.__get__(meta)
		self._kept = kept("tv_fields").setdefault(meta.name, {})

	def __call__(self, key, filters=None, *args, **kwargs):
		if key != "fields" or not isinstance(filters, dict):
			return self._get(key, filters, *args, **kwargs)
		question = repr(filters)
		if question not in self._kept:
			self._kept[question] = self._get(key, filters, *args, **kwargs)
		return list(self._kept[question])


def _keep_templates() -> None:
	environment = frappe.get_jenv()
	if "from_string" in environment.__dict__:
		return
	compile_template, templates = environment.from_string, kept("tv_templates")

	def from_string(source, *args, **kwargs):
		if args or kwargs or not isinstance(source, str):
			return compile_template(source, *args, **kwargs)
		if source not in templates:
			templates[source] = compile_template(source)
		return templates[source]

	environment.from_string = from_string


def kept(name: str) -> dict:
	"""What is kept under this name for this request or job."""
	if not hasattr(frappe.local, name):
		setattr(frappe.local, name, {})
	return getattr(frappe.local, name)
