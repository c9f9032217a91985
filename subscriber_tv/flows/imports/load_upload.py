"""Load an uploaded file in a worker and tell the person who uploaded it."""

import frappe
from frappe import _

from subscriber_tv.flows.imports.load_file import load_file
from subscriber_tv.flows.imports.report_problems import save_report

EVENT = "subscriber_tv_import"


def load_upload(kind: str, file: str) -> dict:
	"""Load the File document `file`; return the report that the user is sent, with the URL of its problems."""
	doc = frappe.get_doc("File", file)
	content = doc.get_content()
	data = content.encode() if isinstance(content, str) else content
	report = load_file(kind, data, doc.file_name, progress=_show)
	answer = report.as_dict() | {"report_url": save_report(report)}
	# The job ends here; the user reads the report in another process.
	frappe.db.commit()  # nosemgrep
	frappe.publish_realtime(EVENT, answer, user=frappe.session.user)
	return answer


def _show(done: int, total: int) -> None:
	if done % 10 == 0 or done == total:
		frappe.publish_progress(
			done * 100 / total,
			title=_("Importing"),
			description=_("{0} of {1}").format(done, total),
		)
