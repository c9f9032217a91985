"""The TV page's own rules, run by Node: the bytes of the vectors, what it believes, when it asks again.

The scripts beside this file import the page's modules as a browser does; each of their tests is one here.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PAGE = ROOT / "subscriber_tv" / "public" / "tv"
NODE = shutil.which("node")
NAMES = [
	pytest.param(script, name, id=f"{script.name.partition('.')[0]}: {name}")
	for script in sorted(HERE.glob("*.test.mjs"))
	for name in re.findall(r"^test\(\s*\"([^\"]+)\"", script.read_text(), re.MULTILINE)
]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
	"""Every test's outcome by script and name. The page is copied to where Node takes its files for modules."""
	if not NODE:
		pytest.skip("needs node")
	folder = tmp_path_factory.mktemp("page")
	shutil.copytree(PAGE, folder / "tv")
	(folder / "package.json").write_text(json.dumps({"type": "module"}))
	for script in HERE.glob("*.mjs"):
		shutil.copy(script, folder)
	found = {}
	env = {**os.environ, "VECTORS": str(ROOT / "fixtures" / "protocol" / "vectors.json")}
	for script in sorted(folder.glob("*.test.mjs")):
		done = subprocess.run(
			[NODE, "--test-reporter=tap", str(script)],
			cwd=folder,
			env=env,
			capture_output=True,
			text=True,
			timeout=120,
		)
		text = done.stdout + done.stderr
		results = re.findall(r"^(ok|not ok) \d+ - (.+)$", done.stdout, re.MULTILINE)
		found |= {(script.name, name): (verdict, text) for verdict, name in results}
	return found


@pytest.mark.parametrize(("script", "name"), NAMES)
def test_page(outcomes, script, name):
	verdict, text = outcomes[(script.name, name)]
	assert verdict == "ok", text


def test_every_script_has_tests():
	assert {param.values[0].name for param in NAMES} == {path.name for path in HERE.glob("*.test.mjs")}


def test_the_page_brings_nothing_from_elsewhere():
	"""No address of another server stands in the page; what it shows as text does not fetch."""
	own = [path for path in PAGE.glob("*") if path.suffix in (".js", ".css", ".html")]
	spaces = ("http://www.w3.org/2000/svg", "https connection")
	for path in own:
		text = path.read_text()
		for harmless in spaces:
			text = text.replace(harmless, "")
		assert not re.search(r"https?://(?!\S*\$)[a-z]", text), path.name
	vendored = (PAGE / "vendor" / "qrcode.js").read_text()
	assert not re.search(r"fetch\(|XMLHttpRequest|importScripts|eval\(", vendored)
