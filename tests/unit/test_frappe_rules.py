"""The rules that Frappe's own static checks hold apps to, as far as they can be read from the syntax tree."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "subscriber_tv"
# Set-up runs from the command line, where nobody's permissions are at stake.
NOBODY_ASKS = ("tests/", "setup/")
# Only a job or a command that works unit by unit ends a transaction itself; a request never does.
NEVER_COMMIT = ("api", "overrides", "ledger", "subscriber_tv", "core")
# The publisher's own server: no Frappe request surrounds it, so nobody else ends its transactions.
OWN_SERVER = "api/feed.py"


def sources() -> Iterator[tuple[str, list[str], ast.Module]]:
	for path in sorted(PACKAGE.rglob("*.py")):
		text = path.read_text()
		yield str(path.relative_to(PACKAGE)), text.splitlines(), ast.parse(text)


SOURCES = list(sources())


def calls(name: str, *, tests_too: bool = True) -> Iterator[tuple[str, list[str], ast.Call]]:
	"""Every call whose function reads exactly `name`, e.g. "frappe.db.sql"."""
	for file, lines, tree in SOURCES:
		if not tests_too and file.startswith("tests/"):
			continue
		for node in ast.walk(tree):
			if isinstance(node, ast.Call) and ast.unparse(node.func) == name:
				yield file, lines, node


def is_built(node: ast.expr) -> bool:
	"""Whether a text is put together at run time: f-string, +, %, .format()."""
	if isinstance(node, ast.JoinedStr | ast.BinOp):
		return True
	return (
		isinstance(node, ast.Call)
		and isinstance(node.func, ast.Attribute)
		and node.func.attr in ("format", "join")
	)


def explained(lines: list[str], node: ast.AST) -> bool:
	"""A comment on the call's own line or the one above says why."""
	return "#" in lines[node.lineno - 1] or lines[max(node.lineno - 2, 0)].strip().startswith("#")


@pytest.mark.parametrize("name", ["_", "frappe._"])
def test_translated_texts_are_constants(name):
	wrong = [
		f"{file}:{node.lineno}"
		for file, _lines, node in calls(name)
		if not node.args or is_built(node.args[0]) or not _is_text_or_name(node.args[0])
	]
	assert not wrong


def _is_text_or_name(node: ast.expr) -> bool:
	if isinstance(node, ast.Constant):
		return isinstance(node.value, str) and node.value.strip() == node.value
	return True


@pytest.mark.parametrize("name", ["frappe.db.sql", "frappe.db.sql_list", "frappe.db.multisql"])
def test_sql_takes_its_values_as_parameters(name):
	wrong = [
		f"{file}:{node.lineno}" for file, _lines, node in calls(name) if node.args and is_built(node.args[0])
	]
	assert not wrong


@pytest.mark.parametrize(
	"name", ["eval", "exec", "frappe.safe_eval", "frappe.utils.safe_exec.safe_exec", "compile"]
)
def test_no_text_is_run_as_code(name):
	assert not [f"{file}:{node.lineno}" for file, _lines, node in calls(name)]


@pytest.mark.parametrize("name", ["pickle.loads", "yaml.load", "os.system", "hashlib.md5", "frappe.set_user"])
def test_no_dangerous_call(name):
	assert not [f"{file}:{node.lineno}" for file, _lines, node in calls(name, tests_too=False)]


def test_a_commit_is_explained_and_never_in_a_request():
	wrong = [
		f"{file}:{node.lineno}"
		for file, lines, node in calls("frappe.db.commit", tests_too=False)
		if not explained(lines, node) or (file != OWN_SERVER and file.split("/")[0] in NEVER_COMMIT)
	]
	assert not wrong


def test_ignored_permissions_are_explained():
	wrong = []
	for file, lines, tree in SOURCES:
		if file.startswith(NOBODY_ASKS):
			continue
		for node in ast.walk(tree):
			if _ignores_permissions(node) and not explained(lines, node):
				wrong.append(f"{file}:{node.lineno}")
	assert not wrong


def _ignores_permissions(node: ast.AST) -> bool:
	if isinstance(node, ast.keyword):
		name, value = node.arg, node.value
	elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
		name, value = node.targets[0].attr, node.value
	else:
		return False
	return name == "ignore_permissions" and isinstance(value, ast.Constant) and value.value is True


def test_no_code_asks_whether_it_is_being_tested():
	wrong = [
		f"{file}:{node.lineno}"
		for file, _lines, tree in SOURCES
		if not file.startswith("tests/")
		for node in ast.walk(tree)
		if isinstance(node, ast.Attribute) and node.attr == "in_test"
	]
	assert not wrong


def whitelisted() -> Iterator[tuple[str, ast.FunctionDef, ast.expr]]:
	for file, _lines, tree in SOURCES:
		for node in ast.walk(tree):
			if not isinstance(node, ast.FunctionDef):
				continue
			for decorator in node.decorator_list:
				if ast.unparse(decorator).startswith("frappe.whitelist"):
					yield file, node, decorator


def test_whitelisted_functions_say_what_they_take():
	"""Frappe checks arguments against their annotations, but only where there are some."""
	wrong = [
		f"{file}:{function.name}({argument.arg})"
		for file, function, _decorator in whitelisted()
		for argument in function.args.posonlyargs + function.args.args + function.args.kwonlyargs
		if argument.annotation is None and argument.arg != "self"
	]
	assert not wrong


def test_whitelisted_functions_name_their_methods():
	"""Without `methods` a GET may change data, and a GET carries no CSRF token."""
	wrong = [
		f"{file}:{function.name}"
		for file, function, decorator in whitelisted()
		if not (isinstance(decorator, ast.Call) and any(word.arg == "methods" for word in decorator.keywords))
	]
	assert not wrong


def test_guest_endpoints_stand_behind_the_guards():
	"""What anybody may call lives in api/, in a module that limits by `guards`."""
	guarded = {
		file
		for file, _lines, tree in SOURCES
		for node in ast.walk(tree)
		if isinstance(node, ast.ImportFrom) and "guards" in {alias.name for alias in node.names}
	}
	wrong = [
		f"{file}:{function.name}"
		for file, function, decorator in whitelisted()
		if "allow_guest=True" in ast.unparse(decorator) and not (file.startswith("api/") and file in guarded)
	]
	assert not wrong
