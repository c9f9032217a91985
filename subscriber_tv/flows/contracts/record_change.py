"""The one writer of TV Subscription Change rows and of the cache in TV Subscription."""

from datetime import date

import frappe

from subscriber_tv.core.contracts.lines import Line, line_on, next_day_of_change
from subscriber_tv.core.contracts.timeline import Change, Contract
from subscriber_tv.flows.contracts.change_rows import rows_of
from subscriber_tv.flows.devices.tvs_on_line import tvs_on_line

#: DocType and name of the document that caused a change.
Source = tuple[str, str]


def record_change(
	subscription: str, change: Change, reason: str | None = None, source: Source | None = None, **values: str
) -> str:
	"""Insert one change, submitted at once; return its name. The caller holds the lock of the subscription.

	`values` are fields of the change that the core does not know: the new payer, holder or site.
	"""
	doc = frappe.get_doc(
		{
			"doctype": "TV Subscription Change",
			"docstatus": 1,
			"subscription": subscription,
			"change_no": change.no,
			"event": change.event,
			"from_state": change.from_state,
			"to_state": change.to_state,
			"effective_date": change.effective,
			"end_date": change.end,
			"billing_stops": int(not change.billed),
			"exit_free": int(change.free),
			"anchor_day": change.anchor_day or 0,
			"withdraws": change.withdraws or 0,
			"payer": change.payer,
			"reason": reason,
			"known_on": frappe.utils.now_datetime(),
			"author": frappe.session.user,
			"source_doctype": source[0] if source else None,
			"source_name": source[1] if source else None,
			**rows_of(change),
			**values,
		}
	)
	# Nobody has write access to changes: whoever may cause this event was checked by the endpoint or by
	# the permission on the subscription itself.
	doc.flags.ignore_permissions = True
	doc.flags.recorded_by_flow = True
	return doc.insert().name


def read_current(subscription: str, facts: dict):
	"""The subscription with its lines as they are now; the caller holds its lock and gives the facts read with it.

	Our snapshot may be older than the lock: whoever had it before us has then touched `modified`, and only a locking
	read sees the lines he wrote. That one also locks the gap beside them, so it is left for when it is needed.
	"""
	doc = frappe.get_doc("TV Subscription", subscription)
	if doc.modified == facts["modified"]:
		return doc
	return frappe.get_doc("TV Subscription", subscription, for_update=True)


def refresh_cache(doc, contract: Contract, last_change: str | None, today: date) -> None:
	"""Write what the changes make of a TV Subscription into its own fields and tell open forms.

	`last_change` is None when none was recorded and only the day is another. `today` is the day at the site.
	"""
	refresh_lines(doc, contract, today)
	payer = contract.payer_on(today)
	values = {
		"payer": payer or doc.payer,
		"state": contract.state,
		"state_since": contract.state_since(),
		"activated_on": contract.activated_on,
		"end_date": contract.end_date,
		"next_change_on": _next_change_on(contract, today),
		"term_end": contract.bounds()[-1].end if contract.bounds() else None,
	}
	if last_change:
		values |= {"change_count": contract.changes[-1].no, "last_change": last_change}
	doc.db_set(values, notify=True)


def _next_change_on(contract: Contract, today: date) -> date | None:
	"""The next day on which lines or payer are others than today."""
	days = [next_day_of_change(contract.lines, today), *(day for day, _ in contract.payers if day > today)]
	return min((day for day in days if day), default=None)


def refresh_lines(doc, contract: Contract, today: date) -> None:
	"""One row for each line of the contract: as it is on `today`, else as it will begin, else as it ended.

	Only rows that become others are written: most changes touch none of a contract's lines.
	"""
	rows = {row.line_id: row for row in doc.lines}
	for line_id in dict.fromkeys(piece.line_id for piece in contract.lines):
		shown = _shown([piece for piece in contract.lines if piece.line_id == line_id], today)
		values = {
			"offer_version": shown.offer_version,
			"quantity": shown.quantity,
			"from_date": shown.start,
			"to_date": shown.end,
			"option_of": shown.option_of or None,
		}
		if row := rows.get(line_id):
			_write_line(row, values)
		else:
			doc.append("lines", {"line_id": line_id, **values}).db_insert()
	_drop_lines_taken_back(doc, contract)


def _write_line(row, values: dict) -> None:
	"""Write a row whose values differ; a day may stand in it as text, as a form sent it."""
	if {name: _comparable(row.get(name)) for name in values} != {
		name: _comparable(value) for name, value in values.items()
	}:
		row.db_set(values, update_modified=False)


def _comparable(value) -> str:
	return "" if value is None else str(value)


def _drop_lines_taken_back(doc, contract: Contract) -> None:
	"""A line whose beginning was taken back was never there; one with a TV stays, ended, until it is unbound."""
	known = {piece.line_id for piece in contract.lines}
	for row in list(doc.lines):
		if row.line_id in known:
			continue
		if tvs_on_line(doc.name, row.line_id):
			_write_line(row, {"from_date": None, "to_date": contract.changes[0].effective})
		else:
			frappe.db.delete("TV Subscription Line", {"name": row.name})
			doc.lines.remove(row)


def _shown(pieces: list[Line], today: date) -> Line:
	upcoming = (piece for piece in pieces if piece.start and piece.start > today)
	return line_on(pieces, pieces[0].line_id, today) or next(upcoming, pieces[-1])


def discard_only_change(subscription: str) -> None:
	"""Remove the change that opened a draft, before the draft itself is deleted."""
	changes = frappe.get_all("TV Subscription Change", {"subscription": subscription}, pluck="name")
	for name in changes:
		for table in (
			"TV Subscription Change Line",
			"TV Subscription Price Line",
			"TV Subscription Discount Line",
		):
			frappe.db.delete(table, {"parent": name})
		frappe.db.delete("TV Subscription Change", {"name": name})
