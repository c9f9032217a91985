"""The contracts of a campaign as rows: TV Campaign Target. Listed once, then read and written one by one."""

import json
from collections.abc import Iterable

import frappe
from frappe.utils import getdate, now_datetime

from subscriber_tv.core.billing.price import Refused
from subscriber_tv.core.campaigns.notice import letter_due_by
from subscriber_tv.flows.billing.words import why_refused
from subscriber_tv.flows.campaigns.kinds import Kind, why_left_out
from subscriber_tv.flows.campaigns.load import Candidate, Decision

TARGET = "TV Campaign Target"
PENDING, APPLIED, PARKED, LEFT_OUT, TAKEN_BACK = "Pending", "Applied", "Parked", "Left Out", "Taken Back"

#: Contracts listed, or changed, before the work is committed or handed on.
CHUNK = 200


def of_campaign(doc, **more) -> dict:
	"""Filter for the rows of a campaign."""
	return {"campaign_doctype": doc.doctype, "campaign": doc.name, **more}


def write_targets(doc, kind: Kind, subscriptions: Iterable[str]) -> None:
	"""One row for each of these contracts: its day, its steps, what they bring, or why it is left out."""
	candidates, decide = kind.prepare(doc, subscriptions)
	rows = [planned(doc, kind, candidate, decide) for candidate in candidates]
	if not rows:
		return
	stamps = {"creation": now_datetime(), "modified": now_datetime(), "owner": frappe.session.user}
	stamps["modified_by"] = frappe.session.user
	shared = {
		"campaign_doctype": doc.doctype,
		"campaign": doc.name,
		"company": doc.company,
		"currency": doc.currency,
		**stamps,
	}
	fields = ["name", *shared, *rows[0]]
	values = [
		(frappe.generate_hash(length=10), *shared.values(), *(row[field] for field in rows[0]))
		for row in rows
	]
	frappe.db.bulk_insert(TARGET, fields, values)


def planned(doc, kind: Kind, candidate: Candidate, decide: Decision) -> dict:
	"""What the row of a contract says."""
	row = {
		"subscription": candidate.subscription,
		"customer": candidate.customer,
		"payer": candidate.payer,
		"segment": candidate.segment or None,
		"outcome": PENDING,
		"reason": None,
		"effective_date": None,
		"letter_due_by": None,
		"monthly_before": 0,
		"monthly_after": 0,
		"year_before": 0,
		"year_after": 0,
		"details": None,
	}
	try:
		plan = decide(candidate)
		if plan.left_out:
			return row | {
				"outcome": LEFT_OUT,
				"reason": why_left_out(plan.left_out),
				"effective_date": plan.effective,
			}
		effect = kind.effect(candidate, plan)
	except Refused as refusal:
		return row | {"outcome": PARKED, "reason": why_refused(refusal)}
	return row | {
		"effective_date": plan.effective,
		"letter_due_by": due_by(doc, plan.effective, candidate.consumer),
		"monthly_before": float(effect.monthly_before),
		"monthly_after": float(effect.monthly_after),
		"year_before": float(effect.year_before),
		"year_after": float(effect.year_after),
		"details": written(plan.details),
	}


def due_by(doc, effective, consumer: bool):
	"""The last day for the letter; None where the campaign has none."""
	if doc.doctype != "TV Price Revision":
		return None
	return letter_due_by(getdate(effective), doc.notice_days or 0, consumer=consumer)


def written(details: Iterable[dict]) -> str:
	"""Details as they are stored, so that equal ones are equal text."""
	return json.dumps(list(details), sort_keys=True, indent=1)


def counters(doc) -> dict:
	"""What the form of the campaign shows, read from its rows."""
	rows = frappe.get_all(
		TARGET,
		of_campaign(doc),
		[
			"outcome",
			"count(*) as number",
			"count(letter_sent_on) as letters",
			"sum(monthly_before) as month_before",
			"sum(monthly_after) as month_after",
			"sum(year_before) as year_before",
			"sum(year_after) as year_after",
		],
		group_by="outcome",
	)
	number = {row.outcome: row.number for row in rows}
	counted = [row for row in rows if row.outcome != LEFT_OUT]
	found = {
		"targets_total": sum(number.values()) - number.get(LEFT_OUT, 0),
		"targets_done": number.get(APPLIED, 0) + number.get(TAKEN_BACK, 0),
		"targets_applied": number.get(APPLIED, 0),
		"targets_parked": number.get(PARKED, 0),
		"targets_left_out": number.get(LEFT_OUT, 0),
		"targets_taken_back": number.get(TAKEN_BACK, 0),
		"letters_sent": sum(row.letters for row in rows),
		"monthly_before": sum(row.month_before or 0 for row in counted),
		"monthly_after": sum(row.month_after or 0 for row in counted),
		"year_before": sum(row.year_before or 0 for row in counted),
		"year_after": sum(row.year_after or 0 for row in counted),
	}
	return {name: value for name, value in found.items() if doc.meta.has_field(name)}
