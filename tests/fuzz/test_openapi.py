"""schemathesis, driven by the project's own OpenAPI files: every reply is one that the file describes."""

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
FILES = HERE.parent.parent / "fixtures" / "protocol"
OPERATIONS = 10


def test_every_reply_is_as_described(node, scene, requests_wanted, die, tmp_path):
	document = FILES / ("openapi.json" if node.name == "edge" else "openapi-desk.json")
	config = ("--config-file", HERE / "schemathesis.toml")
	amount = ("--max-examples", str(max(1, requests_wanted // OPERATIONS)), "--seed", str(die))
	command = [sys.executable, "-m", "schemathesis.cli", *config, "run", document, "--url", node.url, *amount]
	done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=7200)
	assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
	(generated,) = re.findall(r"(\d+) generated", done.stdout)
	assert int(generated) >= requests_wanted
	scene.tally(f"schemathesis, {node.name}", "as described", int(generated))
