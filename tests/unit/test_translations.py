"""Every text that a person may read has its French line in `translations/fr.csv`, and no line is left over."""

import ast
import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "subscriber_tv"
FRENCH = PACKAGE / "translations" / "fr.csv"

JS_CALL = re.compile(r"""(?<![\w.])__\(\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|`((?:[^`\\$]|\\.)*)`)""")
PY_IN_TEMPLATE = re.compile(r"""(?<![\w.])_\(\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')""")
PLACEHOLDER = re.compile(r"\{\w*\}|%\w|<[^>]+>")
LAYOUT = ("Section Break", "Column Break", "Tab Break")

SAME_IN_FRENCH = 40
"""At most so many texts may read the same in both languages (codes, proper names, words such as Date)."""


def in_python(path: Path) -> Iterator[str]:
	for node in ast.walk(ast.parse(path.read_text())):
		if not (isinstance(node, ast.Call) and node.args):
			continue
		name = getattr(node.func, "id", getattr(node.func, "attr", ""))
		if name in ("_", "_lt") and isinstance(node.args[0], ast.Constant):
			yield node.args[0].value


def in_script(path: Path, pattern: re.Pattern) -> Iterator[str]:
	for groups in pattern.findall(path.read_text()):
		text = next(filter(None, groups), "")
		if text:
			yield re.sub(r"\\(.)", lambda escape: {"n": "\n"}.get(escape[1], escape[1]), text)


def in_record(path: Path) -> Iterator[str]:
	record = json.loads(path.read_text())
	if not isinstance(record, dict):
		return
	readers = {
		"DocType": _in_doctype,
		"Workspace": _in_workspace,
		"Page": lambda page: [page["title"]],
		"Number Card": lambda card: [card["label"]],
		"Dashboard Chart": lambda chart: [chart["chart_name"]],
	}
	if record.get("doctype") in readers:
		yield from filter(None, readers[record["doctype"]](record))


def _in_doctype(record: dict) -> Iterator[str]:
	yield record["name"]
	yield record.get("description") or ""
	for field in record["fields"]:
		yield field.get("label") or ""
		yield field.get("description") or ""
		if field["fieldtype"] == "Select" and field["fieldname"] != "naming_series":
			yield from (field.get("options") or "").split("\n")
	for kind in ("links", "actions", "states"):
		for row in record.get(kind) or []:
			yield row.get("group") or row.get("label") or row.get("title") or ""


def _in_workspace(record: dict) -> Iterator[str]:
	yield record["title"]
	for row in record["links"]:
		yield row["label"]
	for row in record["shortcuts"]:
		yield row["label"]
		yield row["format"] if re.search("[A-Za-z]", row["format"]) else ""
	for block in json.loads(record["content"]):
		if block["type"] == "header":
			yield re.sub("<[^>]+>", "", block["data"]["text"])


def texts() -> dict[str, str]:
	"""Every text with one place where it stands."""
	found: dict[str, str] = {}
	for path in sorted(PACKAGE.rglob("*")):
		inside = path.relative_to(PACKAGE)
		if {"tests", "node_modules", "__pycache__", "dist"} & set(inside.parts) or inside.parts[:2] == (
			"public",
			"tv",
		):
			continue
		for text in _texts_of(path):
			found.setdefault(text, str(inside))
	return found


def _texts_of(path: Path) -> Iterator[str]:
	if path.suffix == ".py":
		yield from in_python(path)
	elif path.suffix in (".js", ".vue", ".ts"):
		yield from in_script(path, JS_CALL)
	elif path.suffix == ".html":
		yield from in_script(path, JS_CALL)
		yield from in_script(path, PY_IN_TEMPLATE)
	elif path.suffix == ".json":
		yield from in_record(path)


@pytest.fixture(scope="module")
def french() -> list[list[str]]:
	with FRENCH.open(encoding="utf-8", newline="") as handle:
		return [row for row in csv.reader(handle) if row]


@pytest.fixture(scope="module")
def english() -> dict[str, str]:
	return texts()


def test_texts_are_found(english):
	assert len(english) > 300
	assert {"TV Subscription", "Awaiting Installation", "Import CSV: {0}"} <= set(english)


def test_every_text_has_a_french_line(english, french):
	known = {row[0] for row in french}
	missing = {text: place for text, place in english.items() if text.strip() and text not in known}
	assert not missing, "\n".join(f"{place}: {text}" for text, place in missing.items())


def test_no_line_is_left_over(english, french):
	assert not [row[0] for row in french if row[0] not in english]


def test_lines_are_whole(french):
	assert all(len(row) in (2, 3) and row[0] and row[1].strip() for row in french)
	sources = [(row[0], row[2] if len(row) == 3 else "") for row in french]
	assert len(sources) == len(set(sources)), "a text stands twice"


def test_placeholders_and_tags_survive(french):
	for row in french:
		assert sorted(PLACEHOLDER.findall(row[0])) == sorted(PLACEHOLDER.findall(row[1])), row[0]


def test_few_texts_read_the_same(french):
	same = [row[0] for row in french if row[0] == row[1]]
	assert len(same) <= SAME_IN_FRENCH, same
