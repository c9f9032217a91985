"""Says the steps of an explanation in the user's language, for staff and subscribers alike."""

from decimal import Decimal

from frappe import _
from frappe.utils import fmt_money, formatdate

from subscriber_tv.core.billing.explain import Explanation, Step
from subscriber_tv.core.billing.periods import Span
from subscriber_tv.core.billing.price import (
	CONCESSION,
	CORRECTION,
	DEPOSIT,
	EXIT_FEE,
	MINIMUM,
	ONE_DAY,
	ONE_OFF,
	RECURRING,
	USAGE,
)
from subscriber_tv.core.money import plain

MOST_DECIMALS, ABOUT = 6, 4


def headline(kind: str, name: str, span: Span | None) -> str:
	"""One sentence on what the row is."""
	sentences = {
		RECURRING: _("{0}: charged for {1} to {2}."),
		ONE_OFF: _("{0}: charged once, on {1}."),
		MINIMUM: _("{0}: what is missing to the agreed minimum, {1} to {2}."),
		USAGE: _("{0}: what was used, {1} to {2}."),
		EXIT_FEE: _("{0}: the contract was left before the end of its term, {1} to {2} remained."),
		DEPOSIT: _("{0}: a deposit held since {1}. It is given back when what it stands for goes."),
		CORRECTION: _("{0}: {1} to {2} is given back, because it is not charged any more or charged anew."),
		CONCESSION: _("{0}: granted, and never charged again."),
	}
	sentence = sentences.get(kind) or _("{0}: {1} to {2}.")
	return sentence.format(name, *(days(span) if span else ()))


def verdict(explanation: Explanation, currency: str) -> str:
	"""Whether the steps lead to the amount on the invoice."""
	posted = amount_text(explanation.posted, currency)
	if explanation.agrees is None:
		return _("This sum was decided: it cannot be worked out from the row.")
	if explanation.agrees:
		return _("Worked out again just now: {0}, as on the invoice.").format(posted)
	return _(
		"Worked out again just now: {0}, yet the invoice says {1}. The row, or another of the same period, was changed by hand or cancelled: compare the invoices of this charge."
	).format(amount_text(explanation.computed, currency), posted)


def words_of(step: Step, currency: str, period: Span) -> dict[str, str]:
	"""`what` a step is, `how` it is worked out, and its `amount`; all translated text."""
	return {
		"what": _what(step, period),
		"how": _how(step, currency),
		"amount": "" if step.code == "free" else amount_text(step.amount, currency),
	}


def days(span: Span) -> tuple[str, str]:
	"""First and last day."""
	return formatdate(span.start), formatdate(max(span.end - ONE_DAY, span.start))


def amount_text(amount: Decimal, currency: str) -> str:
	"""An amount with as many decimals as it has, at least those of the currency; one that goes on begins with ≈."""
	exact = plain(amount)
	decimals = len(exact.partition(".")[2])
	if decimals <= 2:
		return fmt_money(float(amount), currency=currency)
	if decimals <= MOST_DECIMALS:
		return fmt_money(float(amount), precision=decimals, currency=currency)
	return f"≈ {fmt_money(float(amount), precision=ABOUT, currency=currency)}"


def _what(step: Step, period: Span) -> str:
	if step.code == "share":
		return step.label.rpartition("/")[2]
	if step.code == "discount":
		return step.label or _("Discount")
	first, last = days(period)
	texts = {
		"units": _("Units"),
		"blocks": _("Blocks"),
		"fee": _("Fixed price"),
		"free": _("Free"),
		"percent": _("Percentage"),
		"minimum": _("Up to the minimum"),
		"maximum": _("Down to the maximum"),
		"base": _("Share of the common tier"),
		"rated": _("Usage, as each record was rated"),
		"already": _("Billed before"),
		"whole": _("Price of the whole period, {0} to {1}").format(first, last),
		"days": _("Days charged"),
		"earlier": _("Charged before for days of this period"),
		"rounded": _("Amount, rounded once"),
		"credited": _("Days given back"),
		"rest": _("All that was left of the row"),
		"capped": _("No more than was left of the row"),
		"given": _("Sum given back"),
	}
	text = texts[step.code]
	return _("Tier {0}: {1}").format(step.tier, text) if step.tier else text


def _how(step: Step, currency: str) -> str:
	first = "" if step.first is None else _number(step.first)
	second = "" if step.second is None else _number(step.second)
	if step.code in ("units", "blocks"):
		return f"{first} × {amount_text(step.second, currency)}"
	if step.code == "percent":
		return f"{amount_text(step.first, currency)} × {_number(step.second * 100)} %"
	if step.code in ("days", "credited"):
		return f"× {first} / {second}"
	if step.code == "base":
		return f"× {first} / {second}"
	texts = {
		"free": first,
		"rated": first,
		"whole": _("{0} days").format(second) if second != "1" else "",
		"earlier": _("{0} days").format(first),
	}
	return texts.get(step.code, "")


def _number(value: Decimal) -> str:
	"""A number without unit, written as amounts are."""
	decimals = len(plain(value).partition(".")[2])
	return fmt_money(float(value), precision=min(decimals, MOST_DECIMALS))
