"""`python -m subscriber_tv simulate`: its exit codes, what it refuses and what it may import."""

import io
import json
import os
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import pytest

from subscriber_tv.__main__ import main
from subscriber_tv.core.json_values import BadValue
from subscriber_tv.core.scenario import events, lines, quantities, read
from subscriber_tv.core.scenario.simulate import simulate

ROOT = Path(__file__).resolve().parents[2]
FIRST = ROOT / "fixtures" / "billing" / "scenarios" / "first_stub.json"

SMALL = {
	"currency": "EUR",
	"contracts": [
		{
			"id": "C1",
			"start": "2026-01-01",
			"lines": [
				{"id": "BASE", "price": {"kind": "per_unit", "unit_price": "30.00"}},
				{"id": "SETUP", "kind": "one-off", "price": {"kind": "flat", "amount": "50.00"}},
			],
		}
	],
	"timeline": [{"event": "cancel", "effective": "2026-02-01"}],
	"billed": [
		{"contract": "C1", "line": "BASE", "from": "2026-01-01", "to": "2026-02-01", "amount": "30.00"}
	],
	"invoice_runs": ["2026-01-01"],
}


def changed(path: str, value) -> dict:
	"""A copy with the value at `path` ("contracts.0.start") replaced, or removed when it is None."""
	document = deepcopy(SMALL)
	*way, last = [int(key) if key.isdigit() else key for key in path.split(".")]
	place = document
	for key in way:
		place = place[key]
	if value is None:
		del place[last]
	else:
		place[last] = value
	return document


def test_the_command_reads_a_file(capsys):
	assert main(["simulate", str(FIRST)]) == 0
	assert json.loads(capsys.readouterr().out)["runs"][0]["payable"] == "85.50"


def test_the_command_tells_a_bad_scenario(capsys, monkeypatch):
	monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"currency": "EUR", "contracts": []}')))
	assert main(["simulate", "-"]) == 2
	assert json.loads(capsys.readouterr().out) == {
		"error": {"path": "$.contracts", "message": "at least one is needed"}
	}


def test_simulating_needs_nothing_but_python(tmp_path):
	"""In a process of its own, without installed packages, where the libraries of other commands refuse to load."""
	for name in ("msgspec", "cryptography", "frappe", "erpnext", "requests"):
		(tmp_path / f"{name}.py").write_text("raise ImportError('not for simulating')\n")
	done = subprocess.run(
		[sys.executable, "-S", "-m", "subscriber_tv", "simulate", "-"],
		input=FIRST.read_text(),
		env={"PYTHONPATH": os.pathsep.join((str(tmp_path), str(ROOT))), "PYTHONDONTWRITEBYTECODE": "1"},
		capture_output=True,
		text=True,
		timeout=60,
	)
	assert done.returncode == 0, done.stderr
	assert json.loads(done.stdout) == json.loads(FIRST.with_suffix(".answer.json").read_text())


def test_the_small_scenario_is_right():
	assert simulate(SMALL)["runs"][0]["net"] == "50.00"


