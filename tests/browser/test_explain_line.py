"""What a clerk does when a hotel asks why it pays that much: open the line, read the calculation, dispute a part of it."""

import os
import re

from playwright.sync_api import expect

SECONDS = 1000


def test_a_line_is_explained_from_the_subscription(desk, scene, picture):
	billed = scene.billed
	desk.goto(f"{os.environ['SUBSCRIBER_TV_URL']}/app/tv-subscription/{billed['subscription']}")
	desk.locator(".page-head").get_by_role("button", name="Billed Lines").click()
	rows = desk.locator(".tv-explain-rows tbody tr")
	expect(rows).to_have_count(2, timeout=60 * SECONDS)
	picture(desk, "explain-lines")
	rows.nth(1).locator("td:nth-child(3) a").click()

	steps = desk.locator(".tv-explain-steps tr")
	expect(steps.first).to_contain_text("4 ×")
	expect(steps.filter(has_text="Days charged")).to_contain_text("20 / 30")
	expect(steps.last).to_contain_text(re.compile(r"80[.,]00"))
	expect(desk.locator(".tv-explain-verdict")).to_contain_text("as on the invoice")
	expect(desk.locator(".tv-explain-trail")).to_contain_text("Activate")
	charged = desk.locator(".tv-explain-bar .tv-explain-charged").bounding_box()
	whole = desk.locator(".tv-explain-bar").bounding_box()
	assert abs(charged["width"] / whole["width"] - 20 / 30) < 0.01
	assert abs((charged["x"] - whole["x"]) / whole["width"] - 10 / 30) < 0.01
	expect(desk.get_by_role("button", name="Dispute…")).to_have_count(0)
	picture(desk, "explain-line")
	assert not desk.complaints


def test_a_part_of_a_line_is_disputed_and_waits(billing_desk, scene, picture):
	desk, billed = billing_desk, scene.billed
	url = os.environ["SUBSCRIBER_TV_URL"]
	desk.goto(f"{url}/app/explain-tv-line/row/{billed['row']}")
	desk.get_by_role("button", name="Dispute…").click()
	dialog = desk.locator(".modal.show")
	dialog.locator(".grid-row [data-fieldname=amount]").last.click()
	dialog.locator("input[data-fieldname=amount]").fill("30")
	dialog.locator("select[data-fieldname=ground]").select_option("Service Interrupted")
	dialog.locator("textarea[data-fieldname=reason]").fill("Dark screens for a week")
	picture(desk, "dispute-dialog")
	dialog.get_by_role("button", name="Raise Dispute").click()
	desk.wait_for_url("**/app/tv-dispute/TVR-**")
	expect(desk.locator(".page-head .indicator-pill:visible", has_text="Open")).to_be_visible()
	picture(desk, "dispute")

	desk.goto(f"{url}/app/sales-invoice/{billed['invoice']}")
	waiting = desk.locator(".tv-collectable")
	expect(waiting).to_contain_text(re.compile(r"33[.,]00 disputed and waiting"), timeout=60 * SECONDS)
	expect(desk.locator(".tv-disputes")).to_contain_text("Service Interrupted")
	picture(desk, "dispute-on-invoice")
	assert not desk.complaints
