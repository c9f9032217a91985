"""What each CSV kind holds, one frozen dataclass a kind: the columns are its fields, read by `parse`.

Dates are days in the time zone of the site they concern; prices are net of VAT in the row's currency. `line` is the
line of the file, header = 1. A column with a default may stay empty; a tuple is written `A|B|C`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from subscriber_tv.core.catalogue.charge import MODELS_OF, RECURRING
from subscriber_tv.core.contracts.states import CREATE, EVENTS
from subscriber_tv.core.pricing.kinds import KINDS as PRICE_KINDS
from subscriber_tv.core.pricing.offered import CONTRACT, GROUP, LINE, PAYER, PER_UNIT

PRICE_MODELS = tuple(kind.shown for kind in PRICE_KINDS)
CODE = r"[A-Z0-9][A-Z0-9_.-]{0,39}"
SERIAL = r"[A-Z0-9-]{6,32}"
KEY = r"[A-Za-z0-9_-]{43}"
TIME_ZONE = r"[A-Za-z_]+(/[A-Za-z_+-]+){0,2}"
TIER = r"(\d{1,9}|\*) *: *(free|\d{1,12}([.,]\d{1,6})?( *\+ *\d{1,12}([.,]\d{1,6})?)?)"
"""Last unit, or * for the last tier; then the price of each unit and, after +, what entering the tier costs once."""


NOT_BELOW_ZERO = {"minimum": 0}


def _like(pattern: str):
	return field(metadata={"pattern": pattern})


def _one_of(*choices: str, default: str | None = None):
	if default is None:
		return field(metadata={"choices": choices})
	return field(default=default, metadata={"choices": choices})


@dataclass(frozen=True, kw_only=True)
class ChannelRow:
	"""A channel; the number is its place on the remote control (LCN)."""

	line: int
	channel_code: str = _like(CODE)
	channel_name: str
	number: int = 0
	genre: str = _one_of(
		"General",
		"Cinema",
		"Series",
		"Sport",
		"News",
		"Youth",
		"Music",
		"Documentary",
		"Local",
		"Adult",
		default="General",
	)
	definition: str = _one_of("SD", "HD", "UHD", default="HD")
	language: str = ""
	entitlement_code: str = ""


@dataclass(frozen=True, kw_only=True)
class BouquetRow:
	"""A pack of channels."""

	line: int
	bouquet_code: str = _like(CODE)
	bouquet_name: str
	entitlement_code: str = ""
	channels: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class OfferRow:
	"""One charge of one offer version; rows with the same offer and version make that version.

	A unit price of 0 means free, an empty one that the price stands in the columns of its price model. Tiers are written
	`50:6.50|200:5.80|*:5.00`, see TIER.
	"""

	line: int
	offer_code: str = _like(CODE)
	offer_name: str
	segments: tuple[str, ...] = ()
	play_hours: int = 24
	version: int = 1
	valid_from: date
	valid_upto: date | None = None
	currency: str = field(metadata={"pattern": "[A-Z]{3}"}, default="EUR")
	bouquets: tuple[str, ...]
	charge_code: str = _like(r"[A-Z0-9][A-Z0-9_-]{0,19}")
	charge_kind: str = _one_of(*MODELS_OF, default=RECURRING)
	item: str
	price_model: str = _one_of(*PRICE_MODELS, default=PER_UNIT)
	unit_price: Decimal | None = field(default=None, metadata=NOT_BELOW_ZERO)
	tiers: tuple[str, ...] = field(default=(), metadata={"parts": (TIER, "tier")})
	block_size: int | None = field(default=None, metadata=NOT_BELOW_ZERO)
	free_units: int | None = field(default=None, metadata=NOT_BELOW_ZERO)
	allowance: Decimal | None = field(default=None, metadata=NOT_BELOW_ZERO)
	percent: Decimal | None = field(default=None, metadata=NOT_BELOW_ZERO)
	of_charges: tuple[str, ...] = ()
	minimum: Decimal | None = field(default=None, metadata=NOT_BELOW_ZERO)
	maximum: Decimal | None = field(default=None, metadata=NOT_BELOW_ZERO)
	interval_months: int = 1
	timing: str = _one_of("Advance", "Arrears", default="Advance")
	proration: str = _one_of("Actual Days", "None", default="Actual Days")
	counts_over: str = _one_of(LINE, CONTRACT, PAYER, GROUP, default=LINE)
	description: str = ""


@dataclass(frozen=True, kw_only=True)
class ModelRow:
	"""A model of TV set, set-top box or smartcard, and its stock item; a sold model needs a selling price."""

	line: int
	model_code: str = _like(CODE)
	model_name: str
	manufacturer: str = ""
	item_code: str = _like(CODE)
	device_type: str = _one_of("TV Set", "Set-top Box", "Smartcard", default="TV Set")
	stock_policy: str = _one_of("Rented", "Sold", default="Rented")
	warranty_months: int = 24
	selling_price: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class CustomerRow:
	"""A customer; its segment is a Customer Group, its sector a Territory."""

	line: int
	customer_name: str
	customer_type: str = _one_of("Company", "Individual", default="Company")
	segment: str
	sector: str


@dataclass(frozen=True, kw_only=True)
class SiteRow:
	"""A place served, with its outlets (rooms, beds, cells)."""

	line: int
	site_name: str
	customer: str
	outlet_type: str = _one_of("Room", "Bed", "Cell", "Home", "Other", default="Room")
	outlets_installed: int = 0
	outlets_potential: int = 0
	address: str
	postcode: str = _like(r"[0-9A-Z -]{3,10}")
	city: str
	country: str = "France"
	time_zone: str = field(metadata={"pattern": TIME_ZONE}, default="Europe/Paris")


@dataclass(frozen=True, kw_only=True)
class ReceiptRow:
	"""One TV received from its supplier; rows alike but for the serial make one Purchase Receipt."""

	line: int
	serial: str = _like(SERIAL)
	model: str
	warehouse: str
	supplier: str
	received_on: date
	unit_cost: Decimal


@dataclass(frozen=True, kw_only=True)
class SubscriptionRow:
	"""One line of a subscription; rows with the same reference make one subscription."""

	line: int
	reference: str = _like(CODE)
	customer: str
	site: str
	payer: str = ""
	start_on: date
	anchor_day: int = 0
	billed_through: date | None = None
	offer_code: str
	version: int = 1
	quantity: int = field(metadata={"minimum": 1}, default=1)


@dataclass(frozen=True, kw_only=True)
class ChangeRow:
	"""One dated change of a subscription, in the order it happened. The day belongs to the new state."""

	line: int
	subscription: str
	event: str = _one_of(*(event for event in EVENTS if event != CREATE))
	effective_date: date
	end_date: date | None = None
	reason: str = ""


@dataclass(frozen=True, kw_only=True)
class DeliveryRow:
	"""One TV brought to a subscriber's site."""

	line: int
	serial: str = _like(SERIAL)
	subscription: str
	delivered_on: date


