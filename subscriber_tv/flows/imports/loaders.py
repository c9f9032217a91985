"""Which function loads which kind, and which rows it takes together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from subscriber_tv.flows.imports import (
	load_catalogue,
	load_contracts,
	load_customers,
	load_equipment,
	load_offers,
)


@dataclass(frozen=True)
class Loader:
	"""`load(rows)` makes one document of rows that are alike in `together` (none: each row is one document).

	It returns whether anything changed, and raises ValidationError saying what is wrong with these rows.
	"""

	load: Callable[[list], bool]
	together: tuple[str, ...] = ()


LOADERS: Mapping[str, Loader] = {
	"channels": Loader(load_catalogue.load_channel),
	"bouquets": Loader(load_catalogue.load_bouquet),
	"offers": Loader(load_offers.load_offer_version, ("offer_code", "version")),
	"models": Loader(load_equipment.load_model),
	"customers": Loader(load_customers.load_customer),
	"sites": Loader(load_customers.load_site),
	"receipts": Loader(load_equipment.load_receipt, ("model", "warehouse", "supplier", "received_on")),
	"subscriptions": Loader(load_contracts.load_subscription, ("reference",)),
	"changes": Loader(load_contracts.load_change),
	"deliveries": Loader(load_equipment.load_delivery, ("subscription", "delivered_on")),
	"bindings": Loader(load_contracts.load_binding),
}
