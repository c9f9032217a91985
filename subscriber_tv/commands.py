"""Commands of the app: `bench --site X subscriber-tv …`. Each reads its arguments and makes one call."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
import frappe
from frappe.commands import get_site, pass_context


@click.group("subscriber-tv")
def subscriber_tv():
	"""Subscriber management for pay-TV."""


@contextmanager
def on_site(context) -> Iterator[None]:
	"""Connect to the site of `--site` as Administrator; disconnect at the end."""
	frappe.init(site=get_site(context))
	frappe.connect()
	try:
		yield
	finally:
		frappe.destroy()


@subscriber_tv.command("bill-run")
@click.option("--company", help="Company that bills; default that of TV Settings.")
@click.option("--posting-date", help="Date of the invoices, YYYY-MM-DD; default today.")
@click.option("--until", help="Bill periods starting until this day; default by TV Settings.")
@click.option("--payer", help="Only this customer.")
@click.option("--resume", help="A submitted run to go on with, instead of a new one.")
@pass_context
def bill_run(context, company, posting_date, until, payer, resume):
	"""Bill what is due, in this process. Exit code 1 when a payer is parked."""
	with on_site(context):
		from subscriber_tv.flows.billing.run import run
		from subscriber_tv.flows.billing.start_run import new_run

		name = resume or new_run(company=company, posting_date=posting_date, bill_until=until, payer=payer)
		counters = run(bill_run=name)
		click.echo(name)
		for key, value in counters.items():
			click.echo(f"  {key}: {value}")
	if counters["payers_parked"]:
		sys.exit(1)


@subscriber_tv.command("rebuild-claims")
@pass_context
def rebuild_claims(context):
	"""Make the claims on billed periods anew from the invoices that stand."""
	with on_site(context):
		from subscriber_tv.flows.billing.claims import rebuild_claims as rebuild

		number = rebuild()
		frappe.db.commit()  # the command is the whole transaction
		click.echo(f"{number} claims")


commands = [subscriber_tv]
