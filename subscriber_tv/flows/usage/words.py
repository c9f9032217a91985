"""Sentences for what is wrong with a usage record or a file, in the language of whoever reads them."""

import json
from dataclasses import replace

import frappe
from frappe import _
from frappe.utils import formatdate

from subscriber_tv.core.usage.problem import MESSAGES, Problem

DAYS = ("day", "since", "today", "ended")
"""Values that are days, kept as ISO text."""


def reason(problem: Problem) -> str:
	"""What is wrong."""
	return _spoken(problem).reason(_)


def next_step(problem: Problem) -> str:
	"""What to do about it."""
	return _spoken(problem).next_step(_)


def _spoken(problem: Problem) -> Problem:
	"""The problem with its days as the site writes them."""
	values = ((name, formatdate(text) if name in DAYS else text) for name, text in problem.values)
	return replace(problem, values=tuple(values))


def sentence(problem: Problem) -> str:
	"""Both."""
	return f"{reason(problem)} {next_step(problem)}"


def _in_site_language(text: str) -> str:
	return _(text, lang=frappe.get_system_settings("language"))


def stored(problem: Problem | None) -> dict:
	"""The columns in which a record keeps its problem; emptied when there is none.

	The sentence for lists and reports is in the language of the site, whoever sent the record; the form words it anew.
	"""
	if problem is None:
		return {"problem": None, "problem_values": None, "reason": None}
	spoken = _spoken(problem)
	return {
		"problem": problem.code,
		"problem_values": json.dumps(dict(problem.values), ensure_ascii=False),
		"reason": f"{spoken.reason(_in_site_language)} {spoken.next_step(_in_site_language)}",
	}


def problem_of(row) -> Problem | None:
	"""The problem that a record keeps; None when it has none, or one that this version does not know."""
	if row.problem not in MESSAGES:
		return None
	values = json.loads(row.problem_values or "{}")
	return Problem(row.problem, tuple(values.items()))
