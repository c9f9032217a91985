"""Remembers what an invoice reads from the masters, for as long as nobody has changed them.

An invoice of ERPNext asks the database some two hundred questions, most of them about masters (accounts, items, tax
and payment templates, settings) that are the same from one invoice to the next. Before each invoice one query takes
the mark of every master table: the number of its rows and its latest change. What was read from a table is forgotten
when its mark has moved, so an answer from memory is the answer the database would give now.

Other tables (customers, addresses, invoices) are remembered within one invoice only and forgotten when it writes. There,
a record read as a whole also answers what is asked of its fields afterwards.
"""

import contextlib
import copy
import gc
import re
import time
from collections.abc import Callable, Iterator
from functools import lru_cache

import frappe

from subscriber_tv.ledger.posting.plain_question import answer_of, is_whole_record, plain_question

MASTERS = (
	"Account",
	"Accounting Dimension",
	"Accounting Dimension Filter",
	"Accounting Period",
	"Address Template",
	"Assignment Rule",
	"Authorization Rule",
	"Budget",
	"Company",
	"Cost Center",
	"Cost Center Allocation",
	"Currency",
	"Currency Exchange",
	"DocType",
	"Customer Group",
	"Energy Point Rule",
	"Finance Book",
	"Fiscal Year",
	"Item",
	"Item Group",
	"Item Price",
	"Item Tax Template",
	"Letter Head",
	"Milestone Tracker",
	"Notification",
	"Payment Term",
	"Payment Terms Template",
	"Period Closing Voucher",
	"Price List",
	"Pricing Rule",
	"Print Format",
	"Product Bundle",
	"Sales Taxes and Charges Template",
	"Server Script",
	"Service Level Agreement",
	"Tax Category",
	"Tax Rule",
	"Tax Withholding Category",
	"Territory",
	"Transaction Deletion Record",
	"TV Offer Version",
	"UOM",
	"Warehouse",
	"Webhook",
	"Workflow",
)
"""Tables of settings that change seldom, each with the stamp of its latest change in an index."""

CHILDREN = {
	"Accounting Dimension Detail": "Accounting Dimension",
	"Allowed Dimension": "Accounting Dimension Filter",
	"Applicable On Account": "Accounting Dimension Filter",
	"Closed Document": "Accounting Period",
	"Cost Center Allocation Percentage": "Cost Center Allocation",
	"DocField": "DocType",
	"Fiscal Year Company": "Fiscal Year",
	"Item Default": "Item",
	"Item Tax": "Item",
	"Item Tax Template Detail": "Item Tax Template",
	"Payment Terms Template Detail": "Payment Terms Template",
	"Product Bundle Item": "Product Bundle",
	"TV Offer Charge Line": "TV Offer Version",
	"TV Offer Tier Line": "TV Offer Version",
	"UOM Conversion Detail": "Item",
}
"""Child tables that are saved with their master and stamp it. (Item Default and Item Tax also hang on other masters,
see `SEVERAL`.)"""

SEVERAL = {
	"Item Default": ("Item", "Item Group"),
	"Item Tax": ("Item", "Item Group"),
}

TEMPLATES = {"Sales Taxes and Charges": "Sales Taxes and Charges Template"}
"""Child tables that invoices and their templates share: rows of a template are saved with it."""

RARE = (
	"Allowed To Transact With",
	"Customer Credit Limit",
	"Item Barcode",
	"Item Price",
	"Packed Item",
	"Party Account",
	"Party Link",
	"Portal User",
	"Pricing Rule Detail",
	"Putaway Rule",
	"Sales Invoice Advance",
	"Sales Invoice Payment",
	"Sales Invoice Timesheet",
	"Sales Team",
	"Tax Rule",
)
"""Tables without a row on most sites: while that is so, what they answer is known."""

SINGLES = "Singles"
AGGREGATE = re.compile(r"\b(?:count|sum|max|min|avg|exists)\s*\(", re.IGNORECASE)
TABLE = re.compile(r"`tab([^`]+)`|\b(?:from|join)\s+tab([A-Za-z]+)\b", re.IGNORECASE)
ANEW = "/* anew */"
"""Stands in a question that is never answered from memory."""

LIVE = re.compile(
	r"/\* anew \*/|\bfor update\b|\block in share mode\b|\b(?:now|sysdate|curdate|curtime|rand|uuid)\s*\(|\bcurrent_"
)
WRITES = ("insert", "update", "delete", "replace", "rollback")
READS = ("sql", "get_values")
"""The methods of a connection that memory stands before."""

SETTLED = 5
"""Blocks after which a process is taken for one that posts many invoices and has loaded what it needs for them."""

SELDOM = 1.0
"""Seconds between two looks at the masters while many invoices are posted, see `looking_seldom`."""

LARGEST = 20_000
"""Answers kept at most; then memory starts anew, so that a night of invoices does not grow without end."""


