"""Many rows at once: signed by other processes, contracts together, rows of an older form."""

import json
from unittest.mock import patch

import frappe
from frappe.tests.utils import FrappeTestCase

from subscriber_tv.core.devices import jws
from subscriber_tv.flows.activation import keys, publish, sign_rows, store_rights
from subscriber_tv.flows.activation.note_change import note_change, note_changes
from subscriber_tv.setup import pack_rights
from subscriber_tv.tests import factories
from subscriber_tv.tests.test_activation import bound_tv
from subscriber_tv.tests.test_publisher import many_tvs, publish_all, row


class TestManyRows(FrappeTestCase):
	def test_other_processes_sign_what_this_one_would(self):
		subscription = factories.make_subscription("Active", quantity=1100)
		serials = many_tvs(subscription, 1100)
		sign_rows.use_processes(1)
		self.addCleanup(sign_rows.use_processes, 0)
		note_change("Subscription", subscription)
		publish_all()
		verifier = keys.verifier()
		for serial in (serials[0], serials[600], serials[1099]):
			entry = store_rights.entry("Device", serial)
			claims = json.loads(verifier.verify(jws.LEASE, entry.lease))
			self.assertEqual(
				(claims["sub"], claims["ver"], claims["cnf"]), (serial, entry.version, {"jkt": "k" * 43})
			)

	def test_small_contracts_are_published_together_and_a_large_one_by_itself(self):
		small = [factories.make_subscription("Active", quantity=2) for _n in range(3)]
		large = factories.make_subscription("Active", quantity=30)
		publish_all()
		serials = {name: many_tvs(name, 2) for name in small} | {large: many_tvs(large, 30)}
		note_changes("Subscription", [small[0], large, small[1], small[2]])
		self.assertEqual(publish.publish_pending(limit=10), 3)
		self.assertEqual({row(serial).state for name in small for serial in serials[name]}, {"Active"})
		self.assertIsNone(row(serials[large][0]))
		publish_all()
		self.assertEqual({row(serial).state for serial in serials[large]}, {"Active"})

	def test_a_tv_moved_to_another_contract_has_the_rights_of_that_one_alone(self):
		old, new, other = (factories.make_subscription("Active", quantity=1) for _n in range(3))
		(serial,) = many_tvs(old, 1)
		note_changes("Subscription", [old, other])
		publish_all()
		line = frappe.get_doc("TV Subscription", new).lines[0].line_id
		frappe.db.set_value("TV Device", serial, {"subscription": new, "line_id": line})
		note_changes("Subscription", [old, other])
		publish_all()
		found = frappe.db.get_value(
			"TV Entitlement", store_rights.name_of("Device", serial), ["subscription", "removed"]
		)
		self.assertEqual(found, (new, 0))

	def test_rows_stored_column_by_column_are_packed_on_migration(self):
		tv = bound_tv(factories.make_subscription("Awaiting Activation"))
		publish_all()
		entry = store_rights.entry("Device", tv.serial)
		name = store_rights.name_of("Device", tv.serial)
		pack_rights.pack_rights()  # a site made new has no such columns, and nothing happens
		former = {
			field: getattr(entry, field) for field in ("key_hash", "account", "streams", "play_seconds")
		}
		former |= {"denial": entry.denial, "lease": entry.lease, "public_key": entry.key, "parts": entry.fp}
		stored = frappe.db.get_value("TV Entitlement", name, "*", as_dict=True)
		known = set(frappe.db.get_table_columns("TV Entitlement")) | set(former)
		with (
			patch.object(frappe.db, "get_table_columns", lambda _table: known),
			patch.object(frappe.db, "sql", side_effect=[[frappe._dict(stored | former)], []]),
			patch.object(frappe.db, "set_value") as written,
		):
			pack_rights.pack_rights()
		self.assertEqual(written.call_args.args[1:], (name, {"packed": stored.packed, "lease": ""}))
