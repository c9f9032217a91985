from pathlib import Path

import pytest

from subscriber_tv.edge.config import Config, ConfigError, load

NEEDED = {
	"SUBSCRIBER_TV_EDGE_DATABASE": "/data/edge.db",
	"SUBSCRIBER_TV_EDGE_PUBLIC_KEY_FILE": "/keys.json",
	"SUBSCRIBER_TV_EDGE_MASTERS_FILE": "/run/credentials/masters.json",
}


def test_environment():
	config = load(
		{**NEEDED, "SUBSCRIBER_TV_EDGE_PORT": "9000", "SUBSCRIBER_TV_EDGE_ERP_TIMEOUT": "2.5", "OTHER": "x"}
	)
	assert config == Config(
		Path("/data/edge.db"),
		Path("/keys.json"),
		Path("/run/credentials/masters.json"),
		port=9000,
		erp_timeout=2.5,
	)


def test_the_environment_wins_over_the_file(tmp_path):
	file = tmp_path / "edge.toml"
	file.write_text('name = "south"\nport = 9001\nworkers = 2\nfeed_secret_file = "/secret"\n')
	given = {**NEEDED, "SUBSCRIBER_TV_EDGE_CONFIG": str(file), "SUBSCRIBER_TV_EDGE_PORT": "9002"}
	config = load(given)
	assert (config.name, config.port, config.workers) == ("south", 9002, 2)
	assert config.feed_secret_file == Path("/secret")
	assert config.answers_file == Path("/data/edge-answers.db")
	assert config.counts_file == Path("/data/edge-counts.db")


@pytest.mark.parametrize(
	("environ", "message"),
	[
		({}, "database is not set"),
		({"SUBSCRIBER_TV_EDGE_DATABASE": "x"}, "public_key_file is not set"),
		({**NEEDED, "SUBSCRIBER_TV_EDGE_MASTERS_FILE": ""}, "masters_file is not set"),
		({**NEEDED, "SUBSCRIBER_TV_EDGE_PORT": "http"}, "port is not valid"),
		({**NEEDED, "SUBSCRIBER_TV_EDGE_NAME": "a|b"}, "name is not valid"),
		({**NEEDED, "SUBSCRIBER_TV_EDGE_CONFIG": "/nowhere.toml"}, "No such file"),
	],
)
def test_what_is_wrong_is_named(environ, message):
	with pytest.raises(ConfigError, match=message):
		load(environ)


@pytest.mark.parametrize(
	("content", "message"), [("colour = 1", "unknown settings: colour"), ("port = = 1", "toml")]
)
def test_a_wrong_file_is_named(tmp_path, content, message):
	file = tmp_path / "edge.toml"
	file.write_text(content)
	with pytest.raises(ConfigError, match=message):
		load({**NEEDED, "SUBSCRIBER_TV_EDGE_CONFIG": str(file)})


def test_missing_secrets_are_named():
	config = load(NEEDED)
	with pytest.raises(ConfigError, match="feed_secret_file is not set"):
		config.feed_secret()
	with pytest.raises(ConfigError, match="public_key_file"):
		config.public_keys()
	with pytest.raises(ConfigError, match="masters_file"):
		config.masters()
