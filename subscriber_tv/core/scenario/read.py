"""Reads a scenario from plain JSON values; whatever is wrong is told with its JSON path.

The format is described in docs/simulator.md and docs/schemas/scenario.schema.json.
"""

from typing import Any

from subscriber_tv.core.catalogue.offer import MAX_INTERVAL_MONTHS
from subscriber_tv.core.contracts.commitment import Term
from subscriber_tv.core.json_values import BadValue, Fields, a_flag, a_list, an_object, only
from subscriber_tv.core.money import ZERO, places_of
from subscriber_tv.core.scenario.events import read_timeline
from subscriber_tv.core.scenario.fields import (
	a_day,
	a_name,
	amount_or_none,
	an_amount,
	day_or_none,
	in_order,
	needed,
	one_of,
	percent_or,
	whole_or,
	word_or,
)
from subscriber_tv.core.scenario.lines import check_bases, read_discounts, read_line
from subscriber_tv.core.scenario.model import Billed, ContractTerms, Scenario
from subscriber_tv.core.scenario.quantities import read_group, read_usage

TOP = (
	"currency",
	"contracts",
	"timeline",
	"usage",
	"group_base",
	"invoice_runs",
	"tax_rounding",
	"billed",
	"paid",
	"mrr_dates",
)
CONTRACT = (
	"id",
	"start",
	"end",
	"anchor_day",
	"interval_months",
	"billing",
	"calendar_aligned",
	"trial_days",
	"term_months",
	"renewal",
	"renewal_months",
	"notice_months",
	"proration",
	"tax_percent",
	"billed_through",
	"discounts",
	"minimum",
	"lines",
)
MOST_RUNS = 1200
MOST_MONTHS = 240


def read_scenario(value: Any) -> Scenario:
	"""The scenario of a JSON object. BadValue names what is wrong."""
	path = "$"
	fields = an_object(value, path)
	only(fields, TOP, path)
	currency = needed(fields, "currency", path)
	if not (isinstance(currency, str) and len(currency) == 3 and currency.isascii() and currency.isupper()):
		raise BadValue("$.currency", "a currency code of three letters is needed, such as EUR")
	places = places_of(currency)
	contracts = _named(fields, "contracts", path, lambda item, at: _contract(item, at, places))
	timeline = read_timeline(fields.get("timeline"), "$.timeline", contracts)
	return Scenario(
		currency=currency,
		contracts=contracts,
		timeline=timeline,
		runs=_days(needed(fields, "invoice_runs", path), "$.invoice_runs"),
		tax_by_row=word_or(fields, "tax_rounding", path, ("row", "total")) == "row",
		billed=_billed(fields, contracts, places),
		paid=amount_or_none(fields, "paid", path, places),
		mrr_dates=_days(fields.get("mrr_dates") or [], "$.mrr_dates"),
		usage=read_usage(fields, contracts),
		group=read_group(fields),
	)


def _days(value: Any, path: str) -> tuple:
	days = a_list(value, path)
	if len(days) > MOST_RUNS:
		raise BadValue(path, f"at most {MOST_RUNS} days")
	return tuple(sorted(a_day(day, f"{path}[{index}]") for index, day in enumerate(days)))


def _named(fields: Fields, name: str, path: str, reader) -> tuple:
	"""The items of a list that is not empty, each with an id of its own."""
	path = f"{path}.{name}"
	items = a_list(needed(fields, name, path.rpartition(".")[0]), path)
	if not items:
		raise BadValue(path, "at least one is needed")
	found = []
	for index, item in enumerate(items):
		one = reader(item, f"{path}[{index}]")
		if one.id in [other.id for other in found]:
			raise BadValue(f"{path}[{index}].id", f"{one.id} stands twice")
		found.append(one)
	return tuple(found)


def _contract(value: Any, path: str, places: int) -> ContractTerms:
	fields = an_object(value, path)
	only(fields, CONTRACT, path)
	aligned = a_flag(fields, "calendar_aligned", path)
	anchor = whole_or(fields, "anchor_day", path, 0, 1, 31) or None
	if aligned and anchor not in (None, 1):
		raise BadValue(f"{path}.anchor_day", "aligned to the calendar, periods begin on day 1")
	start, end = day_or_none(fields, "start", path), day_or_none(fields, "end", path)
	in_order(start, end, f"{path}.end")
	term = _term(fields, path)
	if term and not start:
		raise BadValue(f"{path}.start", "missing: a term counts from it")
	if term and term.renewal is None:
		if end:
			raise BadValue(f"{path}.end", "the term says it: it is not renewed")
		end = term.first_end(start)
	lines = _named(fields, "lines", path, lambda item, at: read_line(item, at, fields, path, places))
	check_bases(lines, path)
	return ContractTerms(
		id=a_name(fields, path),
		start=start,
		end=end,
		anchor_day=anchor,
		interval_months=whole_or(fields, "interval_months", path, 1, 1, MAX_INTERVAL_MONTHS),
		calendar_aligned=aligned,
		trial_days=whole_or(fields, "trial_days", path, 0, 0, 3660),
		billed_through=day_or_none(fields, "billed_through", path),
		tax_percent=percent_or(fields, "tax_percent", path, ZERO),
		lines=lines,
		discounts=read_discounts(fields, path, places),
		minimum=amount_or_none(fields, "minimum", path, places),
		term=term,
	)


def _term(fields: Fields, path: str) -> Term | None:
	if fields.get("term_months") is None:
		for name in ("renewal", "renewal_months", "notice_months"):
			if fields.get(name) is not None:
				raise BadValue(f"{path}.{name}", "term_months is missing")
		return None
	months = whole_or(fields, "term_months", path, 0, 1, MOST_MONTHS)
	tacit = word_or(fields, "renewal", path, ("tacit", "none")) == "tacit"
	if not tacit and fields.get("renewal_months") is not None:
		raise BadValue(f"{path}.renewal_months", "the contract is not renewed")
	return Term(
		months=months,
		renewal=whole_or(fields, "renewal_months", path, months, 1, MOST_MONTHS) if tacit else None,
		notice=whole_or(fields, "notice_months", path, 0, 0, MOST_MONTHS),
	)


def _billed(fields: Fields, contracts: tuple[ContractTerms, ...], places: int) -> tuple[Billed, ...]:
	rows = a_list(fields.get("billed") or [], "$.billed")
	return tuple(_billed_row(row, f"$.billed[{index}]", contracts, places) for index, row in enumerate(rows))


def _billed_row(value: Any, path: str, contracts: tuple[ContractTerms, ...], places: int) -> Billed:
	fields = an_object(value, path)
	only(fields, ("contract", "line", "from", "to", "amount", "date"), path)
	known = {terms.id: terms for terms in contracts}
	contract = known[one_of(needed(fields, "contract", path), f"{path}.contract", known)]
	lines = {line.id: line for line in contract.lines}
	line = lines[one_of(needed(fields, "line", path), f"{path}.line", lines)]
	start = a_day(needed(fields, "from", path), f"{path}.from")
	end = a_day(needed(fields, "to", path), f"{path}.to")
	in_order(start, end, f"{path}.to")
	return Billed(
		path=path,
		contract=contract.id,
		line=line.id,
		kind=line.kind,
		start=start,
		end=end,
		amount=an_amount(needed(fields, "amount", path), f"{path}.amount", places),
		date=day_or_none(fields, "date", path) or start,
	)
