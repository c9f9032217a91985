"""Write the problems of an import into a CSV file that the person who loaded the file can work through."""

import csv
import io
from pathlib import Path

import frappe
from frappe import _

from subscriber_tv.flows.imports.load_file import Report, worded


def problems_csv(report: Report) -> bytes:
	"""The problems as CSV, UTF-8 with byte order mark so that spreadsheets read the accents."""
	buffer = io.StringIO(newline="")
	writer = csv.writer(buffer)
	writer.writerow([_("File"), _("Line"), _("Column"), _("Reason"), _("Next Step")])
	for problem in report.problems:
		writer.writerow([harmless(value) for value in worded(problem).values()])
	return buffer.getvalue().encode("utf-8-sig")


def save_report(report: Report) -> str | None:
	"""Save the problems as a private File; its URL, or None when there are no problems."""
	if not report.problems:
		return None
	doc = frappe.get_doc(
		{
			"doctype": "File",
			"file_name": f"{Path(report.file).stem}-problems.csv",
			"is_private": 1,
			"content": problems_csv(report),
		}
	)
	# The report belongs to the person who loaded the file, whatever that person may do with other files.
	doc.flags.ignore_permissions = True
	return doc.insert().file_url


def harmless(value: object) -> object:
	"""Keep a spreadsheet from running what somebody wrote into a cell of the file."""
	return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t") else value
