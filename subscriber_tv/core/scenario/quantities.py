"""Reads the quantities of a scenario that no line holds: usage, and what other payers of the group have."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from subscriber_tv.core.billing.price import USAGE
from subscriber_tv.core.json_values import MOST, BadValue, Fields, a_list, a_number, an_object, only
from subscriber_tv.core.pricing.models import OF_AMOUNTS
from subscriber_tv.core.scenario.fields import a_day, a_whole, day_or_none, is_name, needed, one_of
from subscriber_tv.core.scenario.model import ContractTerms, GroupStep, LineTerms, Used

RECORD = ("contract", "line", "day", "quantity", "known")
STEP = ("counts", "from", "quantity", "known")


def read_usage(fields: Fields, contracts: Sequence[ContractTerms]) -> tuple[Used, ...]:
	"""The records of usage. A quantity below zero takes back what an earlier record said."""
	rows = a_list(fields.get("usage") or [], "$.usage")
	return tuple(_record(row, f"$.usage[{index}]", contracts) for index, row in enumerate(rows))


def read_group(fields: Fields) -> tuple[GroupStep, ...]:
	"""What the other payers of the group have from each day on."""
	rows = a_list(fields.get("group_base") or [], "$.group_base")
	steps = tuple(_step(row, f"$.group_base[{index}]") for index, row in enumerate(rows))
	for index, step in enumerate(steps):
		if any((step.counts, step.start) == (other.counts, other.start) for other in steps[:index]):
			raise BadValue(f"$.group_base[{index}].from", "another quantity holds from that day")
	return steps


def _record(value: Any, path: str, contracts: Sequence[ContractTerms]) -> Used:
	fields = an_object(value, path)
	only(fields, RECORD, path)
	contract = the_contract(fields, path, contracts)
	line = _line(fields, path, contract)
	day = a_day(needed(fields, "day", path), f"{path}.day")
	of_money = isinstance(line.price, OF_AMOUNTS)
	quantity = a_number(
		needed(fields, "quantity", path), f"{path}.quantity", least=Decimal(0) if of_money else -MOST
	)
	return Used(contract.id, line.id, day, quantity, day_or_none(fields, "known", path) or day)


def _line(fields: Fields, path: str, contract: ContractTerms) -> LineTerms:
	lines = {line.id: line for line in contract.lines if line.kind == USAGE}
	if not lines:
		raise BadValue(path, f"{contract.id} has no line of usage")
	if fields.get("line") is None and len(lines) == 1:
		return next(iter(lines.values()))
	return lines[one_of(needed(fields, "line", path), f"{path}.line", lines)]


def _step(value: Any, path: str) -> GroupStep:
	fields = an_object(value, path)
	only(fields, STEP, path)
	start = a_day(needed(fields, "from", path), f"{path}.from")
	return GroupStep(
		counts=is_name(needed(fields, "counts", path), f"{path}.counts"),
		start=start,
		quantity=a_whole(needed(fields, "quantity", path), f"{path}.quantity", 0, 10_000_000),
		known=day_or_none(fields, "known", path) or start,
	)


def the_contract(fields: Fields, path: str, contracts: Sequence[ContractTerms]) -> ContractTerms:
	"""The contract meant; it may be left out when there is only one."""
	if fields.get("contract") is None and len(contracts) == 1:
		return contracts[0]
	known = {terms.id: terms for terms in contracts}
	return known[one_of(needed(fields, "contract", path), f"{path}.contract", known)]
