"""The nodes that hostile input is aimed at: a served site with an edge of the same name, or an edge alone."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from nodes import Node
from sets import Crowd, Set

from subscriber_tv.core.devices import jws, mac
from subscriber_tv.simulator.http import DESK, EDGE

HERE = Path(__file__).parent
# The edge that tests start, and the table of forged tokens.
sys.path += [str(HERE.parent / "edge"), str(HERE.parent / "unit")]
TALLIES: dict[str, Counter] = {}


def pytest_addoption(parser):
	parser.addoption(
		"--requests",
		type=int,
		default=300,
		help="hostile requests to each node, by each client (default 300)",
	)
	parser.addoption("--die", type=int, default=1, help="the seed that they are made from")


def pytest_terminal_summary(terminalreporter):
	for name, tally in TALLIES.items():
		counts = ", ".join(f"{key}: {count}" for key, count in sorted(tally.items()))
		terminalreporter.write_line(f"{name}: {sum(tally.values())} replies ({counts})")


@dataclass(frozen=True)
class Scene:
	"""Who may be asked, and by whom."""

	crowd: Crowd
	nodes: dict[str, Node]

	def tally(self, name: str, what: str, count: int = 1) -> None:
		TALLIES.setdefault(name, Counter())[what] += count


@pytest.fixture(scope="session")
def scene(tmp_path_factory):
	if os.environ.get("SUBSCRIBER_TV_URL"):
		yield _served()
		return
	from edge_process import EdgeProcess
	from feed_publisher import MASTERS, Publisher, Rights, credential

	rights = Rights()
	sets = [Set(f"SMALL-{number:06}", MASTERS, credential(f"SMALL-{number:06}")) for number in range(4)]
	sets += [Set(f"LARGE-{number:06}", MASTERS, pem=jws.new_key().decode()) for number in range(4)]
	for tv in sets:
		if tv.signer:
			rights.set_key(tv.serial, tv.signer)
		else:
			rights.set_state(tv.serial, "Suspended" if tv.serial.endswith("3") else "Active")
	publisher = Publisher(rights)
	edge = EdgeProcess(tmp_path_factory.mktemp("edge"), rights, publisher.url, NAME="desk")
	found = Scene(
		Crowd(sets, ["STOCK-000001"], "TF1"), {"edge": Node("edge", f"http://127.0.0.1:{edge.port}", EDGE)}
	)
	try:
		_wait_for_all(found)
		yield found
	finally:
		edge.stop()
		publisher.stop()


def _served() -> Scene:
	python = json.loads(os.environ["SUBSCRIBER_TV_BENCH"])[0]
	done = subprocess.run(
		[python, HERE / "scene.py", os.environ["SUBSCRIBER_TV_SITE"]],
		cwd=os.environ["SUBSCRIBER_TV_SITES"],
		env=json.loads(os.environ["SUBSCRIBER_TV_BENCH_ENV"]),
		capture_output=True,
		text=True,
		timeout=600,
	)
	assert done.returncode == 0, done.stderr + done.stdout
	made = json.loads(done.stdout.strip().splitlines()[-1])
	masters = mac.read_masters(made["masters"].encode())
	sets = [Set(masters=masters, **tv) for tv in made["tvs"]]
	nodes = {
		"desk": Node("desk", os.environ["SUBSCRIBER_TV_URL"], DESK),
		"edge": Node("edge", os.environ["SUBSCRIBER_TV_EDGE_URL"], EDGE),
	}
	found = Scene(Crowd(sets, made["stock"], made["channel"]), nodes)
	_wait_for_all(found)
	return found


def _wait_for_all(scene: Scene) -> None:
	"""Return once every node knows every TV; each is asked the same question until then."""
	deadline = time.monotonic() + 60
	for tv in scene.crowd.sets:
		body = tv.asks("heartbeat", scene.crowd.channel, _Zeros(), int(time.time()))
		for node in scene.nodes.values():
			while node.ask("heartbeat", body).status != 204:
				assert time.monotonic() < deadline, f"{node.name} does not know {tv.serial}"
				time.sleep(0.3)


class _Zeros:
	"""A die that always falls alike."""

	def randbytes(self, size: int) -> bytes:
		return bytes(size)

	def randrange(self, _most: int) -> int:
		return 1


@pytest.fixture(params=["edge", "desk"])
def node(request, scene) -> Node:
	"""Each node; without a bench there is no desk."""
	if request.param not in scene.nodes:
		pytest.skip("no bench, so no desk to ask")
	return scene.nodes[request.param]


@pytest.fixture
def requests_wanted(request) -> int:
	return request.config.getoption("--requests")


@pytest.fixture
def tokens_wanted(request) -> int:
	"""How many tokens of each type, where nobody is asked."""
	return max(300, request.config.getoption("--requests") // 10)


@pytest.fixture
def die(request) -> int:
	return request.config.getoption("--die")
