"""Why an invoice row costs what it costs: the steps from a price to the amount, each a plain value.

	12 outlets at 30.00                          360.00
	a whole period, 1 to 30 November             360.00
	20 days of 30                                240.00      the amount of the row

The steps are worked out anew from the facts kept on the row, by the functions that billed it, so that `computed` can
be held against what was posted. Amounts are Decimal, net of VAT, in the currency of the row.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from subscriber_tv.core.billing.periods import Span, days_in, subtract, union
from subscriber_tv.core.billing.price import BY_TOTAL, ONE_OFF, Price
from subscriber_tv.core.money import ZERO, money, plain, round_money
from subscriber_tv.core.pricing.models import OF_AMOUNTS, PerUnit
from subscriber_tv.core.pricing.price import Priced, part_of, price_of


@dataclass(frozen=True)
class Step:
	"""One line of the calculation: `amount` is what it comes to, or for `discount`, `already` and `earlier` takes off.

	| code | `first` | `second` |
	|---|---|---|
	| units, blocks, fee, free | how many | at which price; `tier` counts from 1, 0 for none |
	| percent | of which amount | the rate |
	| minimum, maximum | 1 | what it adds or takes |
	| share | | | a charge a percentage is taken of: `label` |
	| base | units of the line | units of the base that picks the tier |
	| rated | what was used | | as each record was rated |
	| discount | | | `label`, empty for one without |
	| already | | | billed before for the same days |
	| whole | | days of the period |
	| days | days charged, those charged before included | days of the period |
	| earlier | days charged before | |
	| rounded | | | the one rounding of the row |
	| credited | days given back | days of the period |
	| rest | | | all that was left of the row |
	| capped | | | no more than that was left |
	| given | | | a sum given back that no days decide |
	"""

	code: str
	amount: Decimal
	first: Decimal | None = None
	second: Decimal | None = None
	tier: int = 0
	label: str = ""


@dataclass(frozen=True)
class Explanation:
	"""The steps, and whether they lead to what was posted.

	`computed` is None where the facts on the row do not decide the amount: what usage taken back came to, a sum granted.
	"""

	steps: tuple[Step, ...]
	posted: Decimal
	computed: Decimal | None

	@property
	def agrees(self) -> bool | None:
		"""None when nothing could be worked out."""
		return None if self.computed is None else self.computed == self.posted


@dataclass(frozen=True)
class Billed:
	"""A row of one charge as it stands in the ledger; `corrects` names the row whose days it gives back."""

	name: str
	kind: str
	span: Span
	price: Price
	corrects: str = ""


@dataclass(frozen=True)
class GivenBack:
	"""What a correction gives back: `standing` are the days of its row until then, `left` what was left of it."""

	span: Span
	standing: tuple[Span, ...]
	left: Decimal


def days_before(rows: Sequence[Billed], name: str) -> int:
	"""Days of the same period at the same price that stood when the row `name` was posted.

	`rows` are those of its charge in the order of posting. The parts of a period are rounded together, so an amount
	depends on the days billed before.
	"""
	posted = next(row for row in rows if row.name == name)
	cell = next((row for row in rows if row.name == posted.corrects), posted)
	standing: dict[str, tuple[Span, ...]] = {}
	for row in rows:
		if row.name == name:
			break
		if row.corrects in standing:
			standing[row.corrects] = subtract(standing[row.corrects], [row.span])
		elif not row.corrects and _same_cell(row, cell):
			standing[row.name] = (row.span,)
	return days_in(union(span for spans in standing.values() for span in spans))


def explain_charge(
	price: Price, kind: str, span: Span, *, before: int, posted: Decimal, places: int
) -> Explanation:
	"""Explain a row that charges `span`; `before` as `days_before` counts it."""
	if kind in BY_TOTAL or kind == ONE_OFF:
		before, days = 0, 1
	else:
		days = span.days
	computed = price.value_of(before + days, places) - price.value_of(before, places)
	alone = price.value_of(days, places)
	if computed == alone:
		return Explanation(tuple(_steps(price, span, days, places)), posted, computed)
	steps = [*_steps(price, span, before + days, places)]
	steps.append(Step("earlier", -price.value_of(before, places), Decimal(before)))
	return Explanation((*steps, Step("rounded", computed)), posted, computed)


def explain_credit(
	price: Price, kind: str, given: GivenBack, *, before: int, posted: Decimal, places: int
) -> Explanation:
	"""Explain a correction of a row at `price`; `before` counts the days that stood, its own included.

	A row of which no day stands any longer gives back all that is left of it.
	"""
	if kind in BY_TOTAL:
		return _explain_total(price, given, posted, places)
	if not subtract(given.standing, [given.span]):
		return Explanation((Step("rest", given.left),), posted, given.left)
	days = given.span.days
	value = price.value_of(before, places) - price.value_of(before - days, places)
	steps = [Step("whole", price.full_amount, None, Decimal(price.period.days))]
	steps.append(Step("credited", value, Decimal(days), Decimal(price.period.days)))
	if value > given.left:
		steps.append(Step("capped", given.left))
	return Explanation(tuple(steps), posted, min(value, given.left))


def explain_concession(posted: Decimal) -> Explanation:
	"""Explain what was granted: somebody decided it, and nothing can be worked out."""
	return Explanation((Step("given", posted),), posted, None)


def _same_cell(row: Billed, other: Billed) -> bool:
	"""Whether the days of both rows were rounded together, as the bill compares them."""
	same = (row.kind, row.price.period) == (other.kind, other.price.period)
	return same and plain(row.price.full_amount) == plain(other.price.full_amount)


def _explain_total(price: Price, given: GivenBack, posted: Decimal, places: int) -> Explanation:
	"""Units of a deposit that went are a whole number of them; of usage only the sum is known."""
	if given.left == posted:
		return Explanation((Step("rest", given.left),), posted, given.left)
	pricing = price.pricing
	if isinstance(pricing, PerUnit) and price.rated is None:
		units, cents = divmod(posted, pricing.unit_price)
		if not cents:
			step = Step("units", units * pricing.unit_price, units, pricing.unit_price)
			return Explanation((step,), posted, round_money(step.amount, places))
	return explain_concession(posted)


def _steps(price: Price, span: Span, days: int, places: int) -> Iterator[Step]:
	"""From the price to the value of `days` days."""
	if price.of and price.rated is None:
		yield from _percent_steps(price, days, places)
	else:
		yield from _price_steps(price, span, places)
		yield from _taken_off(price)
		yield from _day_steps(price, days)
	value = price.value_of(days, places)
	yield Step("rounded", value)


def _price_steps(price: Price, span: Span, places: int) -> Iterator[Step]:
	if price.rated is not None:
		yield from _rated_steps(price, span, places)
		return
	if price.why:
		yield from _exit_steps(price, places)
		return
	yield from _parts(price.priced)
	if price.base is not None:
		yield Step("base", price.before_discount, money(price.quantity), price.base)


def _rated_steps(price: Price, span: Span, places: int) -> Iterator[Step]:
	"""The parts of what the sum of the usage costs, where they come to what was billed.

	The parts of a percentage of each of several records are not kept on the row.
	"""
	amounts = [share.full_amount for share in price.of] or [money(price.quantity)]
	whole = price.pricing
	for model in (part_of(whole, span.days, price.period.days), whole):
		rated = price_of(model, amounts if isinstance(model, OF_AMOUNTS) else sum(amounts, ZERO))
		if round_money(rated.amount, places) == price.rated:
			yield from (Step("share", share.full_amount, label=share.line) for share in price.of)
			yield from _parts(rated)
			return
	yield Step("rated", price.rated, money(price.quantity))


def _exit_steps(price: Price, places: int) -> Iterator[Step]:
	"""What a fee for leaving early is made of: parts of the charges that remained, a flat amount, the cap."""
	why = dict(price.why)
	total = ZERO
	for name in ("within", "after"):
		rest, percent = Decimal(why[f"rest_{name}"]), Decimal(why[f"percent_{name}"])
		if rest:
			total += rest * percent / 100
			yield Step("percent", rest * percent / 100, rest, percent / 100)
	if flat := Decimal(why["flat"]):
		total += flat
		yield Step("fee", flat)
	total = round_money(total, places)
	if total > price.unit_price:
		yield Step("maximum", price.unit_price - total, Decimal(1), Decimal(1))


def _percent_steps(price: Price, days: int, places: int) -> Iterator[Step]:
	shares = {share.line: share.value_of(days, price.period, places) for share in price.of}
	model = part_of(price.pricing, days, price.period.days) if price.prorate else price.pricing
	yield from (Step("share", amount, label=line) for line, amount in shares.items())
	yield from _parts(price_of(model, list(shares.values())))
	yield from _taken_off(price)


def _parts(priced: Priced) -> Iterator[Step]:
	for part in priced.parts:
		yield Step(part.what, part.amount, part.quantity, part.unit_price, part.tier)


def _taken_off(price: Price) -> Iterator[Step]:
	"""Discounts by their labels, and what the labels do not tell of."""
	told = ZERO
	for label, amount in price.discounts:
		told += amount
		yield Step("discount", -amount, label=label)
	if price.discount != told:
		yield Step("discount", told - price.discount)
	if price.already:
		yield Step("already", -price.already)


def _day_steps(price: Price, days: int) -> Iterator[Step]:
	whole = price.period.days
	yield Step("whole", price.full_amount, None, Decimal(whole))
	if price.prorate and days != whole:
		yield Step("days", price.full_amount * days / whole, Decimal(days), Decimal(whole))


def snapshot_of(facts: Mapping[str, object], item: str) -> Price | None:
	"""The price kept on a row; None when its facts are damaged."""
	try:
		return Price.from_snapshot(facts, item)
	except (KeyError, TypeError, ValueError, ArithmeticError):
		return None
