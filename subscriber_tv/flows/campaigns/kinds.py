"""The kinds of campaigns: what differs between them. Everything else they share."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import frappe
from frappe import _

from subscriber_tv.core.campaigns.effect import Effect, effect_of
from subscriber_tv.core.campaigns.plan import Plan
from subscriber_tv.flows.campaigns import migration, price_revision
from subscriber_tv.flows.campaigns.load import Candidate, Decision


@dataclass(frozen=True)
class Kind:
	"""`prepare` loads a chunk of contracts; `bills` says that the bills of a year are worth their time."""

	doctype: str
	prepare: Callable[[object, Iterable[str]], tuple[list[Candidate], Decision]]
	bills: bool = False

	def effect(self, candidate: Candidate, plan: Plan) -> Effect:
		return effect_of(candidate.facts, plan, candidate.segment, bills=self.bills)


KINDS = {
	kind.doctype: kind
	for kind in (
		Kind(price_revision.DOCTYPE, price_revision.prepare),
		Kind(migration.DOCTYPE, migration.prepare, bills=True),
	)
}


def kind_of(doctype: str) -> Kind:
	"""The kind of this DocType. ValidationError when it is no campaign."""
	if doctype not in KINDS:
		frappe.throw(_("{0} is no campaign. Campaigns are: {1}.").format(doctype, ", ".join(map(_, KINDS))))
	return KINDS[doctype]


def why_left_out(code: str) -> str:
	"""Sentence for the code of a plan without steps."""
	sentences = {
		"over": _("The contract is no longer served on that day."),
		"no_anniversary": _("No such day falls into the time chosen."),
		"no_line": _("No line has a price or an offer that is concerned on that day."),
		"negotiated": _("Its prices were negotiated."),
		"unchanged": _("Nothing would be different."),
	}
	return sentences[code]
