"""What is left of a row in a contract taken over: nothing before its opening position is billed here, or credited.

	                  opening
	prorated     |........|========|==========|     the days from the opening on
	due whole    |.................|==========|     a period begun elsewhere was billed there, whole
	usage        |........|========|==========|     each side rates the days it serves

A period counts as begun on the first day charged in it, be it that of the contract, of a line or after a trial.
"""

from dataclasses import replace
from datetime import date

from subscriber_tv.core.billing.periods import Span
from subscriber_tv.core.billing.price import FAR, Expected


def from_opening(row: Expected, billed_through: date | None) -> Expected | None:
	"""The part of the row that is billed here, None when there is none.

	A percentage that is cut is one of the charges whose days are shared alone: the others were billed whole.
	"""
	if billed_through is None or row.span.start >= billed_through:
		return row
	span = row.span.meet(Span(billed_through, FAR))
	if span is None or not row.price.prorate:
		return None
	price = row.price
	if not all(share.prorate for share in price.of):
		price = replace(price, of=tuple(share for share in price.of if share.prorate))
	return replace(row, span=span, price=price, due=max(row.due, span.start))
