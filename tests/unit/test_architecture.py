"""The shape of the code, checked: who imports whom, what runs without Frappe, how long a file may be."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "subscriber_tv"
LONGEST_FILE = 400

FRAPPE_FREE = ("core", "edge", "simulator")
# Layer -> layers of this package it may import. The module folder of the DocTypes is "subscriber_tv".
MAY_IMPORT = {
	"core": {"core"},
	"edge": {"core", "edge"},
	"simulator": {"core", "simulator"},
	"ledger": {"core", "ledger"},
	"adapters": {"core", "adapters"},
	"flows": {"core", "ledger", "adapters", "flows"},
	"api": {"core", "flows", "api"},
	"overrides": {"core", "flows", "overrides"},
	"subscriber_tv": {"core", "flows", "subscriber_tv"},
	"setup": {"core", "flows", "ledger", "setup"},
}
IMPURE = {
	"os",
	"pathlib",
	"random",
	"requests",
	"secrets",
	"socket",
	"sqlite3",
	"subprocess",
	"time",
	"urllib",
}
CLOCKS = {"now", "today", "utcnow"}


def python_files(folder: Path) -> list[Path]:
	return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def name_of(path: Path) -> str:
	return str(path.relative_to(ROOT))


def parse(path: Path) -> ast.Module:
	return ast.parse(path.read_text(), filename=str(path))


def imported(path: Path) -> set[str]:
	"""Dotted names of the modules a file imports, those inside functions included."""
	found = set()
	for node in ast.walk(parse(path)):
		if isinstance(node, ast.Import):
			found |= {alias.name for alias in node.names}
		elif isinstance(node, ast.ImportFrom):
			found |= _imported_from(node, path)
	return found


def _imported_from(node: ast.ImportFrom, path: Path) -> set[str]:
	base = node.module or ""
	if node.level:
		package = path.relative_to(ROOT).parts[: -node.level]
		base = ".".join([*package, base]).rstrip(".")
	return {base} | {f"{base}.{alias.name}" for alias in node.names}


def layer_of(module: str) -> str | None:
	parts = module.split(".")
	return parts[1] if parts[0] == "subscriber_tv" and len(parts) > 1 and parts[1] in MAY_IMPORT else None


@pytest.mark.parametrize("layer", MAY_IMPORT)
def test_a_layer_imports_only_what_its_row_allows(layer):
	wrong = {
		f"{name_of(path)} imports {module}"
		for path in python_files(PACKAGE / layer)
		for module in imported(path)
		if layer_of(module) not in MAY_IMPORT[layer] | {None}
	}
	assert not wrong


@pytest.mark.parametrize("layer", FRAPPE_FREE)
def test_no_file_of_a_frappe_free_layer_names_frappe(layer):
	wrong = {
		f"{name_of(path)} imports {module}"
		for path in python_files(PACKAGE / layer)
		for module in imported(path)
		if module.split(".")[0] in ("frappe", "erpnext")
	}
	assert not wrong


def test_core_edge_and_simulator_never_load_frappe(tmp_path):
	"""In a process of its own, where `import frappe` would succeed."""
	for app in ("frappe", "erpnext"):
		(tmp_path / app).mkdir()
		(tmp_path / app / "__init__.py").touch()
	modules = [
		".".join(path.relative_to(ROOT).with_suffix("").parts)
		for layer in FRAPPE_FREE
		for path in python_files(PACKAGE / layer)
		if path.stem != "__main__"
	]
	script = (
		"import importlib, sys\n"
		f"for name in {modules!r}:\n\timportlib.import_module(name.removesuffix('.__init__'))\n"
		"loaded = sorted({name.split('.')[0] for name in sys.modules} & {'frappe', 'erpnext'})\n"
		"sys.exit(f'loaded {loaded}' if loaded else 0)\n"
	)
	path = [str(tmp_path), str(ROOT), *(entry for entry in sys.path if entry)]
	env = {"PYTHONPATH": ":".join(path), "PYTHONDONTWRITEBYTECODE": "1"}
	done = subprocess.run(
		[sys.executable, "-c", script], env=env, capture_output=True, text=True, timeout=120
	)
	assert done.returncode == 0, done.stderr
	assert modules


def test_core_reads_no_clock_and_does_no_io():
	wrong = set()
	for path in python_files(PACKAGE / "core"):
		wrong |= {
			f"{name_of(path)} imports {name}" for name in imported(path) if name.split(".")[0] in IMPURE
		}
		for node in ast.walk(parse(path)):
			if isinstance(node, ast.Call) and _reads_clock_or_file(node.func):
				wrong.add(f"{name_of(path)}:{node.lineno} calls {ast.unparse(node.func)}")
	assert not wrong


def _reads_clock_or_file(function: ast.expr) -> bool:
	if isinstance(function, ast.Attribute):
		return function.attr in CLOCKS and ast.unparse(function.value).split(".")[-1] in ("date", "datetime")
	return isinstance(function, ast.Name) and function.id in ("open", "print", "input")


def test_core_counts_money_in_decimals():
	wrong = {
		f"{name_of(path)}:{node.lineno} calls float()"
		for path in python_files(PACKAGE / "core")
		for node in ast.walk(parse(path))
		if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float"
	}
	assert not wrong


def test_the_package_itself_imports_nothing():
	"""Everything below it imports it first, so one import here would load Frappe everywhere."""
	assert not imported(PACKAGE / "__init__.py")


def test_no_file_is_longer_than_a_reader_can_hold():
	sources = [path for path in ROOT.rglob("*") if path.suffix in (".py", ".js", ".ts", ".vue", ".css")]
	hidden = {"node_modules", ".git", "__pycache__", "dist", "vendor"}
	lengths = {
		name_of(path): len(path.read_text().splitlines())
		for path in sources
		if not hidden & set(path.relative_to(ROOT).parts)
	}
	assert lengths
	assert not {name: length for name, length in lengths.items() if length > LONGEST_FILE}


def test_every_patch_exists_and_can_be_executed():
	lines = (PACKAGE / "patches.txt").read_text().splitlines()
	patches = [line.split("#")[0].strip() for line in lines if line.strip() and line.strip()[0] not in "#["]
	for patch in patches:
		if patch.startswith("execute:"):
			ast.parse(patch.removeprefix("execute:"))
			continue
		path = ROOT / (patch.split()[0].replace(".", "/") + ".py")
		names = {node.name for node in parse(path).body if isinstance(node, ast.FunctionDef)}
		assert "execute" in names, f"{patch} has no execute()"


def test_hooks_name_only_functions_that_exist():
	"""Every dotted path of ours in hooks.py leads to a file that defines that name."""
	missing = set()
	for node in ast.walk(parse(PACKAGE / "hooks.py")):
		if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
			continue
		if (
			node.value.startswith("subscriber_tv.")
			and " " not in node.value
			and not _leads_somewhere(node.value)
		):
			missing.add(node.value)
	assert not missing


def _leads_somewhere(dotted: str) -> bool:
	module, _, name = dotted.rpartition(".")
	path = ROOT / (module.replace(".", "/") + ".py")
	if not path.exists():
		path = ROOT / module.replace(".", "/") / "__init__.py"
	if not path.exists():
		return False
	return any(getattr(node, "name", None) == name for node in parse(path).body) or _assigned(path, name)


def _assigned(path: Path, name: str) -> bool:
	targets = [node.targets[0] for node in parse(path).body if isinstance(node, ast.Assign)]
	return any(isinstance(target, ast.Name) and target.id == name for target in targets)
