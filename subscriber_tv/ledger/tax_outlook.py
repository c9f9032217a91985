"""Which items of a bill nothing would tax, told before anything is posted: the guard's own rule, asked early."""

from collections.abc import Iterable
from datetime import date
from functools import cache

import frappe
from erpnext.stock.get_item_details import get_item_tax_template

from subscriber_tv.ledger import taxation
from subscriber_tv.ledger.party import tax_template


class TaxOutlook:
	"""Answers for one company and day; what it has looked up once it remembers."""

	def __init__(self, company: str, posting_date: date):
		self._company = company
		self._day = posting_date
		self._is_untaxed = cache(self._look_up)

	def untaxed(self, items: Iterable[str], customer: str) -> tuple[str, ...]:
		"""Items without a rate above zero and without an Item Tax Template that says so on purpose, sorted."""
		category = taxation.category_of(customer) or ""
		try:
			master = tax_template(self._company, customer, self._day)
		except frappe.ValidationError:
			# No master for him: nothing is taxed. The sentence for the user is the outlier's.
			frappe.clear_messages()
			return tuple(sorted(items))
		return tuple(sorted(item for item in items if self._is_untaxed(item, category, master)))

	def _look_up(self, item: str, category: str, master: str) -> bool:
		rates = taxation.rates_of_item(item, self._company, category, self._day, master)
		if any(rate for _account, rate in rates):
			return False
		args = frappe._dict(
			item_code=item,
			company=self._company,
			tax_category=category,
			posting_date=str(self._day),
			base_net_rate=0,
		)
		return not get_item_tax_template(args, frappe.get_cached_doc("Item", item))
