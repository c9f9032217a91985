"""What the app adds to ERPNext: the one dict that install, migrate and uninstall read.

Labels are marked with an identity `_` so that the translation test finds them; Frappe translates them when it
shows the form.
"""

from subscriber_tv.setup.quotation_fields import QUOTATION_FIELDS


def _(text: str) -> str:
	return text


_ROW = {"read_only": 1, "no_copy": 1, "print_hide": 1, "module": "Subscriber TV"}
"""Fields of an invoice row are written by a bill only; a copied invoice must not look like a bill (`no_copy`)."""

CUSTOM_FIELDS: dict = {
	"Sales Invoice Item": [
		{
			"fieldname": "tv_section",
			"label": _("TV Subscription"),
			"fieldtype": "Section Break",
			"insert_after": "pos_invoice_item",
			"collapsible": 1,
			"depends_on": "eval:doc.tv_line",
			"module": "Subscriber TV",
		},
		{
			"fieldname": "tv_subscription",
			"label": _("TV Subscription"),
			"fieldtype": "Link",
			"options": "TV Subscription",
			"insert_after": "tv_section",
			"search_index": 1,
			**_ROW,
		},
		{
			"fieldname": "tv_line",
			"label": _("TV Line"),
			"fieldtype": "Data",
			"insert_after": "tv_subscription",
			"description": _("Subscription, line and charge that this row bills"),
			"search_index": 1,
			**_ROW,
		},
		{
			"fieldname": "tv_kind",
			"label": _("TV Row Kind"),
			"fieldtype": "Data",
			"insert_after": "tv_line",
			**_ROW,
		},
		{
			"fieldname": "tv_column",
			"fieldtype": "Column Break",
			"insert_after": "tv_kind",
			"module": "Subscriber TV",
		},
		{
			"fieldname": "tv_from",
			"label": _("TV Period From"),
			"fieldtype": "Date",
			"insert_after": "tv_column",
			**_ROW,
		},
		{
			"fieldname": "tv_to",
			"label": _("TV Period To (excluded)"),
			"fieldtype": "Date",
			"insert_after": "tv_from",
			**_ROW,
		},
		{
			"fieldname": "tv_revision",
			"label": _("TV Revision"),
			"fieldtype": "Int",
			"insert_after": "tv_to",
			**_ROW,
		},
		{
			"fieldname": "tv_corrects",
			"label": _("TV Corrects Row"),
			"fieldtype": "Data",
			"insert_after": "tv_revision",
			"description": _("Invoice row that this correction credits"),
			**_ROW,
		},
		{
			"fieldname": "tv_facts",
			"label": _("TV Billing Facts"),
			"fieldtype": "Long Text",
			"insert_after": "tv_corrects",
			**_ROW,
			"hidden": 1,
		},
	],
	"Sales Invoice": [
		{
			"fieldname": "tv_bill_run",
			"label": _("TV Bill Run"),
			"fieldtype": "Link",
			"options": "TV Bill Run",
			"insert_after": "is_debit_note",
			"search_index": 1,
			**_ROW,
		},
		{
			"fieldname": "tv_dispute",
			"label": _("TV Dispute"),
			"fieldtype": "Link",
			"options": "TV Dispute",
			"insert_after": "tv_bill_run",
			"search_index": 1,
			**_ROW,
		},
		{
			"fieldname": "tv_mode_of_payment",
			"label": _("Agreed Mode of Payment"),
			"fieldtype": "Link",
			"options": "Mode of Payment",
			"insert_after": "payment_terms_template",
			"module": "Subscriber TV",
		},
	],
	"Customer": [
		{
			"fieldname": "tv_invoicing",
			"label": _("TV Invoices"),
			"fieldtype": "Select",
			"options": "\n".join(
				("", _("One Invoice for All"), _("One per Subscription"), _("One per Site"))
			),
			"insert_after": "payment_terms",
			"description": _(
				"How the subscriptions this customer pays for are put on invoices; empty: one for all"
			),
			"module": "Subscriber TV",
		},
		{
			"fieldname": "tv_parent",
			"label": _("Parent Customer"),
			"fieldtype": "Link",
			"options": "Customer",
			"insert_after": "customer_group",
			"description": _(
				"The customer above this one. All below the same one are a group: prices may count the TVs of the whole group"
			),
			"search_index": 1,
			"module": "Subscriber TV",
		},
	],
	"Quotation": QUOTATION_FIELDS,
	"Quotation Item": [
		{
			"fieldname": "tv_line",
			"label": _("TV Line"),
			"fieldtype": "Data",
			"insert_after": "description",
			"read_only": 1,
			"hidden": 1,
			"print_hide": 1,
			# A copied quotation computes its rows anew: it must know them as computed ones.
			"no_copy": 0,
			"module": "Subscriber TV",
		},
	],
	("Stock Entry", "Delivery Note"): [
		{
			"fieldname": "tv_subscription",
			"label": _("TV Subscription"),
			"fieldtype": "Link",
			"options": "TV Subscription",
			"insert_after": "company",
			"description": _("The subscription whose site receives these TVs"),
			"no_copy": 1,
			"search_index": 1,
			"module": "Subscriber TV",
		},
	],
}

DIMENSIONS: tuple[str, ...] = ("TV Offer", "Customer Group", "Territory")
"""Accounting dimensions: income by offer, segment (Customer Group) and sector (Territory)."""


def doctypes_with_fields() -> dict[str, list[dict]]:
	"""The custom fields by single DocType name, tuple keys resolved."""
	flat: dict[str, list[dict]] = {}
	for key, fields in CUSTOM_FIELDS.items():
		for doctype in (key,) if isinstance(key, str) else key:
			flat.setdefault(doctype, []).extend(fields)
	return flat
