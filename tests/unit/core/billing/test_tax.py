"""Tax as a site rounds it, worked out by hand."""

from decimal import Decimal

import pytest

from subscriber_tv.core.billing.tax import (
	BANKERS,
	BANKERS_LEGACY,
	COMMERCIAL,
	TaxedRow,
	TaxRounding,
	round_tax,
	taxed,
	taxes,
)

ON_TOTAL, BY_ROW = TaxRounding(), TaxRounding(by_row=True)


def amounts(rows, rounding):
	return [str(tax) for tax in taxes(rows, rounding)]


def row(net: str, percent: str = "10", document: str = ""):
	return taxed(document, Decimal(net), Decimal(percent))


def test_rounded_by_row_every_half_cent_counts():
	"""10 % of 0.45 is 0.045 each: three rows of 0.05 by row, 0.135 or 0.14 on the total."""
	rows = [row("0.45")] * 3
	assert amounts(rows, BY_ROW) == ["0.05", "0.05", "0.05"]
	assert amounts(rows, ON_TOTAL) == ["0.05", "0.04", "0.05"]


def test_rates_and_documents_are_rounded_apart():
	rows = [row("0.45"), row("0.45", document="other"), row("0.08", "20"), row("0.45")]
	assert amounts(rows, ON_TOTAL) == ["0.05", "0.05", "0.02", "0.04"]


def test_two_rates_on_one_account_are_rounded_together():
	"""0.45 at 10 % and 0.82 at 5.5 %: 0.045 + 0.0451 = 0.0901, rounded once."""
	rows = [
		TaxedRow("", Decimal("0.45"), (("VAT", Decimal(10)),)),
		TaxedRow("", Decimal("0.82"), (("VAT", Decimal("5.5")),)),
	]
	assert amounts(rows, ON_TOTAL) == ["0.05", "0.04"]
	assert amounts(rows, BY_ROW) == ["0.05", "0.05"]


def test_a_split_row_is_taxed_on_each_of_its_accounts():
	rows = [TaxedRow("", Decimal("10.05"), (("A", Decimal(10)), ("B", Decimal(20)), ("C", Decimal(0))))]
	assert amounts(rows, ON_TOTAL) == ["3.02"]  # 1.005 -> 1.01, 2.01, nothing


def test_a_credit_mirrors_its_charge():
	assert amounts([row("-0.45")], ON_TOTAL) == ["-0.05"]
	assert amounts([row("-0.45")], BY_ROW) == ["-0.05"]


@pytest.mark.parametrize(
	("method", "places", "rounded"),
	[
		(COMMERCIAL, 2, {"0.125": "0.13", "0.135": "0.14", "-0.125": "-0.13"}),
		(BANKERS, 2, {"0.125": "0.12", "0.135": "0.14", "-0.125": "-0.12"}),
		(BANKERS_LEGACY, 2, {"0.125": "0.13", "0.135": "0.14", "-0.125": "-0.12"}),
		(COMMERCIAL, 0, {"2.5": "3", "3.5": "4", "-2.5": "-3"}),
		(BANKERS_LEGACY, 0, {"2.5": "2", "3.5": "4", "-2.5": "-2"}),
		(COMMERCIAL, 3, {"0.0125": "0.013", "-0.0125": "-0.013"}),
	],
)
def test_methods_of_rounding(method, places, rounded):
	rounding = TaxRounding(places=places, method=method)
	assert {given: str(round_tax(Decimal(given), rounding)) for given in rounded} == rounded


def test_an_unknown_method_is_refused():
	with pytest.raises(ValueError, match="Swedish"):
		round_tax(Decimal(1), TaxRounding(method="Swedish"))
