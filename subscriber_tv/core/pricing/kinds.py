"""The price models by all their names: in JSON, on the form of an offer, and their field that a form calls the price."""

from dataclasses import dataclass, fields

from subscriber_tv.core.pricing.models import (
	Flat,
	Graduated,
	Package,
	Percentage,
	PercentOf,
	PerUnit,
	Usage,
	Volume,
)


@dataclass(frozen=True)
class Kind:
	"""One price model. `name` is its kind in JSON, `shown` its name on a form, `price` the field of its one price."""

	name: str
	shown: str
	model: type
	price: str | None = None

	@property
	def fields(self) -> tuple[str, ...]:
		"""What it is made of: the fields in JSON are those of the model."""
		return tuple(field.name for field in fields(self.model))


#: In the order in which users are told of them. `Free` is none: any but a percentage may be free.
KINDS = (
	Kind("flat", "Flat", Flat, "amount"),
	Kind("per_unit", "Per Unit", PerUnit, "unit_price"),
	Kind("graduated", "Graduated", Graduated),
	Kind("volume", "Volume", Volume),
	Kind("package", "Package", Package, "block_price"),
	Kind("usage", "Usage", Usage, "fee"),
	Kind("percent_of", "Percent Of", PercentOf),
	Kind("percentage", "Percentage", Percentage),
)
BY_NAME = {kind.name: kind for kind in KINDS}
BY_MODEL = {kind.model: kind for kind in KINDS}
