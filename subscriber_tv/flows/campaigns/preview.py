"""Shows what a campaign would change, with the campaign's own decision; writes nothing."""

from dataclasses import asdict
from decimal import Decimal
from typing import Any

import frappe
from frappe.utils.background_jobs import is_job_enqueued

from subscriber_tv.core.billing.price import Refused
from subscriber_tv.core.campaigns.effect import Effect, summary_of
from subscriber_tv.flows.billing.words import why_refused
from subscriber_tv.flows.campaigns.kinds import kind_of, why_left_out
from subscriber_tv.flows.campaigns.select import subscriptions_of
from subscriber_tv.flows.campaigns.targets import CHUNK

#: Contracts worked out while the user waits; more are left to a worker.
AT_ONCE = 300
OUTLIERS_SHOWN = 20
KEPT = 3600  # seconds


def preview(doc) -> dict:
	"""Revenue before and after by segment, smallest and largest rise, outliers, and who is left out.

	Amounts are decimal strings in the currency of the campaign.
	"""
	kind = kind_of(doc.doctype)
	names = subscriptions_of(doc)
	effects: list[Effect] = []
	left_out: dict[str, int] = {}
	refused: list[str] = []
	for start in range(0, len(names), CHUNK):
		candidates, decide = kind.prepare(doc, names[start : start + CHUNK])
		for candidate in candidates:
			try:
				plan = decide(candidate)
				if plan.left_out:
					why = why_left_out(plan.left_out)
					left_out[why] = left_out.get(why, 0) + 1
				else:
					effects.append(kind.effect(candidate, plan))
			except Refused as refusal:
				refused.append(why_refused(refusal))
	summary = summary_of(effects)
	shown = _plain(asdict(summary))
	shown["outliers"] = [
		_plain(asdict(effect)) | {"percent": _plain(effect.percent)}
		for effect in summary.outliers[:OUTLIERS_SHOWN]
	]
	return {
		**shown,
		"outliers_total": len(summary.outliers),
		"currency": doc.currency,
		"bills": kind.bills,
		"left_out": left_out,
		"refused": refused[:OUTLIERS_SHOWN],
		"refused_total": len(refused),
	}


def ask(doc) -> dict:
	"""The preview, or {"waiting": True} while a worker makes it: ask again."""
	kept = frappe.cache.get_value(_key(doc))
	if kept:
		frappe.cache.delete_value(_key(doc))
		return kept
	if len(subscriptions_of(doc)) <= AT_ONCE:
		return preview(doc)
	job = f"tv-campaign-preview::{doc.name}"
	if not is_job_enqueued(job):
		frappe.enqueue(
			"subscriber_tv.flows.campaigns.preview.keep",
			queue="long",
			timeout=KEPT,
			job_id=job,
			deduplicate=True,
			doctype=doc.doctype,
			campaign=doc.name,
		)
	return {"waiting": True}


def keep(*, doctype: str, campaign: str) -> None:
	"""Make a preview in a worker and keep it for the form that asks again."""
	doc = frappe.get_doc(doctype, campaign)
	frappe.cache.set_value(_key(doc), preview(doc), expires_in_sec=KEPT)


def _key(doc) -> str:
	return f"tv-campaign-preview|{doc.name}|{doc.modified}"


def _plain(value: Any) -> Any:
	"""Decimals as text, so that a browser does not round them."""
	if isinstance(value, Decimal):
		return str(value)
	if isinstance(value, dict):
		return {key: _plain(one) for key, one in value.items()}
	return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
