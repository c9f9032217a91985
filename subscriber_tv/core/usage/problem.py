"""What can be wrong with a record or a file, each with a reason that names it and the step that puts it right."""

from collections.abc import Mapping
from dataclasses import dataclass


def _(text: str) -> str:
	return text


#: Code -> (reason, next step), in English; flows translate them. Names in braces are the values of the problem.
MESSAGES: Mapping[str, tuple[str, str]] = {
	"required": (_("{field} is empty."), _("Fill it in, then try again.")),
	"no_key": (
		_("The record has no key."),
		_(
			"Let the source give each record a key of its own, or name the columns that make one in the profile."
		),
	),
	"too_long": (
		_("{field} is longer than 140 characters."),
		_("Look for a missing closing quote or a wrong column."),
	),
	"number": (
		_("{field}: {value} is not a number."),
		_("Write digits with the decimal sign of the profile."),
	),
	"too_large": (
		_("The quantity {value} is too large."),
		_("Check the unit, or the conversion in the profile."),
	),
	"version": (_("{value} is not a version."), _("Number versions from 1.")),
	"flag": (_("{value} does not say whether the record is cancelled."), _("Write 1 or 0, yes or no.")),
	"time": (
		_("{field}: {value} is not a moment."),
		_("Write it as {format}, or correct the date format of the profile."),
	),
	"no_time": (
		_("The record says neither when it happened nor on which day."),
		_("Fill in the time or the day."),
	),
	"cells": (
		_("The row has {found} cells, the heading {expected}."),
		_("Look for a stray separator or quote, and at the delimiter in the profile."),
	),
	"not_an_object": (_("The line is not a JSON object."), _("Write one record a line, in braces.")),
	"no_subject": (
		_("The record names neither a TV nor a subscription."),
		_("Fill in the serial number or the subscription."),
	),
	"not_positive": (
		_("The quantity {value} is not above zero."),
		_("To take a record back, send its key again, marked as cancelled."),
	),
	"unknown_serial": (
		_("There is no TV {serial}."),
		_("Correct the serial number, or receive the TV first."),
	),
	"not_bound": (
		_("TV {serial} was bound to no subscription on {day}."),
		_("Name the subscription in the record, or correct the day."),
	),
	"unknown_subscription": (
		_("There is no subscription {subscription}, by number or external reference."),
		_("Correct the number, or open the subscription first."),
	),
	"other_subscription": (
		_("TV {serial} belonged to subscription {found} on {day}, not to {subscription}."),
		_("Correct one of the two, or leave the subscription out."),
	),
	"never_activated": (
		_("Subscription {subscription} was never activated."),
		_("Activate it with the day from which it is served."),
	),
	"before_activation": (
		_("Subscription {subscription} is served from {since} only, the record is of {day}."),
		_("Correct the day, or the activation."),
	),
	"not_served": (
		_("Subscription {subscription} was not served on {day}."),
		_("Correct the day, or the end of the subscription."),
	),
	"before_opening": (
		_(
			"Everything before {since} was billed elsewhere for subscription {subscription}; the record is of {day}."
		),
		_("Dismiss the record, or correct its day."),
	),
	"too_old": (
		_(
			"Usage of {subscription} on {day} belongs to a period that ended on {ended}, {months} months ago; the limit is {limit}."
		),
		_(
			"It is held and not charged. Raise Most Months Billed at Once in TV Settings, then try again; or dismiss the record."
		),
	),
	"future": (
		_("The record is of {day}; at the site it is {today}."),
		_("Check the clock and time zone of the source, or try again on that day."),
	),
	"unknown_line": (
		_("Subscription {subscription} has no line {line} on {day}."),
		_("Correct the line, or leave it out."),
	),
	"no_charge": (
		_(
			"No line of subscription {subscription} has a usage charge {charge} on {day}. Usage charges that day: {possible}."
		),
		_("Correct the charge code, or add the charge to the offer."),
	),
	"several_lines": (
		_("Usage charge {charge} stands on several lines of subscription {subscription}: {lines}."),
		_("Name the line in the record."),
	),
	"contradicts": (
		_("Source key {key} was received before in version {version}, with other content."),
		_("Decide which one counts, or have the source send a higher version."),
	),
	"no_profile": (_("The profile {profile} is gone."), _("Correct the fields of the record by hand.")),
	# Of a whole file
	"encoding": (
		_("The file is not {encoding} text."),
		_("Correct the encoding in the profile, or save the file anew."),
	),
	"too_big": (_("The file is larger than {limit} MB."), _("Split it into smaller files.")),
	"empty": (_("The file has no rows."), _("Check that it is the right file.")),
	"csv": (
		_("The file is no CSV: {error}."),
		_("Check the delimiter in the profile, and the quotes in the file."),
	),
	"missing_column": (
		_("The file has no column {column}. Its columns are: {found}."),
		_("Correct the column in the profile, or the heading in the file."),
	),
	"repeated_column": (_("Column {column} stands twice in the heading."), _("Keep one of the two.")),
	"workbook": (_("The file is no XLSX workbook."), _("Save it as XLSX, or choose another profile.")),
	"no_sheet": (_("The workbook has no sheet {sheet}."), _("Correct the sheet in the profile.")),
}

#: Problems of the input as it was written: correcting the profile may be enough to read it.
OF_READING = frozenset(
	(
		"required",
		"no_key",
		"too_long",
		"number",
		"too_large",
		"version",
		"flag",
		"time",
		"no_time",
		"cells",
		"not_an_object",
	)
)


LONGEST_VALUE = 500


@dataclass(frozen=True)
class Problem:
	"""A code of MESSAGES and the values its sentences need."""

	code: str
	values: tuple[tuple[str, str], ...] = ()

	def reason(self, translate=_) -> str:
		"""The sentence that says what is wrong."""
		return self._said(0, translate)

	def next_step(self, translate=_) -> str:
		"""The sentence that says what to do."""
		return self._said(1, translate)

	def _said(self, which: int, translate) -> str:
		values = dict(self.values)
		if "field" in values:
			values["field"] = translate(FIELD_LABELS.get(values["field"], values["field"]))
		return translate(MESSAGES[self.code][which]).format_map(_Known(values))


class _Known(dict):
	"""A sentence of an older version must not fail for a value it does not know."""

	def __missing__(self, key: str) -> str:
		return "?"


FIELD_LABELS: Mapping[str, str] = {
	"key": _("Source Key"),
	"version": _("Version"),
	"cancelled": _("Cancelled"),
	"serial": _("Serial No"),
	"subscription": _("Subscription"),
	"line": _("Line"),
	"charge": _("Charge Code"),
	"quantity": _("Quantity"),
	"at": _("Time"),
	"day": _("Day"),
}


def problem(code: str, **values: object) -> Problem:
	"""A problem with its values as text; what a source wrote may be of any length, a sentence may not."""
	return Problem(code, tuple((name, str(value)[:LONGEST_VALUE]) for name, value in values.items()))


class Bad(Exception):
	"""One value or one row cannot be read."""

	def __init__(self, code: str, **values: object):
		super().__init__(code)
		self.problem = problem(code, **values)


class Unreadable(Bad):
	"""The whole file cannot be read."""
