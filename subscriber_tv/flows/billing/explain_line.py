"""Explains one row of an invoice: what it is, how its amount is worked out, and whether that is what was posted."""

from collections.abc import Iterable

from subscriber_tv.core.billing.explain import (
	Explanation,
	days_before,
	explain_charge,
	explain_concession,
	explain_credit,
)
from subscriber_tv.core.billing.periods import Span
from subscriber_tv.core.billing.price import BY_TOTAL, CONCESSION, CORRECTION, ONE_DAY, ONE_OFF, Price
from subscriber_tv.core.money import money, plain
from subscriber_tv.flows.billing.explain_facts import (
	given_back,
	price_on,
	row_corrected,
	row_named,
	rows_of_charge,
)
from subscriber_tv.flows.billing.explain_words import headline, verdict, words_of
from subscriber_tv.flows.billing.facts import places_of
from subscriber_tv.flows.billing.returns import returns_of


def explain_line(row: str) -> dict:
	"""What may be shown to whoever pays the row, staff or subscriber, in the language of the session.

	`steps` are texts, `posted` a decimal string (negative for what is given back), `bar` the days of the period and
	which of them are charged and given back, None where days play no part. Errors: DoesNotExistError, ValidationError
	for a row that has lost its facts.
	"""
	found = row_named(row)
	name = found.item_name or found.item_code
	if found.tv_kind == CONCESSION:
		explanation, price, bar = explain_concession(-money(found.net_amount)), None, None
	elif found.tv_kind == CORRECTION:
		explanation, price, bar = _correction(found)
	else:
		explanation, price, bar = _charge(found)
	period = price.period if price else Span(found.posting_date, found.posting_date + ONE_DAY)
	return {
		"row": found.name,
		"invoice": found.parent,
		"posting_date": found.posting_date,
		"subscription": found.tv_subscription,
		"line": found.tv_line,
		"kind": found.tv_kind,
		"headline": headline(found.tv_kind, name, span_of(found)),
		"currency": found.currency,
		"posted": plain(money(found.net_amount)),
		"agrees": explanation.agrees,
		"verdict": verdict(explanation, found.currency),
		"steps": [words_of(step, found.currency, period) for step in explanation.steps],
		"bar": bar,
	}


def _charge(row: dict) -> tuple[Explanation, Price, dict | None]:
	price, span = price_on(row), span_of(row)
	explanation = explain_charge(
		price,
		row.tv_kind,
		span,
		before=days_before(rows_of_charge(row), row.name),
		posted=money(row.net_amount),
		places=places_of(row.currency),
	)
	back = [done.span for done in returns_of([row.parent]).corrections.get(row.name, ())]
	return explanation, price, _bar(row.tv_kind, price, [span], back)


def _correction(row: dict) -> tuple[Explanation, Price, dict | None]:
	price, corrected = price_on(row), row_corrected(row)
	given = given_back(row, corrected)
	explanation = explain_credit(
		price,
		corrected.tv_kind,
		given,
		before=days_before(rows_of_charge(row), row.name),
		posted=-money(row.net_amount),
		places=places_of(row.currency),
	)
	return explanation, price, _bar(corrected.tv_kind, price, given.standing, [given.span])


def span_of(row: dict) -> Span | None:
	"""The days a row bills or gives back; a concession has none."""
	return Span(row.tv_from, row.tv_to) if row.tv_from and row.tv_to else None


def _bar(kind: str, price: Price, charged: Iterable[Span], back: Iterable[Span]) -> dict | None:
	"""Days as ISO, `to` not included."""
	if kind == ONE_OFF or (kind in BY_TOTAL and price.period.days == 1):
		return None
	segments = [("charged", span) for span in charged] + [("given_back", span) for span in back]
	return {
		**_days(price.period),
		"days": price.period.days,
		"segments": [{"kind": part, **_days(span)} for part, span in segments],
	}


def _days(span: Span) -> dict:
	return {"from": span.start.isoformat(), "to": span.end.isoformat()}
