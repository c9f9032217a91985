"""Makes the base that is billed: customers in pairs of twins, alike but for who bills them.

One twin has a TV Subscription, the other a standard Subscription with the same items, prices, taxes, payment terms,
deferred revenue and dimensions. A few prototypes are made as staff would make them; the others are copies of their
records under other names, written in bulk.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

import frappe
from frappe.utils import add_days, getdate

from subscriber_tv.flows.billing import watch
from subscriber_tv.flows.billing.seen import seen
from subscriber_tv.setup.operator import PAYMENT_TERMS
from subscriber_tv.setup.taxes import tax_master
from subscriber_tv.tests import factories

COMPANY = factories.COMPANY
START = "2024-01-01"  # first day of service; the rounds bill month after month from here
CHUNK = 1000

SERVICE, OPTION, RENTAL = "TV-SUBSCRIPTION", "TV-OPTION", "TV-RENTAL"


@dataclass(frozen=True)
class Kind:
	"""A kind of customer: segment, outlets, and (item, price of an outlet and month) of each invoice row."""

	name: str
	segment: str
	outlets: int
	rows: tuple[tuple[str, str], ...]

	@property
	def total(self) -> Decimal:
		"""What an invoice of one month comes to, VAT included: 10 % on the service, 20 % on the rest."""
		net = {SERVICE: Decimal(0), "": Decimal(0)}
		for item, price in self.rows:
			net[item if item == SERVICE else ""] += self.outlets * Decimal(price)
		vat = [
			(amount * rate).quantize(Decimal("0.01"), ROUND_HALF_UP)
			for amount, rate in ((net[SERVICE], Decimal("0.1")), (net[""], Decimal("0.2")))
		]
		return sum(net.values()) + sum(vat)


KINDS = (
	Kind("HOME", "Home", 1, ((SERVICE, "29.90"),)),
	Kind("HOTEL", "Hotel", 42, ((SERVICE, "7.45"), (RENTAL, "3.19"))),
	Kind("CLINIC", "Clinic", 18, ((SERVICE, "8.33"), (OPTION, "2.17"))),
	Kind("PRISON", "Prison", 120, ((SERVICE, "5.05"), (OPTION, "1.99"), (RENTAL, "2.50"))),
)
"""2 rows an invoice on average, at 10 and 20 %, all of them deferred revenue."""

TV, STANDARD = "TV", "STD"
SIDES = (TV, STANDARD)

COPIED = {
	"Customer": ("name", "customer"),
	"Address": ("address_title", "customer"),
	"Dynamic Link": ("link_name", "customer"),
	"TV Site": ("customer", "customer"),
	"TV Subscription": ("payer", "customer"),
	"TV Subscription Line": ("parent", "subscription"),
	"TV Subscription Change": ("subscription", "subscription"),
	"TV Subscription Change Line": ("parent", "change"),
	"Subscription": ("party", "customer"),
	"Subscription Plan Detail": ("parent", "subscription"),
}
"""DocType -> the field by which a prototype's rows are found, and which of its names it holds."""

POSTED = {
	"Sales Invoice": ("customer", "customer"),
	"Sales Invoice Item": ("parent", "invoice"),
	"Sales Taxes and Charges": ("parent", "invoice"),
	"Payment Schedule": ("parent", "invoice"),
	"GL Entry": ("voucher_no", "invoice"),
	"Payment Ledger Entry": ("voucher_no", "invoice"),
	"TV Billed Period": ("invoice", "invoice"),
}


def make(customers: int) -> None:
	"""Bring each side up to so many customers; those that are there stay."""
	factories.make_operator(COMPANY)
	_make_series(4)
	for side in SIDES:
		for number, kind in enumerate(KINDS):
			if not frappe.db.exists("Customer", customer(side, number)):
				_make_prototype(side, kind, customer(side, number))
		frappe.db.commit()
		there = frappe.db.count("Customer", {"name": ("like", f"Bench {side} %")})
		_copy(side, COPIED, range(there, customers))


def post_copies(month: int, customers: range) -> None:
	"""Give customers the invoices that their prototypes have for a month, so that the ledger is as large as it would be.

	The prototypes must be billed for that month. The standard Subscriptions of those customers move on to the next.
	"""
	for side in SIDES:
		_copy(side, POSTED, customers, day=first_day(month))
	names = [customer(STANDARD, number) for number in customers]
	for start in range(0, len(names), CHUNK):
		period = {"current_invoice_start": first_day(month + 1), "current_invoice_end": last_day(month + 1)}
		frappe.db.set_value("Subscription", {"party": ("in", names[start : start + CHUNK])}, period)
		frappe.db.commit()


def copy_watches(looked: list[str], others: list[str]) -> None:
	"""Leave for `others` what a look at them would: the day of those `looked` at, and what they themselves look like."""
	until = frappe.db.get_value("TV Payer Watch", {"payer": looked[0]}, "quiet_until")
	looks = seen(COMPANY)
	for payer in looked:
		kept = frappe.db.get_value("TV Payer Watch", {"payer": payer}, "seen")
		if kept != looks[payer]:
			raise SystemExit(f"{payer}: a look has left something else")
	for payer in others:
		watch.keep(payer, COMPANY, until, looks[payer])
	frappe.db.commit()


def customer(side: str, number: int) -> str:
	"""The name of one of the twins."""
	return f"Bench {side} {number:06d}"


def _make_series(number: int) -> None:
	settings = frappe.get_doc("TV Settings")
	for letter in "ABCD"[len(settings.invoice_series) - 1 : number - 1]:
		settings.append("invoice_series", {"series": f"FTV{letter}-.YYYY.-.#####"})
	settings.save()


