"""Account numbers of the French chart (PCG) that a pay-TV operator posts to, and how they are found."""

import frappe

COMPANY_ACCOUNTS: dict[str, str] = {
	"default_receivable_account": "4111",
	"default_payable_account": "4011",
	"default_income_account": "706",
	"default_expense_account": "6071",
	"default_deferred_revenue_account": "487",
	"default_inventory_account": "371",
	"stock_received_but_not_billed": "4081",
	"stock_adjustment_account": "6037",
	"round_off_account": "658",
	"write_off_account": "658",
}
"""Company field -> PCG number. 411 and 401 are groups in ERPNext's chart, hence 4111 and 4011; 4084 and 4088, which
ERPNext may pick for goods received, are for fixed assets and interest."""

DEFERRED_REVENUE = "487"
SERVICE_INCOME = "706"
DEPOSITS_RECEIVED = "1651"
"""Dépôts reçus, in group 165: a debt to the subscriber until the TV is back, not subject to VAT."""


def find_account(company: str, number: str) -> str | None:
	"""The posting account with this number, whatever its wording; None when the chart has no such leaf."""
	return frappe.db.get_value(
		"Account", {"company": company, "account_number": number, "is_group": 0}, "name"
	)
