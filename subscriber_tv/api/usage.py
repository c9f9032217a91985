"""Usage records: what sources post, what staff load, and what staff decide about records that did not fit.

`post` is the one endpoint for machines. Whatever is wrong with a whole message is answered with a 4xx status and JSON, and
nothing of it is kept; whatever is wrong with one record is told in its place of the answer, and the record is kept.
"""

import json
from typing import Any

import frappe
from frappe import _
from werkzeug.wrappers import Response

from subscriber_tv.api import guards
from subscriber_tv.api.values import parsed
from subscriber_tv.core.usage.profile import FIELDS
from subscriber_tv.flows.usage import corrections, decide, import_file, profiles
from subscriber_tv.flows.usage import receive as receive_flow
from subscriber_tv.flows.usage import replay as replay_flow
from subscriber_tv.flows.usage.take import AT_ONCE

PATH = "/method/subscriber_tv.api.usage.post"
SENDERS = ("TV Usage Sender", "TV Billing", "System Manager")
STAFF = ("TV Billing", "TV Back Office", "System Manager")
MAX_BODY = 2_000_000
MAX_REASON = 500
RECORD = "TV Usage Record"


class BadMessage(frappe.ValidationError):
	"""The message as a whole is not what the documentation says."""

	http_status_code = 400


class MessageTooLarge(frappe.ValidationError):
	"""More bytes or records than one message may hold."""

	http_status_code = 413


class TooOften(frappe.ValidationError):
	"""The user has used up the requests of this minute."""

	http_status_code = 429


