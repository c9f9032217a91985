"""Amounts and days as the reader of a printed document writes them, whoever prints it.

Frappe formats by the site; a French customer of an English site still gets "1 234,50 €".
"""

from datetime import date
from decimal import Decimal

import frappe
from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal
from frappe.utils import getdate

from subscriber_tv.core.billing.periods import Span
from subscriber_tv.core.billing.price import ONE_DAY
from subscriber_tv.core.money import money, places_of

#: The fonts of the PDF maker lack the narrow space that French numbers are grouped with.
NARROW, SPACE = "\u202f", "\u00a0"

#: Days without a doubt about which number is the month.
DAY_PATTERNS = {"fr": "dd/MM/yyyy"}


class Words:
	"""Formats for one document: its language and its currency."""

	def __init__(self, language: str, currency: str):
		self.lang = language
		self.currency = currency
		self.locale = _locale(language)

	def amount(self, value: Decimal | float | str | None) -> str:
		"""With the decimals of the currency and without its sign."""
		pattern = "#,##0." + "0" * places_of(self.currency)
		return self._clean(format_decimal(money(value), pattern.rstrip("."), self.locale))

	def total(self, value: Decimal | float | str | None) -> str:
		"""With the sign of the currency."""
		return self._clean(format_currency(money(value), self.currency, locale=self.locale))

	def price(self, value: Decimal | float | str | None) -> str:
		"""A unit price: at least the decimals of the currency, at most six."""
		pattern = "#,##0." + "0" * places_of(self.currency) + "#" * (6 - places_of(self.currency))
		return self._clean(format_decimal(money(value), pattern, self.locale))

	def number(self, value: Decimal | float | str | None) -> str:
		"""A quantity or a percent, without needless decimals."""
		return self._clean(format_decimal(money(value), "#,##0.######", self.locale))

	def day(self, value: date | str | None) -> str:
		pattern = DAY_PATTERNS.get(self.locale.language, "d MMM yyyy")
		return format_date(getdate(value), pattern, locale=self.locale) if value else ""

	def span(self, value: Span) -> str:
		"""First and last day, the last one included."""
		first, last = self.day(value.start), self.day(value.end - ONE_DAY)
		return first if first == last else f"{first} – {last}"

	def _clean(self, text: str) -> str:
		return text.replace(NARROW, SPACE)


def words_for(doc) -> Words:
	"""The words of a document: the language chosen in the print view, else its own, else the customer's."""
	chosen = frappe.form_dict.get("_lang")
	own = doc.get("language") or frappe.db.get_value("Customer", doc.get("customer"), "language")
	language = chosen or own or frappe.get_system_settings("language") or "en"
	company_currency = frappe.get_cached_value("Company", doc.get("company"), "default_currency")
	return Words(language, doc.get("currency") or company_currency)


def _locale(language: str) -> Locale:
	try:
		return Locale.parse(language.replace("-", "_"))
	except (UnknownLocaleError, ValueError):
		return Locale("en")
