"""Money as Decimal: the one place that rounds.

Rule (design, "Conventions of money"): Decimal everywhere in the core, one rounding per row, half-up to the
precision of the currency. Half-up means away from zero, so a credit rounds like the charge it mirrors.
"""

from decimal import ROUND_HALF_UP, Context, Decimal

ZERO = Decimal(0)

#: Digits enough for an exact product of two values of 28 digits, with room for a long sum.
EXACT = Context(prec=80)

#: Currencies whose amounts have other than two decimals (ISO 4217).
PLACES = {
	**dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0),
	**dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
	**dict.fromkeys("CLF UYW".split(), 4),
}


def places_of(currency: str) -> int:
	"""Decimals of an amount in `currency` where no site says otherwise."""
	return PLACES.get(currency, 2)


def money(value: Decimal | int | str | float | None) -> Decimal:
	"""Return `value` as Decimal; None counts as zero.

	A float (what a database driver hands out for a DECIMAL column) goes through its shortest text, so that
	7.4193 stays 7.4193 and does not become 7.41929999999999978.
	"""
	if value is None:
		return ZERO
	if isinstance(value, Decimal):
		return value
	return Decimal(str(value))


def round_money(amount: Decimal, places: int) -> Decimal:
	"""Round half-up (away from zero) to `places` decimals of the currency: 2 for EUR, 0 for JPY, 3 for TND."""
	return amount.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP, context=EXACT)


def plain(amount: Decimal) -> str:
	"""One spelling per value ("10", "10.0" and "1E+1" are all "10"): amounts are compared and stored as this text."""
	if amount == 0:
		return "0"
	text = format(amount, "f")
	return text.rstrip("0").rstrip(".") if "." in text else text