@frappe.whitelist(methods=["POST"])
def post(profile: str = "", records: list | str = "") -> dict:
	"""Take up to 1,000 records of the source that `profile` names, each once; see docs/usage.md.

	The answer counts the outcomes and lists them in the order of the records. PermissionError without a role for it, or
	when the profile names another user.
	"""
	guards.only_for(*SENDERS)
	if not guards.spend("usage", frappe.session.user):
		frappe.throw(_("Too many requests. Wait a minute, or send more records in each."), TooOften)
	if len(frappe.request.get_data() if frappe.request else b"") > MAX_BODY:
		frappe.throw(_("A message holds at most {0} MB.").format(MAX_BODY // 1_000_000), MessageTooLarge)
	if not profile:
		frappe.throw(_("profile: the name of an import profile is expected."), BadMessage)
	_require_profile(profile)
	return receive_flow.receive(profile=profile, records=_records(records, profile))


@frappe.whitelist(methods=["POST"])
def import_usage(profile: str, file_url: str) -> str:
	"""Load a file the user uploaded in a worker; the name of its TV Import.

	Errors: PermissionError for other roles or another person's file, ValidationError for a profile that is switched off.
	"""
	guards.only_for(*STAFF)
	_require_profile(profile)
	name = frappe.db.get_value("File", {"file_url": file_url, "owner": frappe.session.user})
	if not name:
		raise frappe.PermissionError
	return import_file.new_import(profile=profile, file=name)


@frappe.whitelist(methods=["POST"])
def resume_import(tv_import: str) -> None:
	"""Go on with an import whose worker is gone, or load a failed one anew."""
	guards.only_for(*STAFF)
	_require_import(tv_import)
	import_file.resume(tv_import)


@frappe.whitelist(methods=["POST"])
def try_again(names: list | str) -> dict:
	"""Judge rejected records the user may change anew, at most 1,000; what became of them by status."""
	guards.only_for(*STAFF)
	return dict(replay_flow.replay(_writable(_names(names))))


@frappe.whitelist(methods=["POST"])
def try_import_again(tv_import: str) -> None:
	"""Judge all rejected records of an import anew that the user may read, in a worker."""
	guards.only_for(*STAFF)
	_require_import(tv_import)
	frappe.enqueue(
		"subscriber_tv.flows.usage.replay.replay_all",
		queue="long",
		timeout=import_file.JOB_SECONDS,
		job_id=f"subscriber-tv-usage-replay-{tv_import}",
		deduplicate=True,
		enqueue_after_commit=True,
		tv_import=tv_import,
	)


@frappe.whitelist(methods=["POST"])
def dismiss(names: list | str, reason: str) -> int:
	"""Close records that wait for somebody and that the user may change; how many were."""
	guards.only_for(*STAFF)
	return decide.dismiss(_writable(_names(names)), _reason(reason))


@frappe.whitelist(methods=["POST"])
def accept_conflict(name: str) -> str:
	"""Let a contradicting record count instead of the one it contradicts; the record that counts now."""
	guards.only_for(*STAFF)
	stands = frappe.db.get_value(RECORD, name, "current_record")
	_writable([name, *([stands] if stands else [])])
	return decide.accept_conflict(name)


@frappe.whitelist(methods=["POST"])
def cancel(name: str, reason: str) -> None:
	"""Take a record back that counts; what was billed of it is credited by the next run."""
	guards.only_for(*STAFF)
	_writable([name])
	decide.cancel(name, _reason(reason))


@frappe.whitelist(methods=["GET"])
def rejected_file(tv_import: str) -> None:
	"""Download the rejected records of an import in the format of its profile, with reason and next step."""
	guards.only_for(*STAFF)
	_require_import(tv_import)
	_download(*corrections.rejected_file(tv_import))


@frappe.whitelist(methods=["GET"])
def example_file(profile: str) -> None:
	"""Download a file as the profile reads it, with two records."""
	guards.only_for(*STAFF)
	frappe.has_permission("TV Import Profile", doc=profile, throw=True)
	_download(*corrections.example_file(profile))


def replace_answer(response: Response | None, request) -> None:
	"""Hook `after_request`: Frappe reads a body before any of our code runs, and calls one that is no JSON a fault of its own."""
	if response is None or response.status_code < 500 or not request.path.rstrip("/").endswith(PATH):
		return
	try:
		if isinstance(json.loads(request.get_data(as_text=True)), dict):
			return
	except (ValueError, RecursionError):
		pass
	answer = {"exc_type": "BadMessage", "message": _("The body is not a JSON object.")}
	response.status_code = BadMessage.http_status_code
	response.set_data(json.dumps(answer))
	response.headers["Content-Type"] = "application/json"


def _require_profile(name: str) -> None:
	found = frappe.db.get_value("TV Import Profile", name, ["kind", "disabled", "api_user"], as_dict=True)
	if not found:
		frappe.throw(_("There is no import profile {0}.").format(name), frappe.DoesNotExistError)
	if found.disabled:
		frappe.throw(_("Import profile {0} is switched off.").format(name), BadMessage)
	if found.api_user and found.api_user != frappe.session.user and not set(STAFF) & set(frappe.get_roles()):
		raise frappe.PermissionError


def _records(records: Any, profile: str) -> list[dict]:
	found = records
	if isinstance(records, str):
		try:
			found = json.loads(records)
		except (ValueError, RecursionError):
			found = None
	if not isinstance(found, list) or not found:
		frappe.throw(_("records: a list of at least one record is expected."), BadMessage)
	if len(found) > AT_ONCE:
		frappe.throw(
			_("A message holds at most {0} records, not {1}.").format(AT_ONCE, len(found)), MessageTooLarge
		)
	known = {column.name for column in profiles.load(profile).places if column.name}
	for number, record in enumerate(found):
		_require_record(number, record, known)
	return found


def _require_record(number: int, record: Any, known: set[str]) -> None:
	if not isinstance(record, dict):
		frappe.throw(_("records[{0}]: an object is expected.").format(number), BadMessage)
	for name, value in record.items():
		if name not in known:
			frappe.throw(
				_("records[{0}].{1}: there is no such field. Known are: {2}.").format(
					number, name[:100], ", ".join(sorted(known, key=_order))
				),
				BadMessage,
			)
		if isinstance(value, list | dict):
			frappe.throw(
				_("records[{0}].{1}: text or a number is expected.").format(number, name), BadMessage
			)


def _order(name: str) -> tuple[int, str]:
	return (FIELDS.index(name) if name in FIELDS else len(FIELDS), name)


def _names(names: list | str) -> list[str]:
	found = parsed(names)
	if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
		frappe.throw(_("names: a list of records is expected."), BadMessage)
	if len(found) > AT_ONCE:
		frappe.throw(_("At most {0} records at once.").format(AT_ONCE), MessageTooLarge)
	return found


def _writable(names: list[str]) -> list[str]:
	"""These records, if the user may change each of them that there is. Errors: PermissionError."""
	frappe.has_permission(RECORD, "write", throw=True)
	named = {"name": ("in", names or [""])}
	there = frappe.get_all(RECORD, named, pluck="name", limit=0)
	own = set(frappe.get_list(RECORD, named, pluck="name", limit=0))
	if kept := [name for name in there if name not in own]:
		frappe.throw(
			_("You may not change usage record {0}.").format(frappe.bold(kept[0])),
			frappe.PermissionError,
			title=_("Not Allowed"),
		)
	return names


def _reason(reason: str) -> str:
	if not reason.strip():
		frappe.throw(_("Say why."))
	# Records are written by the batch, without the cleaning that a form's text gets.
	return frappe.utils.sanitize_html(reason.strip())[:MAX_REASON]


def _require_import(tv_import: str) -> None:
	frappe.has_permission("TV Import", doc=tv_import, throw=True)


def _download(file_name: str, content: bytes) -> None:
	frappe.response.filename = file_name
	frappe.response.filecontent = content
	frappe.response.type = "download"
