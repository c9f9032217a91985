"""Files of usage records: several formats, loaded twice, broken off, refused, put right and loaded again."""

import io
import json
from datetime import datetime
from pathlib import Path
from unittest.mock import patch

import frappe
from frappe.utils import now_datetime
from openpyxl import Workbook, load_workbook

from subscriber_tv.flows.usage import corrections, import_file, profiles
from subscriber_tv.flows.usage.facts import usage_of
from subscriber_tv.tests.usage_case import UsageTestCase, film, french_profile, make_profile

STANDARD = tuple(
	(label, column, "")
	for label, column in (
		("Subscription", "subscription"),
		("Charge Code", "charge"),
		("Quantity", "quantity"),
		("Day", "day"),
	)
)


class Killed(BaseException):
	"""What a worker dies of: no code of ours sees it."""


class TestFiles(UsageTestCase):
	def setUp(self):
		self.subscription = self.subscribe("2026-10-01", version=self.version)

	def test_a_file_loaded_twice_and_the_rows_it_lacked(self):
		profile = french_profile()
		rows = [f"a{n};{self.subscription};90,0;05/10/2026;20:{n:02}" for n in range(3)]
		text = "\n".join(
			["Référence;Abonné;Minutes;Date;Heure", *rows, "bad;TVS-NONE;90,0;05/10/2026;20:15", "short;1"]
		)
		first = self.load(profile, text.encode("cp1252"))
		figures = ("rows_done", "rows_total", "accepted", "known", "rejected", "status")
		self.assertEqual([first.get(field) for field in figures], [5, 5, 3, 0, 2, "Completed with Errors"])
		again = self.load(profile, text.encode("cp1252"))
		self.assertEqual([again.get(field) for field in figures], [5, 5, 0, 3, 2, "Completed with Errors"])

		name, data = corrections.rejected_file(again.name)
		self.assertTrue(name.endswith(".csv"))
		told = data.decode("cp1252").splitlines()
		self.assertEqual(len(told), 3)
		self.assertIn("TVS-NONE", told[1])
		corrected = "\n".join([told[0], told[1].replace("TVS-NONE", self.subscription, 1)])
		third = self.load(profile, corrected.encode("cp1252"))
		self.assertEqual((third.accepted, third.rejected), (1, 0))
		self.assertEqual(self.state("bad", profile), "Accepted")

	def test_a_workbook(self):
		profile = make_profile(format="XLSX", sheet="Films", multiply_by=2)
		book = Workbook()
		page = book.create_sheet("Films")
		page.append(["key", "subscription", "charge", "quantity", "at"])
		page.append([1001, self.subscription, "vod", 1.5, datetime(2026, 10, 5, 20, 15)])
		page.append(["x", "TVS-NONE", "VOD", 1, datetime(2026, 10, 5, 20, 15)])
		buffer = io.BytesIO()
		book.save(buffer)
		loaded = self.load(profile, buffer.getvalue(), "films.xlsx")
		self.assertEqual((loaded.accepted, loaded.rejected), (1, 1), loaded.error)
		kept = self.record("1001", profile)
		self.assertEqual((kept.quantity, str(kept.used_at)), (3, "2026-10-05 20:15:00"))
		name, data = corrections.rejected_file(loaded.name)
		table = list(load_workbook(io.BytesIO(data)).active.values)
		self.assertTrue(name.endswith(".xlsx"))
		self.assertIn("TVS-NONE", table[1])
		self.assertIn("TVS-NONE", table[1][-1])

	def test_json_lines(self):
		profile = make_profile(format="JSON Lines")
		lines = [json.dumps(film(f"j{n}", self.subscription)) for n in range(2)]
		loaded = self.load(profile, "\n".join([*lines, "not json"]), "films.jsonl")
		self.assertEqual((loaded.accepted, loaded.rejected), (2, 1))

	def test_a_file_dropped_on_the_server(self):
		profile = make_profile(format="JSON Lines")
		path = Path(frappe.get_site_path("private", "files", f"{frappe.generate_hash(length=8)}.jsonl"))
		path.write_text(json.dumps(film("drop", self.subscription)))
		self.addCleanup(path.unlink, missing_ok=True)
		result = import_file.load_path(profile=profile, path=path)
		self.assertEqual((result["status"], result["accepted"], result["error"]), ("Completed", 1, None))
		self.assertEqual(self.record("drop", profile).tv_import, result["import"])
		self.assertRaises(
			frappe.DoesNotExistError, lambda: import_file.load_path(profile="Nobody", path=path)
		)

	def test_a_file_that_cannot_be_read_says_why(self):
		for profile, content, said in (
			(french_profile(), "Référence;Abonné\n".encode("cp1252"), "Date"),
			(make_profile(format="XLSX"), b"no workbook", "XLSX"),
			(make_profile(format="CSV", encoding="UTF-8"), "clé".encode("cp1252"), "utf-8"),
		):
			loaded = self.load(profile, content)
			self.assertEqual(loaded.status, "Failed")
			self.assertIn(said, loaded.error)

	def test_an_import_whose_worker_died_goes_on(self):
		profile = make_profile(format="CSV", delimiter="Comma")
		heading = "key,subscription,charge,quantity,day\n"
		text = heading + "".join(f"p{n},{self.subscription},VOD,1,2026-10-05\n" for n in range(25))
		taken = import_file.take
		calls = []

		def dying(chunk, origin):
			calls.append(len(chunk))
			if len(calls) == 2:
				raise Killed
			return taken(chunk, origin)

		with patch.object(import_file, "AT_ONCE", 10), patch.object(import_file, "take", dying):
			with self.assertRaises(Killed):
				self.load(profile, text)
			frappe.db.rollback()
			name = frappe.db.get_value("TV Import", {"profile": profile})
			self.assertEqual(frappe.db.get_value("TV Import", name, ["status", "rows_done"]), ("Running", 10))
			import_file.load_import(tv_import=name)
		doc = frappe.get_doc("TV Import", name)
		self.assertEqual((doc.status, doc.accepted, doc.known, doc.rows_done), ("Completed", 25, 0, 25))
		self.assertEqual(calls, [10, 10, 10, 5])
		self.assertEqual(usage_of([self.subscription])[self.subscription][0].quantity, 25)

	def test_a_failed_import_is_loaded_anew_by_the_corrected_profile(self):
		profile = make_profile((("Source Key", "no", ""), *STANDARD), format="CSV", delimiter="Comma")
		heading = "nr,subscription,charge,quantity,day\n"
		loaded = self.load(profile, f"{heading}again,{self.subscription},VOD,1,2026-10-05\n")
		self.assertEqual(loaded.status, "Failed")
		doc = frappe.get_doc("TV Import Profile", profile)
		doc.columns[0].column_name = "nr"
		doc.save()
		with patch.object(import_file, "enqueue") as enqueued:
			import_file.resume(loaded.name)
			enqueued.assert_called_once_with(loaded.name)
		frappe.db.commit()
		import_file.load_import(tv_import=loaded.name)
		loaded.reload()
		self.assertEqual((loaded.status, loaded.accepted, loaded.error), ("Completed", 1, None))
		self.assertRaises(frappe.ValidationError, lambda: import_file.resume(loaded.name))

	def test_an_unforeseen_error_is_logged_and_said(self):
		profile = make_profile(format="CSV", delimiter="Comma")
		text = f"key,subscription,charge,quantity,day\nu,{self.subscription},VOD,1,2026-10-05\n"
		with patch.object(import_file, "take", side_effect=RuntimeError("no such luck")):
			loaded = self.load(profile, text)
		self.assertEqual((loaded.status, loaded.rows_done), ("Failed", 0))
		log = frappe.get_last_doc("Error Log", {"method": f"TV Import {loaded.name}"})
		self.assertIn(log.name, loaded.error)
		self.assertIn("no such luck", log.error)

	def test_an_abandoned_import_is_taken_up(self):
		profile = make_profile(format="CSV")
		loaded = self.load(profile, "key;subscription;charge;quantity;day\n")
		frappe.db.set_value("TV Import", loaded.name, "status", "Running")
		with patch.object(import_file, "enqueue") as enqueued:
			import_file.resume_abandoned()
			enqueued.assert_not_called()
			old = frappe.utils.add_to_date(now_datetime(), hours=-2)
			frappe.db.set_value("TV Import", loaded.name, "modified", old, update_modified=False)
			import_file.resume_abandoned()
			enqueued.assert_called_once_with(loaded.name)

	def test_an_example_file_is_one_that_the_profile_reads(self):
		for profile in (french_profile(), make_profile(format="JSON Lines"), make_profile(format="XLSX")):
			name, data = corrections.example_file(profile)
			self.assertTrue(name.isascii())
			found = list(import_file.reads(data, profiles.load(profile)))
			self.assertEqual([one.record.key for one in found], ["EX-1", "EX-2"])
			self.assertEqual([one.problem for one in found], [None, None])

	def test_a_profile_that_reads_nothing_is_refused(self):
		with self.assertRaises(frappe.ValidationError) as refused:
			make_profile((("Source Key", "a", ""), ("Quantity", "", "")), format="CSV")
		self.assertIn("row 2", str(refused.exception))