@dataclass(frozen=True, kw_only=True)
class BindingRow:
	"""One delivered TV paired with a line (1 = the first) of a subscription.

	`key` is the fingerprint of the TV's credential, base64url(SHA-256(credential)); the credential stays in the TV.
	"""

	line: int
	serial: str = _like(SERIAL)
	subscription: str
	subscription_line: int = field(metadata={"minimum": 1}, default=1)
	key: str = _like(KEY)


@dataclass(frozen=True)
class Kind:
	"""One sort of CSV file: its row type and the columns that no two rows may share.

	Rows alike in the `document` columns make one document, which is loaded whole or not at all.
	"""

	name: str
	row: type
	key: tuple[str, ...]
	document: tuple[str, ...] = ()


KINDS: Mapping[str, Kind] = {
	kind.name: kind
	for kind in (
		Kind("channels", ChannelRow, ("channel_code",)),
		Kind("bouquets", BouquetRow, ("bouquet_code",)),
		Kind("offers", OfferRow, ("offer_code", "version", "charge_code"), ("offer_code", "version")),
		Kind("models", ModelRow, ("model_code",)),
		Kind("customers", CustomerRow, ("customer_name",)),
		Kind("sites", SiteRow, ("customer", "site_name")),
		Kind("receipts", ReceiptRow, ("serial",)),
		Kind("subscriptions", SubscriptionRow, ("reference", "offer_code", "version"), ("reference",)),
		Kind("changes", ChangeRow, ()),
		Kind("deliveries", DeliveryRow, ("serial",)),
		Kind("bindings", BindingRow, ("serial",)),
	)
}
"""In the order in which an operator loads them: each refers to those before it."""
