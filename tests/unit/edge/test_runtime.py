"""The folder that the processes of one edge share, and the files that ship with it."""

import re
from pathlib import Path

import pytest

from subscriber_tv.edge import runtime
from subscriber_tv.edge.config import PREFIX, Config, load

DEPLOY = Path(__file__).resolve().parents[3] / "deploy" / "edge"


@pytest.fixture
def environ(monkeypatch):
	for name in (runtime.FOLDER, runtime.MAIN, "RUNTIME_DIRECTORY"):
		# Set first, so that what a run leaves there is taken away again.
		monkeypatch.setenv(name, "")
		monkeypatch.delenv(name)
	return monkeypatch


def test_outside_of_a_run_nothing_is_shared(environ):
	assert runtime.folder() is None and runtime.is_sound(1) and not runtime.is_damaged()
	assert not runtime.note_damage() and runtime.slot_secret(None) != runtime.slot_secret(None)


def test_systemds_folder_is_emptied_and_private(environ, tmp_path):
	for left in ("1.board", "sound", "damaged", "slot-secret"):
		(tmp_path / left).write_bytes(b"old")
	environ.setenv("RUNTIME_DIRECTORY", f"{tmp_path}:/run/other")
	made = runtime.make_folder()
	assert made == tmp_path == runtime.folder()
	assert [file.name for file in made.iterdir()] == ["slot-secret"]
	secret = runtime.slot_secret(made)
	assert len(secret) == 32 and (made / "slot-secret").stat().st_mode & 0o777 == 0o400
	runtime.make_folder()
	assert runtime.slot_secret(made) != secret


def test_what_is_known_of_the_file(environ, tmp_path):
	environ.setenv("RUNTIME_DIRECTORY", str(tmp_path))
	runtime.make_folder()
	assert not runtime.is_sound(7)
	runtime.note_sound(7)
	assert runtime.is_sound(7) and not runtime.is_sound(8)
	assert runtime.note_damage() and not runtime.note_damage()
	assert runtime.is_damaged() and not runtime.is_sound(7)
	runtime.note_sound(8)
	assert runtime.is_sound(8) and not runtime.is_damaged()


def test_the_shipped_configuration_is_one(environ):
	config = load(
		{f"{PREFIX}CONFIG": str(DEPLOY / "edge.toml"), f"{PREFIX}MASTERS_FILE": "/run/credentials/masters"}
	)
	assert config.metrics_port == 9108 and config.trusted_proxies == "127.0.0.1"


@pytest.mark.parametrize("name", ["subscriber-tv-edge.service", "Containerfile"])
def test_shipped_settings_exist(name):
	given = set(re.findall(rf"{PREFIX}([A-Z_]+)=", (DEPLOY / name).read_text()))
	known = {field.upper() for field in Config.__dataclass_fields__} | {"CONFIG", "MASTERS_FILE"}
	assert given and given <= known
