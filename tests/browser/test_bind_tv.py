"""What a clerk does while the technician reads the code from the screen: bind a TV and see the contract become active."""

import os
import time

from playwright.sync_api import expect

from subscriber_tv.simulator.http import Service
from subscriber_tv.simulator.tv import BARKER, PAIRING, PLAYING, Tv

SECONDS = 1000


def test_a_tv_bound_by_its_code_makes_the_subscription_active(desk, scene, picture):
	tv = Tv(scene.serials[0], Service(os.environ["SUBSCRIBER_TV_EDGE_URL"]))
	assert tv.power_on().kind == PAIRING
	code = tv.enrol().document["user_code"]

	desk.goto(f"{os.environ['SUBSCRIBER_TV_URL']}/app/tv-subscription/{scene.subscription}")
	expect(desk.locator(".page-head .indicator-pill")).to_contain_text("Awaiting Activation")
	picture(desk, "subscription-awaiting-activation")

	dialog = open_dialog(desk, "Bind TV")
	dialog.locator("input[data-fieldname=code]").fill(code)
	dialog.get_by_role("button", name="Show This TV").click()
	expect(dialog).to_contain_text(tv.serial)
	picture(desk, "subscription-bind-tv")
	dialog.get_by_role("button", name="Bind", exact=True).click()

	expect(desk.locator(".page-head .indicator-pill")).to_have_text("Active", timeout=60 * SECONDS)
	expect(desk.get_by_text("L1: 1 of 2 TVs bound")).to_be_visible()
	picture(desk, "subscription-active")
	assert not desk.complaints

	assert seen_at_last(tv) == PLAYING


def test_a_wrong_code_is_refused_with_the_next_step(desk, scene, picture):
	desk.goto(f"{os.environ['SUBSCRIBER_TV_URL']}/app/tv-subscription/{scene.subscription}")
	dialog = open_dialog(desk, "Bind TV")
	dialog.locator("input[data-fieldname=code]").fill("BCDF-GHJK")
	dialog.get_by_role("button", name="Bind", exact=True).click()
	refusal = desk.locator(".modal.show .msgprint")
	expect(refusal).to_contain_text("code")
	expect(refusal).not_to_contain_text("Traceback")
	picture(desk, "subscription-wrong-code")


def open_dialog(desk, label: str):
	"""Press the form's button, which stands alone while it is the next step and under Actions otherwise."""
	button = desk.locator(".page-head").get_by_role("button", name=label)
	action = desk.locator(".page-head .inner-group-button .dropdown-item", has_text=label)
	expect(button.or_(action)).to_be_attached()
	if action.count():
		desk.locator(".page-head .inner-group-button > button").click()
		action.click()
	else:
		button.click()
	return desk.locator(".modal.show")


def seen_at_last(tv: Tv, seconds: float = 20) -> str:
	"""What the TV shows once the edge has heard of the change; it is told within a second or so."""
	deadline = time.monotonic() + seconds
	while time.monotonic() < deadline:
		screen = tv.power_on()
		if screen.kind not in (PAIRING, BARKER):
			return screen.kind
		time.sleep(0.5)
	return screen.kind
