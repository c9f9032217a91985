"""Fills a site with the fleet, so that its endpoint answers at full size.

	cd SITES; PYTHONPATH=CLONE BENCH/env/bin/python -m benchmarks.device_auth.desk --site SITE --cache FOLDER --version V

The site answers with the benchmark's own keys from then on: take one of its own. The TVs that will ask have real rows,
stored as the publisher stores them; the others fill the tables in bulk, with rows as long.
"""

import argparse
import time
from pathlib import Path

import frappe
from frappe.installer import update_site_config

from benchmarks.device_auth import fleet
from benchmarks.device_auth.questions import tv_of
from subscriber_tv.core.activation import rollup
from subscriber_tv.core.activation.feed import DEVICE
from subscriber_tv.core.devices import mac
from subscriber_tv.core.devices.requests import DESK
from subscriber_tv.flows.activation import keys, record_answer, store_rights
from subscriber_tv.tests import factories

# TVs with rows of their own: more than a desk can answer in all rounds.
ASKING = 20_000
SAVED_AT_ONCE = 500
CHUNK = 50_000
SERIAL = "concat('BENCH-', lpad(number.seq - 1, 7, '0'))"

FILL_DEVICES = f"""
	insert ignore into `tabTV Device` (name, serial_no, creation, modified, owner, modified_by, item, model, state,
		credential_state, company, customer, subscription, line_id, key_hash, first_power_on, firmware)
	select {SERIAL}, {SERIAL}, %(then)s, %(then)s, 'Administrator', 'Administrator', %(model)s, %(model)s, 'In Service',
		'Active', %(company)s, %(customer)s, concat('SUB-', lpad((number.seq - 1) div 56, 6, '0')), 'L1',
		left(sha2({SERIAL}, 256), 43), %(then)s, ''
	from seq_1_to_1000000 as number where number.seq > %(after)s and number.seq <= %(upto)s
"""
FILL_COUNTERS = f"""
	insert ignore into `tabTV Counter` (name, creation, modified, owner, modified_by, docstatus, number, nonce)
	select {SERIAL}, %(then)s, %(then)s, 'Guest', 'Guest', 0, 0, left(sha2({SERIAL}, 256), 22)
	from seq_1_to_1000000 as number where number.seq > %(after)s and number.seq <= %(upto)s
"""
# Tables whose rows are copies of one that the product wrote: what differs from it.
COPIED = {
	"TV Entitlement": {
		"name": f"concat('Device/', {SERIAL})",
		"subject": SERIAL,
		"device": SERIAL,
		"seq": "%(base)s + number.seq",
		"subscription": "concat('SUB-', lpad((number.seq - 1) div 56, 6, '0'))",
		"key_hash": f"left(sha2({SERIAL}, 256), 43)",
		"facts_hash": f"sha2({SERIAL}, 256)",
	},
	"TV Activation": {
		"name": f"concat('A|', {SERIAL}, '|desk|2025-01-01')",
		"asked_by": SERIAL,
		"device": SERIAL,
	},
}


def main() -> None:
	"""Fill, and say how long it took."""
	asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
	asked.add_argument("--site", required=True)
	asked.add_argument("--cache", type=Path, required=True)
	asked.add_argument("--version", required=True)
	asked.add_argument("--tvs", type=int, default=fleet.TVS)
	options = asked.parse_args()
	frappe.init(site=options.site)
	frappe.connect()
	frappe.set_user("Administrator")
	try:
		began = time.perf_counter()
		fill(options.cache, options.version, options.tvs)
		print(f"the site holds {options.tvs:,} TVs after {time.perf_counter() - began:.0f} s")
		for table in ("TV Device", "TV Entitlement", "TV Counter", "TV Activation"):
			print(f"  {table}: {frappe.db.count(table):,} rows")
	finally:
		frappe.destroy()


def fill(cache: Path, version: str, tvs: int) -> None:
	"""Keys, settings and rows."""
	now = int(time.time())
	everybody = fleet.keys(cache, tvs)
	built = fleet.built(cache, everybody, version, now)
	_take_keys(built)
	company = factories.make_operator()
	place = {"company": company, "customer": factories.make_customer("Power-on Benchmark")}
	place |= {"model": factories.make_device_model(), "then": "2025-01-01 00:00:00"}
	_real_rows(everybody, built, now, min(ASKING, tvs))
	_copies(tvs, place)


def _take_keys(built: fleet.Projection) -> None:
	"""From now on this site signs with the key of the projection, and knows the fleet by its masters."""
	masters = Path(frappe.get_site_path("benchmark-masters.json"))
	masters.write_bytes(mac.write_masters(fleet.MASTERS.keys))
	for name, path in ((keys.LEASE_KEY, built.lease_key), (keys.MASTERS, masters)):
		update_site_config(name, str(path.resolve()))
		frappe.local.conf[name] = str(path.resolve())


def _real_rows(everybody: fleet.Fleet, built: fleet.Projection, now: int, number: int) -> None:
	asking = sorted({tv_of(turn, len(everybody)) for turn in range(number)})
	for page in fleet.signed(everybody, built.signer, now, asking):
		for start in range(0, len(page), SAVED_AT_ONCE):
			store_rights.save(page[start : start + SAVED_AT_ONCE])
		frappe.db.commit()


def _copies(tvs: int, place: dict) -> None:
	"""Everybody else, and everybody's rows in the other tables."""
	patterns = {
		"TV Entitlement": frappe.db.get_value("TV Entitlement", {"kind": DEVICE}, "name"),
		"TV Activation": _an_answer(),
	}
	statements = [(FILL_DEVICES, ""), (FILL_COUNTERS, "")]
	statements += [(_copying(table), pattern) for table, pattern in patterns.items()]
	for after in range(0, tvs, CHUNK):
		for statement, pattern in statements:
			values = {"after": after, "upto": min(after + CHUNK, tvs), "pattern": pattern, "base": 10_000_000}
			frappe.db.sql(statement, place | values)
		frappe.db.commit()


def _an_answer() -> str:
	"""A row of TV Activation for an answer given long ago."""
	when = 1_735_700_000
	bucket = rollup.named(rollup.ALLOWED, when=when, serial="BENCH-0000000", audience=DESK, version=1)
	record_answer.add([rollup.Tally(bucket, 1, when, when)])
	return bucket.key


def _copying(table: str) -> str:
	names = [row[0] for row in frappe.db.sql(f"show columns from `tab{table}`")]
	chosen = ", ".join(COPIED[table].get(name, f"pattern.`{name}`") for name in names)
	columns = ", ".join(f"`{name}`" for name in names)
	return f"""insert ignore into `tab{table}` ({columns}) select {chosen}
		from seq_1_to_1000000 as number join `tab{table}` pattern on pattern.name = %(pattern)s
		where number.seq > %(after)s and number.seq <= %(upto)s"""


if __name__ == "__main__":
	main()
