"""What the tests of printed documents share: parties with addresses and numbers, text and pages of a print."""

import functools
import html
import io
import re
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import frappe
from frappe.utils import strip_html
from pypdf import PdfReader

from subscriber_tv.tests.billing_case import COMPANY
from subscriber_tv.tests.test_credit_first import CreditCase

FROM_TEMPLATE = ("{{", "}}", "{%", "None", "undefined")


def make_address(name: str, doctype: str, link: str, **values) -> str:
	"""Return an address linked to a record; made once a title."""
	title = f"{name}-Billing"
	if not frappe.db.exists("Address", title):
		frappe.get_doc(
			{
				"doctype": "Address",
				"address_title": name,
				"address_type": "Billing",
				"address_line1": "12 rue des Antennes",
				"pincode": "59000",
				"city": "Lille",
				"country": "France",
				"is_primary_address": 1,
				"is_your_company_address": int(doctype == "Company"),
				"links": [{"link_doctype": doctype, "link_name": link}],
				**values,
			}
		).insert()
	return title


class _Quiet(SimpleHTTPRequestHandler):
	def log_message(self, *_arguments) -> None:
		pass


class PrintCase(CreditCase):
	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		# The PDF maker fetches the site's style sheet: serve it, on the loopback only.
		handler = functools.partial(_Quiet, directory=frappe.local.sites_path)
		server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
		threading.Thread(target=server.serve_forever, daemon=True).start()
		cls.addClassCleanup(server.server_close)
		cls.addClassCleanup(server.shutdown)
		cls.addClassCleanup(frappe.conf.update, {"host_name": frappe.conf.get("host_name")})
		frappe.conf.host_name = f"http://127.0.0.1:{server.server_port}"

	def setUp(self):
		super().setUp()
		self.register_company()
		frappe.db.set_value("Customer", self.payer, {"language": "fr", "tax_id": "FR 83 404 833 048"})
		make_address(self.payer, "Customer", self.payer, address_line1="3 place <du> Marché")
		frappe.db.commit()
		self.addCleanup(setattr, frappe.local, "lang", frappe.local.lang)

	def register_company(self) -> None:
		make_address(COMPANY, "Company", COMPANY)
		frappe.db.set_value(
			"Company",
			COMPANY,
			{
				"tax_id": "FR32552100554",
				"registration_details": "SAS au capital de 100 000 €\nRCS Lille 552 100 554",
			},
		)
		frappe.clear_document_cache("Company", COMPANY)

	def read(self, language: str) -> None:
		frappe.db.set_value("Customer", self.payer, "language", language)
		frappe.db.commit()

	def html(self, name: str, print_format: str = "TV Invoice") -> str:
		return frappe.get_print("Sales Invoice", name, print_format)

	def text(self, name: str, print_format: str = "TV Invoice") -> str:
		shown = re.sub(r"<style.*?</style>", "", self.html(name, print_format), flags=re.S)
		text = html.unescape(strip_html(shown.replace("<", " <")))
		text = re.sub(r"\s+", " ", text.replace("\u00a0", " "))
		for rest in FROM_TEMPLATE:
			self.assertNotIn(rest, text)
		return text

	def pdf(self, name: str, print_format: str = "TV Invoice") -> list[str]:
		"""The text of each page."""
		return self.pages_of(frappe.get_print("Sales Invoice", name, print_format, as_pdf=True))

	def pages_of(self, content: bytes) -> list[str]:
		"""The text of each page of an A4 PDF."""
		self.assertEqual(content[:5], b"%PDF-")
		pages = PdfReader(io.BytesIO(content)).pages
		for page in pages:
			self.assertEqual([round(float(side) / 72 * 25.4) for side in page.mediabox[2:]], [210, 297])
		return [re.sub(r"\s+", " ", page.extract_text()).replace("\u00a0", " ") for page in pages]
