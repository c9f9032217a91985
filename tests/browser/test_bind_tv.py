"""What a clerk does while the technician reads the code from the screen: compare the TV, bind it, see the contract active."""

import os
import re
import time

from playwright.sync_api import expect

from subscriber_tv.simulator.http import Service
from subscriber_tv.simulator.tv import BARKER, PAIRING, PLAYING, Tv

SECONDS = 1000
DISABLED = re.compile("disabled")


def test_a_tv_bound_by_its_code_makes_the_subscription_active(desk, scene, picture):
	tv = Tv(scene.serials[0], Service(os.environ["SUBSCRIBER_TV_EDGE_URL"]))
	assert tv.power_on().kind == PAIRING
	code = tv.enrol().document["user_code"]

	desk.goto(f"{os.environ['SUBSCRIBER_TV_URL']}/app/tv-subscription/{scene.subscription}")
	expect(desk.locator(".page-head .indicator-pill")).to_contain_text("Awaiting Activation")
	picture(desk, "subscription-awaiting-activation")

	dialog = open_dialog(desk, "Bind TV")
	button = dialog.get_by_role("button", name="Bind", exact=True)
	expect(button).to_have_class(DISABLED)
	dialog.locator("input[data-fieldname=code]").fill(code)
	dialog.get_by_role("button", name="Show This TV").click()
	shows(dialog, scene, tv.serial, code, ("Serial Number", "Model", "Place"))
	picture(desk, "subscription-bind-tv")
	expect(button).not_to_have_class(DISABLED)
	button.click()

	expect(desk.locator(".page-head .indicator-pill")).to_have_text("Active", timeout=60 * SECONDS)
	expect(desk.get_by_text("L1: 1 of 2 TVs bound")).to_be_visible()
	picture(desk, "subscription-active")
	assert not desk.complaints

	assert seen_at_last(tv) == PLAYING


def test_a_wrong_code_binds_nothing(desk, scene, picture):
	desk.goto(f"{os.environ['SUBSCRIBER_TV_URL']}/app/tv-subscription/{scene.subscription}")
	dialog = open_dialog(desk, "Bind TV")
	dialog.locator("input[data-fieldname=code]").fill("BCDF-GHJK")
	dialog.get_by_role("button", name="Show This TV").click()
	refusal = desk.locator(".modal.show .msgprint")
	expect(refusal).to_contain_text("No TV shows this pairing code now")
	expect(refusal).not_to_contain_text("Traceback")
	picture(desk, "subscription-wrong-code")
	expect(dialog.get_by_role("button", name="Bind", exact=True)).to_have_class(DISABLED)


def test_the_desk_compares_in_french_and_stops_who_guesses(desk_fr, scene, picture):
	"""Serial, model and place of the TV whose code it is; after five wrong codes not even the right one is looked up."""
	tv = Tv(scene.serials[2], Service(os.environ["SUBSCRIBER_TV_EDGE_URL"]))
	code = tv.enrol().document["user_code"]
	open_code(desk_fr, code.lower().replace("-", " "))
	shows(desk_fr.locator(".tv-pairing"), scene, tv.serial, code, ("Numéro de série", "Modèle", "Lieu"))
	expect(desk_fr.locator(".tv-pairing-bind")).to_contain_text(scene.spare)
	picture(desk_fr, "desk-compare-tv-fr")

	refusal = desk_fr.locator(".modal.show .msgprint")
	for letter in "KLMNP":
		open_code(desk_fr, f"BCDF-GHJ{letter}")
		expect(refusal).to_contain_text("Aucun téléviseur n'affiche ce code")
		expect(desk_fr.locator(".tv-pairing-bind")).to_have_count(0)
	picture(desk_fr, "desk-wrong-code-fr")
	open_code(desk_fr, code)
	expect(refusal).to_contain_text("Trop de codes d'appairage erronés")
	expect(desk_fr.locator(".tv-pairing-card")).to_have_count(0)


def open_code(desk, code: str) -> None:
	desk.goto(f"{os.environ['SUBSCRIBER_TV_URL']}/pair-tv?code={code}")


def shows(box, scene, serial: str, code: str, labels: tuple[str, ...]) -> None:
	"""What is to be compared, under its labels."""
	card = box.locator(".tv-pairing-card")
	for text in (code, serial, scene.model, scene.places[serial], *labels):
		expect(card).to_contain_text(text)


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
