"""A browser before a served site: who is logged in, what stands there, where pictures go."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

FLAGS = (
	"--headless",
	"--no-sandbox",
	"--disable-gpu",
	"--disable-quic",
	"--no-first-run",
	"--disable-background-networking",
	"--disable-component-update",
	"--disable-sync",
)
SECONDS = 1000
# A TV asks every five seconds whether its code was entered, and an edge hears a second later.
expect.set_options(timeout=20 * SECONDS)


@dataclass(frozen=True)
class Scene:
	"""What the served site holds for the tests (see scene.py)."""

	subscription: str
	# A subscription of another customer, with the last of the TVs at its site.
	spare: str
	serials: list[str]
	model: str
	places: dict[str, str]
	user: str
	user_fr: str
	biller: str
	password: str
	billed: dict


def required(name: str) -> str:
	"""A setting that `./dev test browser` gives; without it the test fails rather than hides."""
	value = os.environ.get(name)
	if not value:
		pytest.fail(f"{name} is not set: run this suite through ./dev test browser")
	return value


@pytest.fixture(scope="session")
def scene() -> Scene:
	python = json.loads(required("SUBSCRIBER_TV_BENCH"))[0]
	script = Path(__file__).parent / "scene.py"
	done = subprocess.run(
		[python, script, required("SUBSCRIBER_TV_SITE")],
		cwd=required("SUBSCRIBER_TV_SITES"),
		env=json.loads(required("SUBSCRIBER_TV_BENCH_ENV")),
		capture_output=True,
		text=True,
		timeout=300,
	)
	assert done.returncode == 0, done.stderr + done.stdout
	return Scene(**json.loads(done.stdout.strip().splitlines()[-1]))


@pytest.fixture(scope="session")
def chromium():
	with sync_playwright() as playwright:
		browser = playwright.chromium.launch(
			executable_path=required("SUBSCRIBER_TV_CHROMIUM"), args=list(FLAGS)
		)
		yield browser
		browser.close()


@pytest.fixture
def page(chromium) -> Page:
	"""A fresh page; messages on its console are kept in `page.complaints`."""
	context = chromium.new_context(viewport={"width": 1400, "height": 1000}, locale="en-GB")
	page = context.new_page()
	page.set_default_timeout(30 * SECONDS)
	page.complaints = []
	page.on("pageerror", lambda error: page.complaints.append(str(error)))
	yield page
	context.close()


@pytest.fixture
def desk(page, scene) -> Page:
	"""The page, logged in as a back-office clerk."""
	return log_in(page, scene.user, scene.password)


@pytest.fixture
def desk_fr(chromium, scene) -> Page:
	"""Another window, logged in as a clerk who works in French."""
	context = chromium.new_context(viewport={"width": 1400, "height": 1000}, locale="fr-FR")
	page = context.new_page()
	page.set_default_timeout(30 * SECONDS)
	yield log_in(page, scene.user_fr, scene.password)
	context.close()


@pytest.fixture
def billing_desk(page, scene) -> Page:
	"""The page, logged in as a billing clerk."""
	return log_in(page, scene.biller, scene.password)


def log_in(page: Page, user: str, password: str) -> Page:
	page.goto(f"{required('SUBSCRIBER_TV_URL')}/login")
	page.locator("#login_email").fill(user)
	page.locator("#login_password").fill(password)
	page.locator(".btn-login").first.click()
	page.wait_for_url("**/app**")
	expect(page.locator(".navbar .user-image, .navbar .avatar").first).to_be_visible(timeout=60 * SECONDS)
	return page


@pytest.fixture
def picture():
	"""Keeps a picture of a page in the cache, for people to look at: `picture(page, "name")`."""
	folder = Path(required("SUBSCRIBER_TV_SHOTS"))

	def take(page: Page, name: str) -> Path:
		path = folder / f"{name}.png"
		page.screenshot(path=path)
		return path

	return take
