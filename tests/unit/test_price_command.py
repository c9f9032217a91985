"""`python -m subscriber_tv price`: files and standard input, exit codes, and what it may import."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

from subscriber_tv.__main__ import main

ROOT = Path(__file__).resolve().parents[2]
TIERED = {"kind": "graduated", "tiers": [{"up_to": "10", "unit_price": "5"}, {"up_to": None, "flat_fee": 3}]}


def test_the_command_reads_a_file(tmp_path, capsys):
	file = tmp_path / "price.json"
	file.write_text(json.dumps({"currency": "EUR", "model": TIERED, "quantities": ["11"]}))
	assert main(["price", str(file)]) == 0
	(row,) = json.loads(capsys.readouterr().out)["prices"]
	assert (row["amount"], [part.get("tier") for part in row["parts"]]) == ("53.00", [1, 2, 2])


def test_the_command_tells_a_bad_input(tmp_path, capsys, monkeypatch):
	stdin = io.TextIOWrapper(io.BytesIO(b'{"currency": "EUR", "model": {"kind": "flat"}, "quantities": [1]}'))
	monkeypatch.setattr(sys, "stdin", stdin)
	assert main(["price", "-"]) == 2
	assert json.loads(capsys.readouterr().out)["error"]["path"] == "$.model.amount"
	assert main(["price", str(tmp_path / "none.json")]) == 2
	assert json.loads(capsys.readouterr().out)["error"]["path"] == "$"


def test_pricing_needs_nothing_but_python(tmp_path):
	"""In a process of its own, without installed packages, where the libraries of other commands refuse to load."""
	for name in ("msgspec", "cryptography", "frappe", "erpnext", "requests"):
		(tmp_path / f"{name}.py").write_text("raise ImportError('not for pricing')\n")
	done = subprocess.run(
		[sys.executable, "-S", "-m", "subscriber_tv", "price", "-"],
		input=json.dumps({"currency": "EUR", "model": TIERED, "quantities": ["11"]}),
		env={
			"PYTHONPATH": os.pathsep.join((str(tmp_path), str(ROOT))),
			"PYTHONDONTWRITEBYTECODE": "1",
			"PYTHONIOENCODING": "ascii",
		},
		capture_output=True,
		text=True,
		timeout=60,
	)
	assert done.returncode == 0, done.stderr
	assert json.loads(done.stdout)["prices"][0]["amount"] == "53.00"
