import pytest

from subscriber_tv.__main__ import main
from subscriber_tv.simulator.fleet import Identity, Result, read_fleet, report


def test_a_fleet_file(tmp_path):
	file = tmp_path / "tvs.csv"
	file.write_text("serial,credential,note\nLG55-000001, abc ,room 1\n")
	assert read_fleet(file) == [Identity("LG55-000001", "abc")]


def test_a_bad_line_is_named(tmp_path):
	file = tmp_path / "tvs.csv"
	file.write_text("serial,credential\nLG55-000001,abc\nLG55-000002,\n")
	with pytest.raises(ValueError, match="line 3"):
		read_fleet(file)


def test_percentiles():
	result = Result(latencies=[number / 1000 for number in range(100, 0, -1)], seconds=2)
	result.screens["playing"] = 100
	assert (result.percentile(50), result.percentile(99)) == (0.051, 0.1)
	assert "100 power-ons in 2.00 s, 50 a second" in report(result)
	assert "0 power-ons" in report(Result())


def test_nobody_there_is_said_in_one_line(tmp_path, capsys):
	file = tmp_path / "tvs.csv"
	file.write_text("serial,credential\nLG55-000001,abc\n")
	assert main(["fleet", "--url", "http://127.0.0.1:9", "--tvs", str(file)]) == 1
	assert capsys.readouterr().err.startswith("subscriber_tv: ")
