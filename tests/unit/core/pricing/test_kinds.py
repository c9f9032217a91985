"""The table of price models is whole: whoever lists them lists all."""

import json
from pathlib import Path
from typing import get_args

from subscriber_tv.core.pricing import price, read
from subscriber_tv.core.pricing.kinds import BY_MODEL, KINDS
from subscriber_tv.core.pricing.models import Free, PriceModel

ROOT = Path(__file__).resolve().parents[4]


def test_every_model_has_a_kind_a_reader_and_a_price():
	models = set(get_args(PriceModel))
	assert set(BY_MODEL) == models - {Free}
	assert set(read._READERS) == models - {Free}
	assert set(price._PRICERS) == models


def test_the_form_names_all_of_them():
	form = ROOT / "subscriber_tv/subscriber_tv/doctype/tv_offer_charge_line/tv_offer_charge_line.json"
	fields = {field["fieldname"]: field for field in json.loads(form.read_text())["fields"]}
	assert set(fields["price_model"]["options"].split("\n")) == {kind.shown for kind in KINDS}