class Memory:
	"""Answers of the database by question, with the tables they came from."""

	def __init__(self) -> None:
		self._answers: dict[tuple, tuple[frozenset[str], object]] = {}
		self._marks: dict[str, tuple] = {}
		self.empty: frozenset[str] = frozenset()
		self._blocks = 0
		self._looked = float("-inf")
		self.patience = 0.0  # seconds

	def begin_block(self) -> None:
		"""Forget what was read from masters that were changed since; look no sooner than `patience` allows."""
		self._blocks += 1
		if self._blocks == SETTLED:
			# Code, metadata and settings stay to the end: walking them at each collection costs a tenth of the time.
			gc.collect()
			gc.freeze()
		if len(self._answers) > LARGEST:
			self._answers.clear()
		if time.monotonic() - self._looked >= self.patience:
			self.look()

	def look_next_time(self) -> None:
		"""However lately it was looked."""
		self._looked = float("-inf")

	def look(self) -> None:
		"""Forget what was read from masters that were changed since the last look."""
		self._looked = time.monotonic()
		marks, self.empty = _marks()
		self.forget({table for table, mark in marks.items() if self._marks.get(table) != mark})
		self._marks = marks

	def forget(self, tables: set[str]) -> None:
		"""Drop the answers that came from any of these tables."""
		if tables:
			self._answers = {key: kept for key, kept in self._answers.items() if not tables & kept[0]}

	def recall(self, key: tuple, tables: frozenset[str], ask: Callable[[], object]):
		"""The answer to a question about masters, asked only the first time."""
		if (kept := self._answers.get(key)) is None:
			kept = self._answers[key] = (tables, ask())
		return kept[1]


@contextlib.contextmanager
def remembering() -> Iterator[Memory]:
	"""Answer reads of this connection from memory until the end of the block; writes and locks reach the database.

	Blocks may be nested; the inner one changes nothing.
	"""
	db = frappe.local.db
	memory = _memory()
	if getattr(frappe.local, "tv_remembering", None) is db:
		yield memory
		return
	memory.begin_block()
	# Somebody else may stand before the connection already, such as Frappe's recorder: he stays there.
	before = {name: db.__dict__[name] for name in READS if name in db.__dict__}
	reader = _Reader(db, memory)
	db.sql, db.get_values = reader.sql, reader.get_values
	frappe.local.tv_remembering = db
	try:
		yield memory
	finally:
		frappe.local.tv_remembering = None
		for name in READS:
			delattr(db, name)
		db.__dict__.update(before)


@contextlib.contextmanager
def looking_seldom() -> Iterator[None]:
	"""Look at the masters once a second only: for a job that posts one invoice after another and changes no master.

	A change made by somebody else in that second reaches the next invoice as late as it would reach one whose
	transaction had begun when the masters were last looked at.
	"""
	memory = _memory()
	memory.patience = SELDOM
	memory.look_next_time()
	try:
		yield
	finally:
		memory.patience = 0.0


def _memory() -> Memory:
	"""That of this request or job."""
	memory = getattr(frappe.local, "tv_posting_memory", None)
	if memory is None:
		memory = frappe.local.tv_posting_memory = Memory()
	return memory


