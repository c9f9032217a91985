"""Applies what the signs say about TVs: their level, their rights, and an Issue when something is done to them."""

from collections.abc import Iterable

import frappe
from frappe import _
from frappe.utils import escape_html, now_datetime
from pypika.functions import Max

from subscriber_tv.core.devices import clones, movements
from subscriber_tv.flows.activation import record_answer
from subscriber_tv.flows.activation.note_change import note_change
from subscriber_tv.flows.activation.record_answer import local_time
from subscriber_tv.flows.devices.write_devices import add_event
from subscriber_tv.flows.settings import phase_on
from subscriber_tv.flows.support import raise_alarm
from subscriber_tv.flows.support.moments import epoch

JUDGED = (movements.ACTIVE, movements.QUARANTINED)
ACTED_ON = (clones.RESTRICTED, clones.QUARANTINED)
AT_ONCE = 500

Hours = frozenset[tuple[str, int]]


def judge_copies(serials: Iterable[str], *, now: int) -> list[str]:
	"""Judge these TVs by their signs and apply what changed; the serials whose level changed.

	:param now: epoch seconds UTC
	"""
	devices = _locked(sorted(set(serials)))
	evidence = _evidence([device.name for device in devices], now)
	crowded = _crowded({sign for signs in evidence.values() for sign in signs}, now)
	cleared = _cleared([device.name for device in devices])
	policies = _policies([device.name for device in devices])
	changed = []
	for device in devices:
		verdict = clones.judge(
			evidence.get(device.name, ()),
			now=now,
			since=max(epoch(device.bound_on), cleared.get(device.name, 0)),
			policy=policies.get(device.name) or clones.QUARANTINE,
			current=device.suspicion or clones.NONE,
			crowded=crowded,
		)
		if _apply(device, verdict):
			changed.append(device.name)
	return changed


def judge_again() -> int:
	"""Let time do its part: TVs that are watched or restricted are judged anew. Daily; how many changed."""
	if not phase_on("activation"):
		return 0
	levels = (clones.WATCHED, clones.RESTRICTED)
	serials = frappe.get_all("TV Device", {"suspicion": ("in", levels)}, pluck="name", limit=0)
	now = epoch(now_datetime())
	changed = 0
	for start in range(0, len(serials), AT_ONCE):
		changed += len(judge_copies(serials[start : start + AT_ONCE], now=now))
		# A chunk is a unit of work: a job that dies goes on tomorrow with the rest.
		frappe.db.commit()  # nosemgrep
	return changed


def reasons_in_words(verdict: clones.Verdict) -> list[str]:
	"""Each reason as a person reads it."""
	return [
		_("{0} ({1} ×), {2} points").format(sign_label(reason.kind), reason.signs, reason.points)
		for reason in verdict.reasons
	]


def sign_label(kind: str) -> str:
	"""What a kind of sign is called."""
	return {
		clones.FORKED: _("Two sets go on by turns under one name"),
		clones.RESTORED: _("Went on from before: its memory fell back"),
		clones.RESYNC: _("Lost its count and proved itself with its key"),
		clones.FINGERPRINT: _("Other parts than those it was paired with"),
		clones.STREAMS: _("Two streams at once"),
		clones.TAKEOVER: _("Took its own place at the broker again and again"),
		clones.NETWORKS: _("There and back between two networks within minutes"),
		clones.MOVED: _("Asks from another site's network"),
	}[kind]


def _locked(serials: list[str]) -> list[frappe._dict]:
	if not serials:
		return []
	table = frappe.qb.DocType("TV Device")
	columns = ("name", "state", "credential_state", "suspicion", "suspicion_score", "bound_on")
	place = ("subscription", "site", "customer", "company")
	return (
		frappe.qb.from_(table)
		.select(*columns, *place)
		.where(table.name.isin(serials) & table.credential_state.isin(JUDGED))
		.orderby(table.name)
		.for_update()
		.run(as_dict=True)
	)


def _evidence(serials: list[str], now: int) -> dict[str, tuple[clones.Evidence, ...]]:
	if not serials:
		return {}
	oldest = max(2 * weight.days for weight in clones.WEIGHTS.values())
	rows = frappe.get_all(
		"TV Device Evidence",
		filters={
			"device": ("in", serials),
			"cleared": 0,
			"last_noted": (">", local_time(now - oldest * clones.DAY)),
		},
		fields=["device", "kind", "last_noted", "network", "fingerprint", "counter", "count"],
		limit=0,
	)
	found: dict[str, list[clones.Evidence]] = {}
	for row in rows:
		sign = clones.Evidence(
			row.kind,
			epoch(row.last_noted),
			row.network or "",
			row.fingerprint or "",
			int(row.counter or 0),
			row["count"],
		)
		found.setdefault(row.device, []).append(sign)
	return {serial: tuple(signs) for serial, signs in found.items()}


