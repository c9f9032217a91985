"""Makes the base whose rights are published: contracts of hotels, as the reference operator has them, and their bound TVs.

A few contracts are made as staff would make them; the others are copies of their records under other names, and all TVs
are written in bulk. Each TV has a key of its own, bound parts and a limit of streams, so that its row is as long as rows get.
"""

import hashlib

import frappe

from subscriber_tv.tests import factories

CONTRACTS = 10_000
TVS = 563_000
LARGEST = 10_000
PROTOTYPES = 4
PREFIX = "PB"
_CHUNK = 2_000

# Hotels have 48 outlets on average, and as many of them share no size: 1 to 110, and one of 10,000.
_COPIES = {
	"TV Site": "name",
	"TV Subscription": "name",
	"TV Subscription Line": "parent",
	"TV Subscription Change": "subscription",
	"TV Subscription Change Line": "parent",
}


def make(tvs: int = TVS, contracts: int = CONTRACTS) -> None:
	"""Fill the site; what is there stays."""
	factories.make_operator()
	version = _offer()
	model = factories.make_device_model()
	frappe.db.set_value("TV Device Model", model, "bind_parts", 1)
	there = frappe.db.count("TV Subscription", {"name": ("like", f"{PREFIX}-C%")})
	if there < contracts:
		_prototypes(version)
		_copy_contracts(contracts)
	if frappe.db.count("TV Device", {"name": ("like", f"{PREFIX}-T%")}) < tvs:
		_tvs(tvs, contracts, model)
	frappe.db.commit()


def sizes(tvs: int, contracts: int) -> list[int]:
	"""TVs of each contract: one large hotel, the others around the average of what is left."""
	largest = min(LARGEST, tvs // 4)
	average = (tvs - largest) / (contracts - 1)
	found, carried = [largest], 0.0
	for number in range(1, contracts):
		carried += average * (0.1 + 1.8 * (number % 10) / 9)
		found.append(int(carried))
		carried -= int(carried)
	found[-1] += tvs - sum(found)
	return found


def contract(number: int) -> str:
	"""The name of a contract."""
	return f"{PREFIX}-C{number:06d}"


def serial(number: int) -> str:
	"""The serial of a TV."""
	return f"{PREFIX}-T{number:07d}"


def _offer() -> str:
	version = factories.make_offer_version("PB-HOTEL")
	frappe.db.set_value("TV Offer", "PB-HOTEL", "streams", 2)
	return version


def _prototypes(version: str) -> None:
	for number in range(PROTOTYPES):
		if frappe.db.exists("TV Subscription", {"external_reference": f"{PREFIX}-{number}"}):
			continue
		site = factories.make_site(site_name=f"Hotel {number}")
		made = factories.make_subscription(
			"Active", site=site, lines=[{"offer_version": version, "quantity": LARGEST}]
		)
		frappe.db.set_value("TV Subscription", made, "external_reference", f"{PREFIX}-{number}")


def _copy_contracts(contracts: int) -> None:
	"""Every contract is a copy of the first prototype: same changes and lines under other names."""
	model = frappe.db.get_value(
		"TV Subscription", {"external_reference": f"{PREFIX}-0"}, ["name", "site"], as_dict=True
	)
	tables = {doctype: frappe.db.get_table_columns(doctype) for doctype in _COPIES}
	numbers = f"seq_0_to_{contracts - 1}"
	renamed = {
		"TV Site": {"name": "concat(%(p)s, '-S', lpad(seq, 6, '0'))"},
		"TV Subscription": {
			"name": "concat(%(p)s, '-C', lpad(seq, 6, '0'))",
			"site": "concat(%(p)s, '-S', lpad(seq, 6, '0'))",
			"external_reference": "null",
			"last_change": "replace(last_change, %(m)s, concat(%(p)s, '-C', lpad(seq, 6, '0')))",
		},
		"TV Subscription Line": {
			"name": "concat(name, lpad(seq, 6, '0'))",
			"parent": "concat(%(p)s, '-C', lpad(seq, 6, '0'))",
		},
		"TV Subscription Change": {
			"name": "replace(name, %(m)s, concat(%(p)s, '-C', lpad(seq, 6, '0')))",
			"subscription": "concat(%(p)s, '-C', lpad(seq, 6, '0'))",
			"site": "concat(%(p)s, '-S', lpad(seq, 6, '0'))",
		},
		"TV Subscription Change Line": {
			"name": "concat(name, lpad(seq, 6, '0'))",
			"parent": "replace(parent, %(m)s, concat(%(p)s, '-C', lpad(seq, 6, '0')))",
		},
	}
	where = {
		"TV Site": "name = %(site)s",
		"TV Subscription": "name = %(m)s",
		"TV Subscription Line": "parent = %(m)s",
		"TV Subscription Change": "subscription = %(m)s",
		"TV Subscription Change Line": "parent like concat(%(m)s, '-C%%')",
	}
	for doctype, columns in tables.items():
		names = ", ".join(f"`{column}`" for column in columns)
		values = ", ".join(renamed[doctype].get(column, f"`{column}`") for column in columns)
		frappe.db.sql(
			f"insert ignore into `tab{doctype}` ({names}) select {values} from `tab{doctype}` join {numbers}"
			f" where {where[doctype]}",
			{"p": PREFIX, "m": model.name, "site": model.site},
		)
	frappe.db.commit()


def _tvs(tvs: int, contracts: int, model: str) -> None:
	line = frappe.db.get_value("TV Subscription Line", {"parent": contract(0)}, "line_id")
	fields = ("name", "serial_no", "creation", "modified", "owner", "modified_by", "model", "state")
	fields += ("credential_state", "subscription", "site", "line_id", "key_hash", "public_key", "parts")
	insert = f"insert ignore into `tabTV Device` ({', '.join(fields)}) values "
	rows: list[str] = []
	number = 0
	for owner, size in enumerate(sizes(tvs, contracts)):
		for _tv in range(size):
			number += 1
			rows.append(_row(serial(number), owner, line, model))
			if len(rows) == _CHUNK:
				frappe.db.sql(insert + ",".join(rows))
				rows.clear()
	if rows:
		frappe.db.sql(insert + ",".join(rows))


def _row(name: str, owner: int, line: str, model: str) -> str:
	"""A TV's values as SQL: all made here. The keys are points of nothing, but as long and as random as points are."""
	import base64

	def text(mark: str, size: int) -> str:
		raw = hashlib.shake_128(f"{mark}{name}".encode()).digest(size)
		return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

	values = (name, name, "2026-01-01", "2026-01-01", "Administrator", "Administrator", model, "In Service")
	values += ("Active", contract(owner), f"{PREFIX}-S{owner:06d}", line)
	values += (text("h", 32), text("k", 64), text("f", 32))
	return "('" + "','".join(values) + "')"
