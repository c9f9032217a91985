"""What sales and the back office do while the customer is on the phone: show what a change costs, record it, take it back."""

import os
import re

from playwright.sync_api import expect
from test_bind_tv import open_dialog

SECONDS = 1000


def test_a_change_is_shown_recorded_and_taken_back(desk, scene, picture):
	desk.goto(f"{os.environ['SUBSCRIBER_TV_URL']}/app/tv-subscription/{scene.subscription}")
	dialog = open_dialog(desk, "Change Lines")
	dialog.locator(".grid-row[data-idx='1'] [data-fieldname=quantity]").first.click()
	dialog.locator(".grid-row[data-idx='1'] input[data-fieldname=quantity]").fill("5")
	dialog.locator("input[data-fieldname=reason]").first.fill("three rooms more")
	dialog.get_by_role("button", name="Show Next Bills").click()
	# 50.00 once and 5 TVs at 10.00, with VAT of 20 %.
	expect(dialog.locator(".lead")).to_contain_text(re.compile("120[.,]00"), timeout=60 * SECONDS)
	expect(dialog.locator(".upcoming-bills tr.bill").first).to_be_visible()
	bars = dialog.locator(".upcoming-bills-chart rect.bar")
	assert max(bars.evaluate_all("bars => bars.map((bar) => Number(bar.getAttribute('height')))")) > 20
	dialog.locator(".upcoming-bills tr.bill").first.click()
	expect(dialog.locator(".upcoming-bills tr.bill-row").first).to_be_visible()
	picture(desk, "subscription-change-lines")

	dialog.get_by_role("button", name="Record Change").click()
	history = desk.locator("[data-fieldname=history_html]")
	expect(history).to_contain_text("L1: 5 outlets", timeout=60 * SECONDS)
	expect(history).to_contain_text("three rooms more")

	history.get_by_role("button", name="Take Back").first.click()
	prompt = desk.locator(".modal.show")
	prompt.locator("textarea[data-fieldname=reason]").fill("only asked")
	prompt.get_by_role("button", name="Take Back").click()
	expect(history).to_contain_text("taken back", timeout=60 * SECONDS)
	expect(desk.get_by_text("of 2 TVs bound")).to_be_visible()
	history.scroll_into_view_if_needed()
	picture(desk, "subscription-history")
	assert not desk.complaints


def test_an_offer_is_played_for_a_prospect(desk, scene, picture):
	desk.goto(f"{os.environ['SUBSCRIBER_TV_URL']}/app/tv-offer-simulator")
	page = desk.locator("#page-tv-offer-simulator")
	page.locator(".grid-row[data-idx='1'] [data-fieldname=offer_version]").first.click()
	offer = page.locator(".grid-row[data-idx='1'] input[data-fieldname=offer_version]")
	offer.fill("HOTEL-TV-V1")
	desk.get_by_role("option", name="HOTEL-TV-V1").or_(
		desk.locator(".awesomplete li", has_text="HOTEL-TV-V1")
	).first.click()
	page.locator("input[data-fieldname=trial_days]").click()
	expect(page.locator(".lead")).to_contain_text(re.compile("72[.,]00"), timeout=60 * SECONDS)
	expect(page.locator(".upcoming-bills tr.bill")).to_have_count(12)
	picture(desk, "offer-simulator")
	assert not desk.complaints
