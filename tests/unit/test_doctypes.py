"""What DocTypes must not do, because Frappe 15 would make something else of it without a word."""

import json
from pathlib import Path

import pytest

DOCTYPES = Path(__file__).resolve().parents[2] / "subscriber_tv/subscriber_tv/doctype"
# Frappe's own optional columns: a list leaves out every column whose name *contains* one that its table lacks.
OPTIONAL = ("_user_tags", "_comments", "_assign", "_liked_by", "_seen")


@pytest.mark.parametrize("path", sorted(DOCTYPES.glob("*/*.json")), ids=lambda path: path.stem)
def test_no_column_is_taken_for_one_of_frappes_own(path):
	fields = json.loads(path.read_text()).get("fields", [])
	lost = [field["fieldname"] for field in fields if any(own in field["fieldname"] for own in OPTIONAL)]
	assert not lost, "lists and get_all would leave these out"
