"""User permissions on Company reach a record by its own field, so whatever tells of customers or money has one."""

import json
from pathlib import Path

DOCTYPES = Path(__file__).resolve().parents[2] / "subscriber_tv/subscriber_tv/doctype"
TELLING = ("Customer", "TV Subscription", "TV Device")
WITHOUT = {
	"TV Activation": "asks its TV: overrides/company_walls.py",
	"TV Device Hour": "asks its TV: overrides/company_walls.py",
	"TV Entitlement": "asks its TV: overrides/company_walls.py",
	"TV Site": "a customer's, as a Customer is of no company",
	"TV Exit Rule": "a rule of the catalogue, in a currency",
	"TV Next Offer Rule": "a rule of the catalogue",
}


def doctypes() -> dict[str, dict]:
	found = [json.loads(path.read_text()) for path in DOCTYPES.glob("*/*.json")]
	return {one["name"]: one for one in found if one.get("doctype") == "DocType"}


def tells(doctype: dict) -> bool:
	return any(
		field["fieldtype"] == "Currency" or (field["fieldtype"] == "Link" and field.get("options") in TELLING)
		for field in doctype["fields"]
	)


def has_company(doctype: dict) -> bool:
	return any(
		field["fieldname"] == "company"
		and field.get("options") == "Company"
		# Ignored, it would restrict nobody.
		and not field.get("ignore_user_permissions")
		for field in doctype["fields"]
	)


def test_what_tells_of_customers_or_money_names_its_company():
	asked = {
		name: one
		for name, one in doctypes().items()
		if tells(one) and not one.get("istable") and not one.get("issingle")
	}
	assert {name for name, one in asked.items() if not has_company(one)} == set(WITHOUT)
