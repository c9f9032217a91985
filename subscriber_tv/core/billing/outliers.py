"""What somebody should look at before a bill run is let go: outliers among the bills, and the run against the last one.

A bill is looked at for one payer and currency. Its *regular part* is what recurs: recurring charges, usage, minimums.
Only that is compared with the payer's last bill, because a one-off fee or a credit makes every second bill a jump.

| code | what |
|---|---|
| zero | the bill has rows and comes to nothing: charges and credits cancel out |
| credit | the bill comes to less than nothing |
| jump | the regular part is up or down by more than x % against the last bill |
| no_tax | items of the bill have no tax |
| no_address | the payer has no address to stand on the invoice |
| first_bill | subscriptions taken over from another system are billed for the first time |
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from subscriber_tv.core.billing.bill import Bill
from subscriber_tv.core.billing.price import CORRECTION, ONE_OFF
from subscriber_tv.core.money import ZERO, plain, round_money

ZERO_BILL, CREDIT, JUMP = "zero", "credit", "jump"
NO_TAX, NO_ADDRESS, FIRST_BILL = "no_tax", "no_address", "first_bill"
CODES = (FIRST_BILL, NO_TAX, ZERO_BILL, CREDIT, JUMP, NO_ADDRESS)
"""Every code, the gravest first."""

IRREGULAR = (ONE_OFF, CORRECTION)
HUNDRED = Decimal(100)


@dataclass(frozen=True)
class Forecast:
	"""What a payer would be billed in one currency, net of VAT.

	`regular` is the part that recurs, `last` the regular part of his last bill (None: there is none). `untaxed` are
	items of the bill that nothing would tax; `first_bills` subscriptions taken over that were never billed.
	"""

	payer: str
	currency: str
	net: Decimal
	regular: Decimal
	rows: int
	last: Decimal | None = None
	untaxed: tuple[str, ...] = ()
	address: bool = True
	first_bills: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outlier:
	"""One thing to look at; `values` name the records and figures."""

	code: str
	payer: str
	currency: str
	values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Comparison:
	"""A total of this run and of the last one; `percent` is the change, None when there is nothing to compare with."""

	currency: str
	now: Decimal
	last: Decimal
	percent: Decimal | None


def regular_part(bill: Bill) -> Decimal:
	"""The charges of a bill that recur."""
	return sum((charge.amount for charge in bill.charges if charge.claim.kind not in IRREGULAR), ZERO)


def outliers(forecasts: Iterable[Forecast], *, jump_percent: Decimal) -> tuple[Outlier, ...]:
	"""The outliers in the order of the forecasts, the gravest of each first.

	A change by more than `jump_percent` % up or down is a jump; 0 asks for none.
	"""
	return tuple(outlier for forecast in forecasts for outlier in _outliers_of(forecast, jump_percent))


def _outliers_of(forecast: Forecast, jump_percent: Decimal) -> Iterable[Outlier]:
	found = {
		FIRST_BILL: {"subscriptions": ", ".join(forecast.first_bills)} if forecast.first_bills else None,
		NO_TAX: {"items": ", ".join(forecast.untaxed)} if forecast.untaxed else None,
		ZERO_BILL: {"rows": str(forecast.rows)} if forecast.rows and not forecast.net else None,
		CREDIT: {"net": plain(forecast.net)} if forecast.net < 0 else None,
		JUMP: _jump(forecast, jump_percent),
		NO_ADDRESS: None if forecast.address else {},
	}
	for code in CODES:
		if (values := found[code]) is not None:
			yield Outlier(code, forecast.payer, forecast.currency, tuple(values.items()))


def _jump(forecast: Forecast, limit: Decimal) -> dict[str, str] | None:
	"""Bills without a regular part (a fee, a credit) are not compared: they say nothing about what recurs."""
	if not limit or forecast.last is None or not forecast.regular:
		return None
	percent = change(forecast.regular, forecast.last)
	if percent is not None and abs(percent) <= limit:
		return None
	return {
		"now": plain(forecast.regular),
		"last": plain(forecast.last),
		"percent": "" if percent is None else plain(percent),
	}


def change(now: Decimal, last: Decimal) -> Decimal | None:
	"""Percent by which `now` differs from `last`, one decimal; None when `last` is zero and `now` is not."""
	if not last:
		return ZERO if not now else None
	return round_money((now - last) * HUNDRED / abs(last), 1)


def compare(now: Mapping[str, Decimal], last: Mapping[str, Decimal]) -> tuple[Comparison, ...]:
	"""Totals by currency against those of the last run, sorted by currency."""
	return tuple(
		Comparison(currency, ours, theirs, change(ours, theirs))
		for currency in sorted({*now, *last})
		for ours, theirs in [(now.get(currency, ZERO), last.get(currency, ZERO))]
	)


def movement(forecast: Forecast) -> str:
	"""How a bill stands to the payer's last one: new, up, down, same, or other when it has no regular part."""
	if not forecast.regular:
		return "other"
	if forecast.last is None:
		return "new"
	if forecast.regular == forecast.last:
		return "same"
	return "up" if forecast.regular > forecast.last else "down"
