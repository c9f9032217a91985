"""Holds telemetry against the TV Health Rules: opens one Issue per TV or site in trouble, closes it when it is over."""

import frappe
from frappe import _
from frappe.query_builder.functions import Count, Sum
from frappe.utils import escape_html, now_datetime

from subscriber_tv.core.devices import health
from subscriber_tv.core.devices.heartbeats import HOUR, Hour
from subscriber_tv.flows.activation.record_answer import local_time
from subscriber_tv.flows.settings import phase_on
from subscriber_tv.flows.support import raise_alarm
from subscriber_tv.flows.support.moments import epoch
from subscriber_tv.flows.support.take_heartbeats import make_status

COLUMNS = {
	health.TEMPERATURE: "temperature",
	health.SIGNAL_STRENGTH: "signal_strength",
	health.ERRORS: "errors",
	health.RESTARTS: "restarts",
}
FELL_SILENT = 48 * HOUR
"""A TV that has been silent for longer than this, when no alarm is open, was switched off or stored, not lost."""

MOST = 2000
"""TVs or sites that one rule may open alarms for at a time; a rule that finds more is wrong, or the trouble is ours."""


def apply_rules(now: int | None = None) -> dict[str, int]:
	"""Apply all rules; how many alarms were `opened` and `recovered`. Every ten minutes; safe twice at once."""
	if not phase_on("activation"):
		return {"opened": 0, "recovered": 0}
	now = epoch(now_datetime()) if now is None else now
	done = {"opened": 0, "recovered": 0}
	for doc in frappe.get_all("TV Health Rule", {"disabled": 0}, ["*"], order_by="name asc", limit=0):
		rule = rule_of(doc)
		for step in steps_of(rule, now):
			done["opened"] += bool(step.action == health.OPEN and open_step(doc, step))
			done["recovered"] += bool(step.action == health.RECOVER and _recover(rule, step))
			# One alarm is a unit of work, and lets go of its lock and of the Issues' series.
			frappe.db.commit()  # nosemgrep
	return done


def rule_of(doc: frappe._dict) -> health.Rule:
	"""The rule as the core judges by it."""
	return health.Rule(
		name=doc.name,
		signal=doc.signal,
		threshold=doc.threshold,
		hours=doc.hours,
		scope=doc.scope,
		tvs=doc.tvs,
		segment=doc.segment or "",
	)


def steps_of(rule: health.Rule, now: int) -> tuple[health.Step, ...]:
	"""What the rule opens and closes now."""
	open_now = _open_subjects(rule)
	suspects = set(_suspects(rule, now)) | open_now
	if rule.scope == health.SITE:
		sets = _sets(rule, now, sites=suspects)
	else:
		sets = _sets(rule, now, serials=suspects)
	return health.judge([rule], sets, {rule.name: frozenset(open_now)}, now)[:MOST]


def open_step(doc: frappe._dict, step: health.Step) -> str | None:
	"""Open the alarm of a step; the Issue, or None when another worker was faster."""
	is_site = doc.scope == health.SITE
	place = _place_of_site(step.subject, step.tvs) if is_site else _place_of_tv(step.subject)
	title = _("{0}: site {1}") if is_site else _("{0}: TV {1}")
	issue = raise_alarm.open_alarm(
		raise_alarm.Alarm(
			name=raise_alarm.health_name(doc.name, step.subject),
			kind=raise_alarm.HEALTH,
			title=title.format(doc.rule_name, place.get("site_name") or step.subject),
			text=_text(doc, step),
			rule=doc.name,
			value=step.value,
			tvs=step.tvs,
			issue_type=doc.issue_type,
			priority=doc.priority,
			device=place.get("device"),
			site=place.get("site"),
			customer=place.get("customer"),
			company=place.get("company"),
		)
	)
	if issue and not is_site:
		make_status([step.subject])  # the fleet's figures count its alarm
	return issue


def _recover(rule: health.Rule, step: health.Step) -> bool:
	done = raise_alarm.recover(raise_alarm.health_name(rule.name, step.subject), raise_alarm.closed_text())
	if done and rule.scope == health.TV:
		make_status([step.subject])
	return done


def _text(doc: frappe._dict, step: health.Step) -> str:
	units = {
		health.TEMPERATURE: _("{0} °C"),
		health.SIGNAL_STRENGTH: _("{0} dBm"),
		health.ERRORS: _("{0} errors an hour"),
		health.RESTARTS: _("{0} restarts an hour"),
		health.SILENCE: _("silent for {0} hours"),
	}
	lines = [
		_("Rule {0}: {1}, for {2} hours in a row.").format(doc.rule_name, _(doc.signal), doc.hours),
		_("Worst reading: {0}.").format(units[doc.signal].format(step.value)),
	]
	if doc.scope == health.SITE:
		shown = ", ".join(step.tvs[: raise_alarm.SHOWN])
		lines.append(_("{0} TVs are concerned: {1}").format(len(step.tvs), shown))
	return "".join(f"<p>{escape_html(line)}</p>" for line in lines)


