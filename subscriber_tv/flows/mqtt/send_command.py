"""Queues a command to TVs: a message on screen, a new scan, an update, or to show itself."""

from datetime import timedelta

import frappe
from frappe import _
from frappe.utils import now_datetime

from subscriber_tv.core.mqtt import payloads, topics
from subscriber_tv.flows.activation.note_change import wake
from subscriber_tv.flows.mqtt import broker
from subscriber_tv.flows.mqtt.members import KINDS, reached
from subscriber_tv.flows.mqtt.send_queued import DO
from subscriber_tv.flows.permitted import permitted

DOCTYPE = "TV Command"
LONGEST_MINUTES = payloads.LONGEST_LIFE // 60


class BadCommand(frappe.ValidationError):
	"""The command says too little or too much, or reaches nobody."""


def send_command(
	*,
	target_type: str,
	target: str,
	command: str,
	text_fr: str | None = None,
	text_en: str | None = None,
	firmware: str | None = None,
	minutes: int = 60,
) -> str:
	"""Queue a command in this transaction and wake the publisher once it is committed; returns its name.

	:param target_type: TV Device, TV Site or TV Device Model
	:param minutes: how long it is worth something: TVs switched on later never hear of it; at most a day
	Errors: BadCommand, BrokerNotSet, PermissionError when it reaches TVs of a company that is kept from the user.
	"""
	texts = _texts(command, text_fr, text_en)
	_check_measures(target_type, command, firmware, minutes)
	companies = _reached(target_type, target)
	broker.require_broker()
	doc = frappe.get_doc(
		{
			"doctype": DOCTYPE,
			"target_type": target_type,
			"target": target,
			"command": command,
			"text_fr": texts.fr,
			"text_en": texts.en,
			"firmware": (firmware or "").strip(),
			"company": next(iter(companies)) if len(companies) == 1 else None,
			"state": "Queued",
			"expires_at": now_datetime() + timedelta(minutes=minutes),
			"sent_by": frappe.session.user,
			"tvs": sum(companies.values()),
		}
	)
	doc.flags.written_by_flow = True
	doc.flags.ignore_permissions = True  # nobody may create one but by this flow; the API asks for the role
	doc.insert()
	frappe.db.after_commit.add(wake)
	return doc.name


def _texts(command: str, text_fr: str | None, text_en: str | None) -> payloads.Texts:
	if command not in DO:
		frappe.throw(_("{0} is no command.").format(frappe.bold(command)), BadCommand)
	if command != "Message":
		return payloads.Texts("", "")
	texts = payloads.Texts((text_fr or "").strip(), (text_en or "").strip())
	if not texts.fr or not texts.en:
		frappe.throw(
			_("Write the message in French and in English: a TV shows the one its viewer chose."), BadCommand
		)
	if max(len(texts.fr), len(texts.en)) > payloads.MAX_TEXT:
		frappe.throw(
			_("A message has at most {0} characters in each language.").format(payloads.MAX_TEXT), BadCommand
		)
	return texts


def _check_measures(target_type: str, command: str, firmware: str | None, minutes: int) -> None:
	if target_type not in KINDS:
		frappe.throw(_("A command is for a TV, a site or a model."), BadCommand)
	if not 1 <= minutes <= LONGEST_MINUTES:
		frappe.throw(
			_("A command is valid for 1 to {0} minutes.").format(LONGEST_MINUTES),
			BadCommand,
		)
	if firmware and (command != "Update" or len(firmware) > 32):
		frappe.throw(
			_("Only an update names a firmware, with at most 32 characters."),
			BadCommand,
		)


def _reached(target_type: str, target: str) -> dict[str, int]:
	"""How many TVs hear it, by company."""
	if target_type == "TV Device" and not topics.is_serial(target):
		frappe.throw(
			_(
				"TV {0} cannot connect to the message broker: its serial has other characters than A to Z, 0 to 9 and -."
			).format(frappe.bold(frappe.utils.escape_html(target))),
			BadCommand,
		)
	companies = reached(target_type, target)
	if not companies:
		frappe.throw(
			_("No TV bound to a subscription would hear this command to {0}.").format(
				frappe.bold(frappe.utils.escape_html(target))
			),
			BadCommand,
		)
	named = {company for company in companies if company}
	if named - permitted("Company", named):
		frappe.throw(
			_("{0} has TVs of a company that you may not work for.").format(
				frappe.bold(frappe.utils.escape_html(target))
			),
			frappe.PermissionError,
			title=_("Not Allowed"),
		)
	return companies