class _Reader:
	"""Stands before the two methods of a connection by which Frappe reads."""

	def __init__(self, db, memory: Memory) -> None:
		self._sql, self._get_values = db.sql, db.get_values
		self._memory = memory
		self._own: dict[tuple, tuple[frozenset[str], object]] = {}
		self._written: set[str] = set()

	def sql(self, query, *args, **kwargs):
		"""`Database.sql`: a question already answered is not asked again."""
		text = str(query)
		tables = None if kwargs.get("as_iterator") or kwargs.get("run") is False else _tables_read(text)
		if tables is None:
			self._note_write(text)
			return self._sql(query, *args, **kwargs)
		if tables <= self._memory.empty and not tables & self._written and not AGGREGATE.search(text):
			return [] if kwargs.get("as_dict") or kwargs.get("as_list") or kwargs.get("pluck") else ()
		key = (text, repr(args), repr(kwargs))
		return _own_copy(self._recall(key, tables, lambda: self._sql(query, *args, **kwargs)))

	def get_values(self, doctype, *args, **kwargs):
		"""`Database.get_values`, which stands behind `get_value` and `exists`, spared even the making of the query."""
		if kwargs.get("for_update") or not isinstance(doctype, str) or kwargs.get("run") is False:
			return self._get_values(doctype, *args, **kwargs)
		if doctype in self._memory.empty and doctype not in self._written and _asks_for_rows(args, kwargs):
			return []
		key = ("values", doctype, repr(args), repr(kwargs))
		tables = _sources(doctype)
		if doctype in TEMPLATES and f"'parenttype': '{TEMPLATES[doctype]}'" in key[2]:
			tables = frozenset((TEMPLATES[doctype],))
		return _own_copy(self._recall(key, tables, lambda: self._ask(doctype, args, kwargs)))

	def _ask(self, doctype: str, args: tuple, kwargs: dict):
		"""Ask the database; a question for equal values in words of our own, which Frappe would take longer to build."""
		if (plain := plain_question(doctype, args, kwargs)) is None:
			return self._get_values(doctype, *args, **kwargs)
		record = ("record", doctype, plain.filters.get("name"))
		if (read := self._own.get(record)) and (known := answer_of(plain, read[1])) is not None:
			return known
		try:
			answer = self._sql(plain.query, tuple(plain.filters.values()), as_dict=plain.as_dict)
		except Exception as error:
			# Frappe then looks among the settings.
			if not frappe.db.is_table_missing(error):
				raise
			return self._get_values(doctype, *args, **kwargs)
		if answer and is_whole_record(plain):
			self._own[record] = (_sources(doctype), copy.copy(answer[0]))
		return answer

	def _recall(self, key: tuple, tables: frozenset[str], ask: Callable[[], object]):
		if tables <= _MARKED and not tables & self._written:
			return self._memory.recall(key, tables, ask)
		if (kept := self._own.get(key)) is None:
			kept = self._own[key] = (tables, ask())
		return kept[1]

	def _note_write(self, text: str) -> None:
		if not text.lstrip()[:8].lower().startswith(WRITES):
			return
		written = {source for table in _tables_written(text) for source in _sources(table)}
		if written:
			self._own = {key: kept for key, kept in self._own.items() if not written & kept[0]}
		else:
			self._own.clear()
		# What is read from a master we have written ourselves may be rolled back: it is for this block only.
		self._written |= written
		self._memory.forget(written & _MARKED)
		self._memory.empty -= written


def _asks_for_rows(args: tuple, kwargs: dict) -> bool:
	"""Whether `get_values` was asked for fields; a count of no rows is an answer too."""
	fields = args[1] if len(args) > 1 else kwargs.get("fieldname", "name")
	return all("(" not in str(field) for field in ((fields,) if isinstance(fields, str) else fields))


_MARKED = frozenset((*MASTERS, SINGLES))


@lru_cache(maxsize=5000)
def _tables_read(text: str) -> frozenset[str] | None:
	"""The marked tables (or others by their own name) a plain read asks; None for writes and locking reads."""
	lowered = text.lstrip().lower()
	if not lowered.startswith("select") or LIVE.search(lowered):
		return None
	return frozenset(source for table in _tables(text) for source in _sources(table)) or None


def _tables(text: str) -> list[str]:
	return [quoted or plain for quoted, plain in TABLE.findall(text)]


def _tables_written(text: str) -> set[str]:
	"""The tables a write names before its values; none for a rollback, or one that cannot be read."""
	return set(_tables(text.partition("(")[0] if text.lstrip()[:6].lower() == "insert" else text))


@lru_cache(maxsize=1000)
def _sources(table: str) -> frozenset[str]:
	"""The tables whose stamps tell that this one was changed."""
	if table in SEVERAL:
		return frozenset(SEVERAL[table])
	return frozenset((CHILDREN.get(table, table),))


def _own_copy(answer):
	"""What the caller may change without changing the memory: a row is never changed deeper than its own values."""
	if isinstance(answer, list):
		return [copy.copy(row) if isinstance(row, dict | list) else row for row in answer]
	return copy.copy(answer) if isinstance(answer, dict) else answer


def _marks() -> tuple[dict[str, tuple], frozenset[str]]:
	"""Number of rows and latest change of each master, a checksum of all settings, and the rare tables without a row.

	One query, in the transaction of the invoice: what it sees is what the invoice would see.
	"""
	query, masters, rare = _marks_query(frappe.local.db.cur_db_name)
	row = frappe.db.sql(query)[0]
	marks = {table: (row[2 * place], row[2 * place + 1]) for place, table in enumerate(masters)}
	filled = row[2 * len(masters) : -1]
	empty = frozenset(table for table, found in zip(rare, filled, strict=True) if not found)
	return {**marks, SINGLES: (row[-1],)}, empty


def _present(names: tuple[str, ...]) -> tuple[str, ...]:
	tables = set(frappe.db.get_tables())
	return tuple(name for name in names if f"tab{name}" in tables)


@lru_cache(maxsize=64)
def _marks_query(_database: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
	"""One select of scalar subqueries: the names are the constants above, nothing of a user's is in it."""
	masters, rare = _present(MASTERS), _present(RARE)
	parts = []
	for table in masters:
		parts += [f"(select count(*) from `tab{table}`)", f"(select max(modified) from `tab{table}`)"]
	parts += [f"exists(select 1 from `tab{table}`)" for table in rare]
	parts.append("(select sum(crc32(concat_ws('|', doctype, field, value))) from tabSingles)")
	return f"select {ANEW} " + ", ".join(parts), masters, rare
