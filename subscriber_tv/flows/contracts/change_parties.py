"""Changes who pays for a contract, who holds it, and where it is served.

A payer may change on any day; the days from it on are billed to the new one and what the old one was billed of them is
credited to him. A holder changes, and a contract moves, today or earlier: the TVs and the site go along at once.
"""

from dataclasses import replace
from datetime import date

import frappe
from frappe import _
from frappe.utils import getdate

from subscriber_tv.core.contracts.states import CANCELLED, UNINSTALLED
from subscriber_tv.core.contracts.timeline import Change, Contract
from subscriber_tv.flows.contracts.change_terms import record_other
from subscriber_tv.flows.contracts.today import site_today
from subscriber_tv.flows.devices.write_devices import add_event


def change_payer(
	*, subscription: str, payer: str, effective_date: date | str | None = None, reason: str | None = None
) -> str:
	"""Let another customer pay from a day on (default today at the site); return the name of the change.

	Errors: IllegalChange; ValidationError when he pays already.
	"""
	_require_customer(payer)

	def complete(contract: Contract, facts: frappe._dict, change: Change) -> Change:
		_refuse_same(contract, payer, change.effective)
		return replace(change, payer=payer)

	return record_other(
		subscription,
		"change_payer",
		complete,
		effective_date=effective_date,
		reason=reason,
	)


def change_holder(
	*,
	subscription: str,
	customer: str,
	payer: str | None = None,
	effective_date: date | str | None = None,
	reason: str | None = None,
) -> str:
	"""Hand the contract, its site and its TVs over to another customer, who pays unless `payer` is given.

	Takes effect today or earlier. Errors: IllegalChange; ValidationError when the site still serves another contract of
	the old holder, or nothing would change.
	"""
	_require_customer(customer)
	payer = payer or customer
	_require_customer(payer)

	def complete(contract: Contract, facts: frappe._dict, change: Change) -> Change:
		_refuse_future(subscription, change.effective, facts.site)
		if customer == facts.customer:
			frappe.throw(
				_("{0} holds {1} already.").format(frappe.bold(customer), frappe.bold(subscription)),
				title=_("No Change"),
			)
		_refuse_shared_site(subscription, facts)
		return replace(change, payer=payer)

	name = record_other(
		subscription,
		"change_holder",
		complete,
		effective_date=effective_date,
		reason=reason,
		customer=customer,
	)
	site = frappe.db.get_value("TV Subscription", subscription, "site")
	frappe.db.set_value("TV Subscription", subscription, "customer", customer)
	frappe.db.set_value("TV Site", site, "customer", customer)
	_take_tvs_along(subscription, _("Handed over to {0}").format(customer), customer=customer)
	return name


def move(
	*, subscription: str, site: str, effective_date: date | str | None = None, reason: str | None = None
) -> str:
	"""Serve the contract at another site of its holder, TVs included; return the name of the change.

	Takes effect today or earlier. Errors: IllegalChange; ValidationError for a site of somebody else or a disabled one.
	"""
	new = frappe.db.get_value("TV Site", site, ["customer", "disabled"], as_dict=True)
	if not new:
		frappe.throw(_("There is no site {0}.").format(frappe.bold(site)), frappe.DoesNotExistError)

	def complete(contract: Contract, facts: frappe._dict, change: Change) -> Change:
		_refuse_future(subscription, change.effective, facts.site)
		if site == facts.site:
			frappe.throw(
				_("{0} is served at {1} already.").format(frappe.bold(subscription), frappe.bold(site)),
				title=_("No Change"),
			)
		if new.customer != facts.customer or new.disabled:
			frappe.throw(
				_("{0} is no site of {1} in use. Choose one of his sites, or create it.").format(
					frappe.bold(site), frappe.bold(facts.customer)
				),
				title=_("Other Customer's Site"),
			)
		return change

	name = record_other(
		subscription, "move", complete, effective_date=effective_date, reason=reason, site=site
	)
	frappe.db.set_value("TV Subscription", subscription, "site", site)
	_take_tvs_along(subscription, _("Moved to {0}").format(site), site=site)
	return name


def _require_customer(customer: str) -> None:
	disabled = frappe.db.get_value("Customer", customer, "disabled")
	if disabled is None or disabled:
		frappe.throw(_("There is no customer {0} in use.").format(frappe.bold(customer)), title=_("Customer"))


def _refuse_same(contract: Contract, payer: str, day: date) -> None:
	if contract.payer_on(day) == payer:
		frappe.throw(
			_("{0} pays for {1} on that day already.").format(
				frappe.bold(payer), frappe.bold(contract.subscription)
			),
			title=_("No Change"),
		)


def _refuse_future(subscription: str, day: date, site: str) -> None:
	today = site_today(site)
	if getdate(day) > today:
		frappe.throw(
			_("{0}: holder and site change today or earlier; the TVs go along at once.").format(
				frappe.bold(subscription)
			),
			title=_("Day in the Future"),
		)


def _refuse_shared_site(subscription: str, facts: frappe._dict) -> None:
	"""A site has one customer: whoever takes it over takes all that is served there."""
	others = frappe.get_all(
		"TV Subscription",
		{
			"site": facts.site,
			"name": ("!=", subscription),
			"customer": facts.customer,
			"state": ("not in", (CANCELLED, UNINSTALLED)),
		},
		pluck="name",
		limit=5,
	)
	if others:
		frappe.throw(
			_("Site {0} also serves {1}. Move one of them to a site of its own first.").format(
				frappe.bold(facts.site), frappe.bold(", ".join(others))
			),
			title=_("Site Shared"),
		)


def _take_tvs_along(subscription: str, note: str, **values: str) -> None:
	tvs = frappe.get_all(
		"TV Device", {"subscription": subscription}, ["name", "state", "site"], order_by="name", limit=0
	)
	for tv in tvs:
		frappe.db.set_value("TV Device", tv.name, values)
		add_event(tv.name, "Transferred", tv.state, subscription, values.get("site") or tv.site, note)