def _make_prototype(side: str, kind: Kind, name: str) -> None:
	factories.make_segment(kind.segment)
	factories.make_customer(name, customer_group=kind.segment, payment_terms=PAYMENT_TERMS)
	_address(name)
	# The offer is the invoice rows' accounting dimension on both sides.
	offer = f"BENCH-{kind.name}"
	version = frappe.db.get_value("TV Offer", offer, "current_version") or factories.make_offer_version(
		offer,
		charges=[factories.charge(item[3:], item=item, unit_price=price) for item, price in kind.rows],
	)
	if side == STANDARD:
		_standard(kind, name)
		return
	site = factories.make_site(name, site_name=f"Site {name}", segment=kind.segment)
	factories.make_subscription(
		"Active",
		customer=name,
		site=site,
		lines=[{"offer_version": version, "quantity": kind.outlets}],
		activated_on=START,
		anchor_day=1,
	)


def _address(customer: str) -> None:
	frappe.get_doc(
		{
			"doctype": "Address",
			"address_title": customer,
			"address_type": "Billing",
			"address_line1": "1 rue de la Paix",
			"pincode": "75002",
			"city": "Paris",
			"country": "France",
			"links": [{"link_doctype": "Customer", "link_name": customer}],
		}
	).insert()


def _standard(kind: Kind, customer: str) -> None:
	"""A standard Subscription whose invoices carry the same rows, tax, terms, deferral and dimensions."""
	territory = frappe.db.get_value("Customer", customer, "territory")
	dimensions = {
		"tv_offer": f"BENCH-{kind.name}",
		"customer_group": kind.segment,
		"territory": territory,
		"cost_center": frappe.get_cached_value("Company", COMPANY, "cost_center"),
	}
	plans = []
	for item, price in kind.rows:
		plan = {
			"doctype": "Subscription Plan",
			"plan_name": f"Bench {kind.name} {item}",
			"item": item,
			"currency": "EUR",
			"price_determination": "Fixed Rate",
			"cost": price,
			"billing_interval": "Month",
			"billing_interval_count": 1,
			**dimensions,
		}
		plans.append({"plan": frappe.get_doc(plan).insert().name, "qty": kind.outlets})
	frappe.get_doc(
		{
			"doctype": "Subscription",
			"party_type": "Customer",
			"party": customer,
			"company": COMPANY,
			"start_date": START,
			"generate_invoice_at": "Beginning of the current subscription period",
			# Without it the second month waits for the first to be paid.
			"generate_new_invoices_past_due_date": 1,
			"submit_invoice": 1,
			"sales_tax_template": tax_master(COMPANY),
			"plans": plans,
		}
	).insert()


def _copy(side: str, tables: dict, numbers: range, day=None) -> None:
	sources = [_rows_of(customer(side, number), tables, day) for number in range(len(KINDS))]
	for start in range(numbers.start, numbers.stop, CHUNK):
		chunk = range(start, min(start + CHUNK, numbers.stop))
		for doctype in tables:
			made = [
				_renamed(row, sources[number % len(KINDS)].names, number)
				for number in chunk
				for row in sources[number % len(KINDS)].rows[doctype]
			]
			if made:
				fields = list(made[0])
				values = [tuple(row[field] for field in fields) for row in made]
				frappe.db.bulk_insert(doctype, fields, values)
		frappe.db.commit()


@dataclass(frozen=True)
class _Source:
	"""A prototype's rows by DocType, and every name in them that a copy must not share."""

	rows: dict[str, list[dict]]
	names: tuple[str, ...]


def _rows_of(prototype: str, tables: dict, day) -> _Source:
	names = {"customer": [prototype], "subscription": [], "change": [], "invoice": []}
	rows: dict[str, list[dict]] = {}
	for doctype, (field, held) in tables.items():
		table = frappe.qb.DocType(doctype)
		query = frappe.qb.from_(table).select("*").where(table[field].isin(names[held] or [""]))
		if doctype == "Sales Invoice":
			query = query.where((table.posting_date == day) & (table.docstatus == 1))
		rows[doctype] = query.run(as_dict=True)
		kind = {"TV Subscription": "subscription", "Subscription": "subscription"}.get(doctype)
		kind = {"TV Subscription Change": "change", "Sales Invoice": "invoice"}.get(doctype, kind)
		if kind:
			names[kind] += [row.name for row in rows[doctype]]
	parents = [row.name for doctype in ("TV Site", "Address") for row in rows.get(doctype, ())]
	found = {*names["customer"], *names["subscription"], *names["invoice"], *parents}
	if day:
		found |= set(frappe.get_all("TV Subscription", {"payer": prototype}, pluck="name"))
		found |= set(frappe.get_all("Subscription", {"party": prototype}, pluck="name"))
	# The longest first: a name may be the beginning of another.
	return _Source(rows, tuple(sorted(found, key=len, reverse=True)))


def _renamed(row: dict, names: tuple[str, ...], number: int) -> dict:
	"""The row with every such name replaced; rows named by a hash get a name of their own."""
	copy = {key: _replaced(value, names, number) for key, value in row.items()}
	if copy["name"] == row["name"]:
		copy["name"] = f"{row['name']}{number:06d}"
	return copy


def _replaced(value, names: tuple[str, ...], number: int):
	if isinstance(value, str):
		for name in names:
			if name in value:
				base = name.rpartition(" ")[0] if name.startswith("Bench ") and name[-6:].isdigit() else name
				copied = f"{base} {number:06d}" if base != name else f"{name}-{number:06d}"
				return value.replace(name, copied)
	return value


def first_day(month: int):
	"""First day of the month with that number, counted from the start of service."""
	return getdate(frappe.utils.add_months(START, month))


def last_day(month: int):
	return add_days(first_day(month + 1), -1)
