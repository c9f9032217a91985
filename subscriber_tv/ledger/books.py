"""Whether the books take a posting on a day: ERPNext's own checks, asked before anything is written."""

from datetime import date

import frappe
from erpnext.accounts.doctype.accounting_period.accounting_period import (
	validate_accounting_period_on_doc_save,
)
from erpnext.accounts.general_ledger import check_freezing_date, validate_against_pcv
from erpnext.accounts.utils import get_fiscal_year


def check_open(company: str, posting_date: date) -> None:
	"""Raise ERPNext's own error when invoices of `company` cannot be posted on that day.

	Checked are the fiscal year, the date up to which accounts are frozen, the last period closing and closed
	accounting periods.
	"""
	get_fiscal_year(posting_date, company=company)
	check_freezing_date(posting_date)
	validate_against_pcv(False, posting_date, company)
	invoice = frappe._dict(doctype="Sales Invoice", company=company, posting_date=posting_date)
	validate_accounting_period_on_doc_save(invoice)
