"""A sheet of prices: what it answers, and that every slip is named by its JSON path."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from subscriber_tv.core.json_values import BadValue, parse
from subscriber_tv.core.pricing.kinds import BY_NAME
from subscriber_tv.core.pricing.sheet import price_sheet

ROOT = Path(__file__).resolve().parents[4]
FOLDER = ROOT / "fixtures" / "billing" / "prices"
EXAMPLES = sorted(path for path in FOLDER.glob("*.json") if not path.stem.endswith(".answer"))
TIERED = {"kind": "graduated", "tiers": [{"up_to": "10", "unit_price": "5"}, {"up_to": None, "flat_fee": 3}]}


def sheet(model, quantities, currency="EUR"):
	return price_sheet({"currency": currency, "model": model, "quantities": quantities})


def test_the_amount_is_rounded_and_the_exact_one_beside_it():
	answer = sheet({"kind": "per_unit", "unit_price": "7.4193"}, ["100", Decimal("0.5"), 1])
	assert [(row["quantity"], row["amount"], row["exact"]) for row in answer["prices"]] == [
		("100", "741.93", "741.93"),
		("0.5", "3.71", "3.70965"),
		("1", "7.42", "7.4193"),
	]


@pytest.mark.parametrize(("currency", "amount"), [("EUR", "3.71"), ("JPY", "4"), ("TND", "3.710")])
def test_decimals_are_those_of_the_currency(currency, amount):
	assert sheet({"kind": "flat", "amount": "3.70965"}, [1], currency)["prices"][0]["amount"] == amount


def test_large_values_lose_nothing():
	model = {"kind": "per_unit", "unit_price": "999999999999.999999999"}
	(row,) = sheet(model, ["999999999999.999999999"])["prices"]
	assert row["exact"] == "999999999999999999998000.000000000000000001"


@pytest.mark.parametrize(
	("model", "path"),
	[
		([], "$.model"),
		({}, "$.model.kind"),
		({"kind": "cheap"}, "$.model.kind"),
		({"kind": ["flat"]}, "$.model.kind"),
		({"kind": "flat"}, "$.model.amount"),
		({"kind": "flat", "amount": "0"}, "$.model.amount"),
		({"kind": "flat", "amount": "-1"}, "$.model.amount"),
		({"kind": "flat", "amount": "1,5"}, "$.model.amount"),
		({"kind": "flat", "amount": "NaN"}, "$.model.amount"),
		({"kind": "flat", "amount": " 5"}, "$.model.amount"),
		({"kind": "flat", "amount": "5."}, "$.model.amount"),
		({"kind": "flat", "amount": "٥"}, "$.model.amount"),
		({"kind": "flat", "amount": True}, "$.model.amount"),
		({"kind": "flat", "amount": None}, "$.model.amount"),
		({"kind": "flat", "amount": "1e12"}, "$.model.amount"),
		({"kind": "flat", "amount": "1e-99999999"}, "$.model.amount"),
		({"kind": "flat", "amount": "5", "free": True}, "$.model.amount"),
		({"kind": "flat", "amount": "5", "free": "yes"}, "$.model.free"),
		({"kind": "flat", "amount": "5", "unit_price": "5"}, "$.model.unit_price"),
		({"kind": "graduated"}, "$.model.tiers"),
		({"kind": "graduated", "tiers": {}}, "$.model.tiers"),
		({"kind": "graduated", "tiers": []}, "$.model.tiers"),
		({"kind": "graduated", "tiers": [5]}, "$.model.tiers[0]"),
		({"kind": "graduated", "tiers": [{"unit_price": "5"}]}, "$.model.tiers[0].up_to"),
		({"kind": "volume", "tiers": [{"up_to": None}]}, "$.model.tiers[0]"),
		({"kind": "volume", "tiers": [{"up_to": 5, "unit_price": 1}]}, "$.model.tiers[0].up_to"),
		({"kind": "package", "block_price": 9}, "$.model.block_size"),
		({"kind": "package", "block_price": 9, "block_size": 0}, "$.model.block_size"),
		({"kind": "usage", "allowance": 9}, "$.model.overage"),
		({"kind": "percent_of", "percent": 0}, "$.model.percent"),
		({"kind": "percent_of", "percent": 5, "free": True}, "$.model.free"),
		({"kind": "percent_of", "percent": 5, "minimum": 5, "maximum": 4}, "$.model.maximum"),
		({"kind": "percentage", "percent": 5, "free_events": "1.5"}, "$.model.free_events"),
	],
)
def test_a_bad_model_is_named_by_its_path(model, path):
	with pytest.raises(BadValue) as bad:
		sheet(model, [1])
	assert bad.value.path == path


@pytest.mark.parametrize(
	("document", "path"),
	[
		([], "$"),
		({}, "$.currency"),
		({"currency": "EUR", "model": TIERED}, "$.quantities"),
		({"currency": "euro", "model": TIERED, "quantities": [1]}, "$.currency"),
		({"currency": "EUR", "model": TIERED, "quantities": []}, "$.quantities"),
		({"currency": "EUR", "model": TIERED, "quantities": 1}, "$.quantities"),
		({"currency": "EUR", "model": TIERED, "quantities": [1, "-1"]}, "$.quantities[1]"),
		({"currency": "EUR", "model": TIERED, "quantities": [1, [1]]}, "$.quantities[1]"),
		({"currency": "EUR", "model": TIERED, "quantities": [1], "quantity": 1}, "$.quantity"),
		(
			{"currency": "EUR", "model": {"kind": "percent_of", "percent": 5}, "quantities": [[1, -2]]},
			"$.quantities[0]",
		),
		(
			{"currency": "EUR", "model": {"kind": "percentage", "percent": 5}, "quantities": [[1, -2]]},
			"$.quantities[0][1]",
		),
	],
)
def test_a_bad_document_is_named_by_its_path(document, path):
	with pytest.raises(BadValue) as bad:
		price_sheet(document)
	assert bad.value.path == path


@pytest.mark.parametrize(
	"text",
	[
		"",
		"{",
		'{"a": NaN}',
		'{"a": 1, "a": 2}',
		"[" * 100_000,
		"[" + "9" * 5000 + "]",
		"1e99999999999999999999",
	],
)
def test_a_text_that_is_no_json(text):
	with pytest.raises(BadValue) as bad:
		price_sheet(parse(text))
	assert bad.value.path == "$"


def test_there_is_an_example_of_every_kind():
	kinds = {json.loads(path.read_text())["model"]["kind"] for path in EXAMPLES}
	schema = json.loads((ROOT / "docs" / "schemas" / "price.schema.json").read_text())
	described = {model["properties"]["kind"]["const"] for model in schema["$defs"]["model"]["oneOf"]}
	assert kinds == described


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_answers_as_it_says(path):
	answer = json.loads((FOLDER / f"{path.stem}.answer.json").read_text())
	assert price_sheet(parse(path.read_text())) == answer


def test_the_schema_names_the_fields_the_reader_knows():
	schema = json.loads((ROOT / "docs" / "schemas" / "price.schema.json").read_text())
	models = schema["$defs"]["model"]["oneOf"]
	assert [model["properties"]["kind"]["const"] for model in models] == list(BY_NAME)
	for model in models:
		kind = model["properties"]["kind"]["const"]
		assert set(model["properties"]) - {"kind", "free"} == set(BY_NAME[kind].fields), kind