@pytest.mark.parametrize(
	("path", "value", "wrong"),
	[
		("currency", None, "$.currency"),
		("currency", "euro", "$.currency"),
		("used", [], "$.used"),
		("invoice_runs", None, "$.invoice_runs"),
		("invoice_runs", ["2026-02-30"], "$.invoice_runs[0]"),
		("invoice_runs", [20260101], "$.invoice_runs[0]"),
		("tax_rounding", "never", "$.tax_rounding"),
		("contracts.0.id", "A/B", "$.contracts[0].id"),
		("contracts.0.start", None, "$.contracts[0].start"),
		("contracts.0.end", "2026-01-01", "$.contracts[0].end"),
		("contracts.0.anchor_day", 32, "$.contracts[0].anchor_day"),
		("contracts.0.interval_months", 61, "$.contracts[0].interval_months"),
		("contracts.0.interval_months", "1.5", "$.contracts[0].interval_months"),
		("contracts.0.billing", "later", "$.contracts[0].billing"),
		("contracts.0.tax_percent", "101", "$.contracts[0].tax_percent"),
		("contracts.0.renewal", "tacit", "$.contracts[0].renewal"),
		("contracts.0.minimum", "10.001", "$.contracts[0].minimum"),
		("contracts.0.discounts", [{"percent": 5, "amount": 1}], "$.contracts[0].discounts[0]"),
		(
			"contracts.0.discounts",
			[{"percent": 5, "once": True, "periods": 2}],
			"$.contracts[0].discounts[0]",
		),
		("contracts.0.lines", [], "$.contracts[0].lines"),
		("contracts.0.lines.1.id", "BASE", "$.contracts[0].lines[1].id"),
		("contracts.0.lines.1.discounts", [], "$.contracts[0].lines[1].discounts"),
		("contracts.0.lines.0.quantity", -1, "$.contracts[0].lines[0].quantity"),
		("contracts.0.lines.0.price", {"kind": "per_unit"}, "$.contracts[0].lines[0].price.unit_price"),
		(
			"contracts.0.lines.0.price",
			{"kind": "percentage", "percent": 5},
			"$.contracts[0].lines[0].price.kind",
		),
		(
			"contracts.0.lines.0.price",
			{"kind": "percent_of", "percent": 5},
			"$.contracts[0].lines[0].of",
		),
		("timeline.0.event", "explode", "$.timeline[0].event"),
		("timeline.0.contract", "C2", "$.timeline[0].contract"),
		("timeline.0.effective", None, "$.timeline[0].effective"),
		("timeline.0.effective", "term_end", "$.timeline[0].effective"),
		("timeline.0.quantity", 3, "$.timeline[0].quantity"),
		("timeline.0.line", "SETUP", "$.timeline[0].line"),
		("timeline.0", {"event": "change_quantity", "effective": "2026-02-01"}, "$.timeline[0].line"),
		("timeline.0", {"event": "pause", "line": "BASE", "effective": "2026-02-01"}, "$.timeline[0].line"),
		("billed.0.line", "SPORT", "$.billed[0].line"),
		("billed.0.from", "2025-12-01", "$.billed[0].from"),
		("billed.0.to", "2026-02-02", "$.billed[0].to"),
	],
)
def test_a_bad_value_is_told_with_its_path(path, value, wrong):
	document = SMALL | {path: value} if path == "used" else changed(path, value)
	with pytest.raises(BadValue) as bad:
		simulate(document)
	assert bad.value.path == wrong
	assert bad.value.reason


#: A contract with a line of each kind.
KINDS = {
	"currency": "EUR",
	"contracts": [
		{
			"id": "C1",
			"start": "2026-01-01",
			"lines": [
				{"id": "BASE", "price": {"kind": "per_unit", "unit_price": "30.00"}},
				{"id": "FILMS", "kind": "usage", "price": {"kind": "per_unit", "unit_price": "4.00"}},
				{"id": "BOX", "kind": "deposit", "price": {"kind": "per_unit", "unit_price": "40.00"}},
				{"id": "FEE", "price": {"kind": "percent_of", "percent": "5"}, "of": ["BASE", "FILMS"]},
				{"id": "SHARE", "kind": "usage", "price": {"kind": "percentage", "percent": "5"}},
			],
		}
	],
	"usage": [{"line": "FILMS", "day": "2026-01-05", "quantity": "-2.5"}],
	"group_base": [{"counts": "BASE", "from": "2026-01-05", "quantity": 5}],
	"invoice_runs": ["2026-01-01"],
}
LINE = "contracts.0.lines"


