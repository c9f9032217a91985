"""Commands to TVs from the desk: to one TV, to a site, to all TVs of a model."""

import frappe
from frappe import _

from subscriber_tv.api import guards
from subscriber_tv.flows.mqtt import broker
from subscriber_tv.flows.mqtt import send_command as send_command_flow


@frappe.whitelist(methods=["POST"])
def possible() -> bool:
	"""Whether this site can send commands at all."""
	guards.only_for(*guards.STAFF_COMMANDING["TV Device"])
	return broker.enabled()


@frappe.whitelist(methods=["POST"])
def send(
	target_type: str,
	target: str,
	command: str,
	text_fr: str | None = None,
	text_en: str | None = None,
	firmware: str | None = None,
	minutes: int = 60,
) -> str:
	"""Queue a command (Message, Re-scan, Update, Identify) to a TV Device, TV Site or TV Device Model; returns its name."""
	roles = guards.STAFF_COMMANDING.get(target_type)
	if not roles:
		frappe.throw(_("A command is for a TV, a site or a model."), send_command_flow.BadCommand)
	guards.only_for(*roles)
	frappe.has_permission(target_type, "read", target, throw=True)
	_limit(target_type)
	return send_command_flow.send_command(
		target_type=target_type,
		target=target,
		command=command,
		text_fr=text_fr,
		text_en=text_en,
		firmware=firmware,
		minutes=minutes,
	)


def _limit(target_type: str) -> None:
	"""Whoever takes over an account must not be able to fill a country's screens."""
	kind = "commands" if target_type == "TV Device" else "wide_commands"
	if not guards.spend(kind, frappe.session.user):
		frappe.throw(
			_(
				"That many commands in an hour are too many. Try again later, or choose a site instead of single TVs."
			),
			frappe.RateLimitExceededError,
		)