def _cleared(serials: list[str]) -> dict[str, int]:
	"""When somebody last cleared each TV: what an edge saw before and tells only now is void as well."""
	if not serials:
		return {}
	table = frappe.qb.DocType("TV Device Evidence")
	rows = (
		frappe.qb.from_(table)
		.select(table.device, Max(table.cleared_on))
		.where(table.device.isin(serials) & (table.cleared == 1))
		.groupby(table.device)
		.run()
	)
	return {serial: epoch(moment) for serial, moment in rows if moment}


def _crowded(signs: set[clones.Evidence], now: int) -> Hours:
	"""Hours in which so many TVs showed the same that the cause must be common."""
	hours = {(sign.kind, sign.at // 3600) for sign in signs}
	if not hours:
		return frozenset()
	tvs = frappe.db.estimate_count("TV Device")
	return frozenset(hour for hour in hours if clones.is_crowd(_tvs_with(*hour), tvs))


def _tvs_with(kind: str, hour: int) -> int:
	table = frappe.qb.DocType("TV Device Evidence")
	within = (table.last_noted >= local_time(hour * 3600)) & (
		table.last_noted < local_time(hour * 3600 + 3600)
	)
	query = frappe.qb.from_(table).select(table.device).distinct().where((table.kind == kind) & within)
	return len(query.run())


def _policies(serials: list[str]) -> dict[str, str]:
	"""How far each TV's offer lets a suspicion go by itself."""
	if not serials:
		return {}
	device, line = frappe.qb.DocType("TV Device"), frappe.qb.DocType("TV Subscription Line")
	version, offer = frappe.qb.DocType("TV Offer Version"), frappe.qb.DocType("TV Offer")
	rows = (
		frappe.qb.from_(device)
		.join(line)
		.on(
			(line.parent == device.subscription)
			& (line.parenttype == "TV Subscription")
			& (line.line_id == device.line_id)
		)
		.join(version)
		.on(version.name == line.offer_version)
		.join(offer)
		.on(offer.name == version.offer)
		.select(device.name, offer.clone_policy)
		.where(device.name.isin(serials))
		.run()
	)
	return dict(rows)


def _apply(device: frappe._dict, verdict: clones.Verdict) -> bool:
	before = device.suspicion or clones.NONE
	if verdict.level == before:
		if verdict.level and verdict.score != device.suspicion_score:
			frappe.db.set_value("TV Device", device.name, "suspicion_score", verdict.score)
		return False
	quarantined = verdict.level == clones.QUARANTINED
	frappe.db.set_value(
		"TV Device",
		device.name,
		{
			"suspicion": verdict.level or None,
			"suspicion_score": verdict.score,
			"credential_state": movements.QUARANTINED if quarantined else movements.ACTIVE,
		},
	)
	note = "; ".join(
		[_(verdict.level) if verdict.level else _("No longer suspected"), *reasons_in_words(verdict)]
	)
	add_event(device.name, "Suspected", device.state, device.subscription, device.site, note)
	record_answer.state_change(
		f"suspicion_{(verdict.level or 'none').lower()}", device.name, device.subscription
	)
	if before in ACTED_ON or verdict.level in ACTED_ON:
		note_change("Device", device.name)
		_tell(device, verdict)
	return True


def _tell(device: frappe._dict, verdict: clones.Verdict) -> None:
	name = raise_alarm.copy_name(device.name)
	if verdict.level not in ACTED_ON:
		raise_alarm.recover(name, _("The signs of a copy have faded: the TV has its full rights again."))
		return
	items = "".join(f"<li>{escape_html(reason)}</li>" for reason in reasons_in_words(verdict))
	raise_alarm.open_alarm(
		raise_alarm.Alarm(
			name=name,
			kind=raise_alarm.COPY,
			title=_("TV {0} may have a copy: {1}").format(device.name, _(verdict.level)),
			text=_(
				"{0} points of suspicion. Look at the TV's page, ask its owner, then clear or revoke it."
			).format(verdict.score)
			+ f"<ul>{items}</ul>",
			device=device.name,
			site=device.site,
			customer=device.customer,
			company=device.company,
			value=verdict.score,
		)
	)