def _open_subjects(rule: health.Rule) -> set[str]:
	field = "site" if rule.scope == health.SITE else "device"
	return set(frappe.get_all("TV Alarm", {"rule": rule.name, "state": "Open"}, pluck=field, limit=0))


def _suspects(rule: health.Rule, now: int) -> list[str]:
	"""TVs with at least one bad reading in the hours that the rule looks at, or sites with enough of them.

	Only these can pass the rule.
	"""
	status = frappe.qb.DocType("TV Device Status")
	if rule.signal == health.SILENCE:
		query = frappe.qb.from_(status)
		if rule.scope == health.SITE:
			sites = _sites_with_offline(rule.tvs)
			if not sites:
				return []
			query = query.where(status.site.isin(sites))
		query = query.where(status.last_heard <= local_time(now - rule.hours * HOUR))
		query = query.where(status.last_heard > local_time(now - rule.hours * HOUR - FELL_SILENT))
	else:
		row = frappe.qb.DocType("TV Device Hour")
		column = row[COLUMNS[rule.signal]]
		passes = (
			column <= rule.threshold if rule.signal == health.SIGNAL_STRENGTH else column >= rule.threshold
		)
		query = frappe.qb.from_(row).join(status).on(status.name == row.device)
		query = query.where((row.hour >= local_time((now // HOUR - rule.hours) * HOUR)) & passes)
	query = query.where(status.in_service == 1)
	if rule.scope == health.SITE:
		enough = Count(status.name).distinct() >= rule.tvs
		query = query.select(status.site).where(status.site != "").groupby(status.site).having(enough)
	else:
		query = query.select(status.name).distinct()
	return [name for (name,) in query.run()]


def _sites_with_offline(tvs: int) -> list[str]:
	"""Sites with so many TVs offline, by the fleet's figures: the fleet's own rows are then read at these sites alone."""
	count = frappe.qb.DocType("TV Fleet Count")
	offline = Sum(count.tvs) - Sum(count.online)
	query = frappe.qb.from_(count).select(count.site).where(count.site != "")
	return [site for (site,) in query.groupby(count.site).having(offline >= tvs).run()]


def _sets(
	rule: health.Rule, now: int, *, serials: set[str] | None = None, sites: set[str] | None = None
) -> list[health.Set]:
	names = serials if sites is None else sites
	if not names:
		return []
	field = "name" if sites is None else "site"
	statuses = frappe.get_all(
		"TV Device Status",
		filters={field: ("in", sorted(names)), "in_service": 1},
		fields=["name", "site", "segment", "last_heard"],
		limit=0,
	)
	hours = {} if rule.signal == health.SILENCE else _hours([row.name for row in statuses], rule, now)
	return [
		health.Set(
			serial=row.name,
			site=row.site or "",
			segment=row.segment or "",
			last_heard=epoch(row.last_heard),
			hours=tuple(hours.get(row.name, ())),
		)
		for row in statuses
	]


def _hours(serials: list[str], rule: health.Rule, now: int) -> dict[str, list[Hour]]:
	"""Rows of these TVs by their names, which hold serial and hour: no index on the largest table is needed for it."""
	numbers = [now // HOUR - back for back in range(rule.hours + 1)]
	found: dict[str, list[Hour]] = {}
	for start in range(0, len(serials), MOST):
		names = [f"{serial}|{number}" for serial in serials[start : start + MOST] for number in numbers]
		rows = frappe.get_all(
			"TV Device Hour",
			filters={"name": ("in", names)},
			fields=["name", "device", "beats", "temperature", "signal_strength", "errors", "restarts"],
			limit=0,
		)
		for row in rows:
			found.setdefault(row.device, []).append(_hour(row))
	return found


def _hour(row: frappe._dict) -> Hour:
	number = int(row.name.rpartition("|")[2])
	return Hour(
		serial=row.device,
		hour=number,
		beats=row.beats,
		first=number * HOUR,
		last=number * HOUR,
		temp_max=row.temperature or None,
		rssi_min=row.signal_strength or None,
		errors=row.errors,
		restarts=row.restarts,
	)


def _place_of_tv(serial: str) -> dict:
	fields = ["name as device", "site", "customer", "company"]
	return frappe.db.get_value("TV Device", serial, fields, as_dict=True) or {}


def _place_of_site(site: str, serials: tuple[str, ...]) -> dict:
	found = (
		frappe.db.get_value("TV Site", site, ["name as site", "site_name", "customer"], as_dict=True) or {}
	)
	company = frappe.db.get_value("TV Device", serials[0], "company") if serials else None
	return found | {"company": company}