@pytest.mark.parametrize(
	("path", "value", "wrong"),
	[
		("usage.0.line", "BASE", "line"),
		("usage.0.line", "", "line"),
		("usage.0.contract", "C2", "contract"),
		("usage.0.day", "2026-02-30", "day"),
		("usage.0.quantity", "two", "quantity"),
		("usage.0", {"line": "SHARE", "day": "2026-01-05", "quantity": "-1"}, "quantity"),
		("usage.0.unit", "hours", "unit"),
		("group_base.0.counts", "a/b", "counts"),
		("group_base.0.quantity", -1, "quantity"),
		("group_base.0.day", "2026-01-01", "day"),
		(f"{LINE}.1.quantity", 2, "quantity"),
		(f"{LINE}.1.billing", "advance", "billing"),
		(f"{LINE}.1.price", {"kind": "flat", "amount": "5"}, "price.kind"),
		(f"{LINE}.2.price", {"kind": "flat", "amount": "5"}, "price.kind"),
		(f"{LINE}.2.minimum", "5", "minimum"),
		(f"{LINE}.0.of", ["FILMS"], "of"),
		(f"{LINE}.0.counts_over", "payer", "counts_over"),
		(f"{LINE}.0.counts", "a/b", "counts"),
		(f"{LINE}.3.quantity", 2, "quantity"),
		(f"{LINE}.3.discounts", [], "discounts"),
		(f"{LINE}.3.of", [], "of"),
		(f"{LINE}.3.of.1", "NOBODY", "of[1]"),
		(f"{LINE}.3.of.1", "BOX", "of[1]"),
		(f"{LINE}.3.of.1", "FEE", "of[1]"),
	],
)
def test_a_bad_line_or_quantity_is_told_with_its_path(path, value, wrong):
	document = deepcopy(KINDS)
	*way, last = [int(key) if key.isdigit() else key for key in path.split(".")]
	place = document
	for key in way:
		place = place[key]
	place[last] = value
	with pytest.raises(BadValue) as bad:
		simulate(document)
	assert bad.value.path.endswith(f".{wrong}")
	assert bad.value.path.startswith("$." + path.split(".")[0])


@pytest.mark.parametrize(
	("event", "wrong"),
	[
		({"event": "change_quantity", "line": "FILMS", "quantity": 2}, "line"),
		({"event": "change_quantity", "line": "FEE", "quantity": 2}, "line"),
		({"event": "change_price", "line": "FEE", "price": {"kind": "flat", "amount": "5"}}, "price.kind"),
		(
			{"event": "change_price", "line": "BASE", "price": {"kind": "percent_of", "percent": 5}},
			"price.kind",
		),
		({"event": "change_price", "line": "BOX", "price": {"kind": "flat", "amount": "5"}}, "price.kind"),
	],
)
def test_an_event_that_does_not_fit_its_line_is_told(event, wrong):
	with pytest.raises(BadValue) as bad:
		simulate(KINDS | {"timeline": [event | {"effective": "2026-02-01"}]})
	assert bad.value.path == f"$.timeline[0].{wrong}"


def test_a_line_of_each_kind_is_right():
	assert simulate(KINDS)["runs"][0]["net"] == "71.50"
	group = [*KINDS["group_base"], *KINDS["group_base"]]
	with pytest.raises(BadValue) as bad:
		simulate(KINDS | {"group_base": group})
	assert bad.value.path == "$.group_base[1].from"


def test_two_events_of_a_day_that_change_the_same_need_an_order():
	pause, resume = ({"event": event, "effective": "2026-01-05"} for event in ("pause", "resume"))
	with pytest.raises(BadValue) as bad:
		simulate(SMALL | {"timeline": [pause, resume]})
	assert bad.value.path == "$.timeline[1].order"
	assert simulate(SMALL | {"timeline": [pause, resume | {"order": 1}]})["runs"][0]["net"] == "50.00"


def test_the_schema_names_the_fields_the_reader_knows():
	schema = json.loads((ROOT / "docs" / "schemas" / "scenario.schema.json").read_text())
	parts = schema["$defs"]
	assert set(schema["properties"]) == set(read.TOP)
	assert set(parts["contract"]["properties"]) == set(read.CONTRACT)
	assert set(parts["line"]["properties"]) == set(lines.FIELDS)
	assert set(parts["used"]["properties"]) == set(quantities.RECORD)
	assert set(parts["group_step"]["properties"]) == set(quantities.STEP)
	assert set(parts["event"]["properties"]) == {*events.EVENT, *events.VALUES.values()}
	assert parts["event"]["properties"]["event"]["enum"] == list(events.KINDS)
	kinds = {
		rule["if"]["properties"]["kind"]["const"]: tuple(
			rule["then"]["properties"]["price"]["properties"]["kind"]["enum"]
		)
		for rule in parts["line"]["allOf"]
	}
	assert kinds == lines.MODELS
	assert parts["line"]["properties"]["kind"]["enum"] == list(lines.KINDS)
	assert parts["line"]["properties"]["counts_over"]["enum"] == list(lines.REACHES)
