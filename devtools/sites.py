"""Sites in seconds: made once, kept as dumps named by what they were made from, restored from then on."""

import datetime
import json
import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from devtools import paths, proc
from devtools.bench import Overlay
from devtools.say import Problem, step
from devtools.services import mariadb_client, must_sql

# Part of every key: a change in how dumps are laid out makes them anew.
LAYOUT = "2"
MARK = "subscriber_tv_dev_site"
FOLDERS = ("public/files", "private/files", "private/backups", "locks", "logs", "task-logs")
NOT_KEPT = ("site_config.json", "locks", "logs", "task-logs", "backups")
ADMIN_PASSWORD = "admin"
WIZARD = Path(__file__).parent / "inside" / "wizard.py"


@dataclass(frozen=True)
class Dump:
	"""A site at rest: its database, its settings, its files."""

	folder: Path

	@property
	def sql(self) -> Path:
		return self.folder / "db.sql"

	@property
	def complete(self) -> bool:
		return (self.folder / "complete").exists()


def with_app(overlay: Overlay) -> Dump:
	"""A French operator's ERPNext with the clone's subscriber_tv installed."""
	operator = with_operator(overlay)
	key = paths.digest(operator.folder.name, paths.tree_digest(paths.PACKAGE))
	dump = Dump(paths.state() / "dumps" / f"app-{key}")
	with proc.lock("dump-app"):
		if not dump.complete:
			_forget_others(dump, "app-*")
			_build(overlay, dump, "installing subscriber_tv", operator, _install_app)
	return dump


def with_operator(overlay: Overlay) -> Dump:
	"""A French operator's ERPNext, wizard done, without the app. Shared: it knows nothing of any clone."""
	pristine = _pristine(overlay)
	# The wizard makes the fiscal year of the day it runs on.
	year = str(datetime.date.today().year)
	key = paths.digest(pristine.folder.name, WIZARD.read_text(), year)
	dump = Dump(paths.shared() / "dumps" / f"operator-{key}")
	with proc.lock(dump.folder.name, common=True, waiting="another ./dev is answering ERPNext's wizard"):
		if not dump.complete:
			_build(overlay, dump, "answering ERPNext's setup wizard (once)", pristine, _answer_wizard)
	return dump


def _pristine(overlay: Overlay) -> Dump:
	dump = Dump(paths.shared() / "dumps" / f"erpnext-{paths.digest(LAYOUT, overlay.bench.fingerprint)}")
	with proc.lock(dump.folder.name, common=True, waiting="another ./dev is making the ERPNext base"):
		if not dump.complete:
			_build(overlay, dump, "making an ERPNext site (once; one to three minutes)", None, None)
	return dump


def _build(overlay: Overlay, dump: Dump, what: str, base: Dump | None, then) -> None:
	step(what)
	_drop_abandoned(overlay)
	log = paths.logs() / "sites.log"
	site = f"build-{os.getpid()}.localhost"
	try:
		if base:
			restore(overlay, base, site)
		else:
			_new_site(overlay, site, log)
		if then:
			then(overlay, site, log)
		_keep(overlay, site, dump)
	finally:
		drop(overlay, site)


def _drop_abandoned(overlay: Overlay) -> None:
	"""Sites of builds whose process is gone: a killed run could not remove its own."""
	for folder in overlay.sites.glob("build-*.localhost"):
		if proc.start_time(int(folder.name.split("-")[1].split(".")[0])) is None:
			drop(overlay, folder.name)


def _new_site(overlay: Overlay, site: str, log: Path) -> None:
	name = _new_database(overlay, site)
	config = _config(overlay, site)
	options = ["--db-name", name, "--db-password", config["db_password"], "--no-setup-db"]
	options += ["--admin-password", ADMIN_PASSWORD, "--force", "--install-app", "erpnext"]
	overlay.run("new-site", site, *options, what="making an ERPNext site", log=log, heartbeat="ERPNext site")
	_mark(overlay, site)


def _answer_wizard(overlay: Overlay, site: str, log: Path) -> None:
	command = [overlay.bench.python, WIZARD, site]
	proc.must(
		command, what="the setup wizard", log=log, cwd=overlay.sites, env=overlay.env(), heartbeat="wizard"
	)


def _install_app(overlay: Overlay, site: str, log: Path) -> None:
	install = ("--site", site, "install-app", "subscriber_tv")
	overlay.run(*install, what="install-app subscriber_tv", log=log, heartbeat="install-app")


def restore(overlay: Overlay, dump: Dump, site: str, **settings: object) -> None:
	"""Make `site` what `dump` holds, whatever it was; `settings` are added to its site_config.json."""
	drop(overlay, site)
	_new_database(overlay, site)
	config = _config(overlay, site)
	with open(dump.sql, "rb") as source:
		client = [*mariadb_client("mariadb", overlay.services), config["db_name"]]
		log = paths.logs() / "restore.log"
		proc.must(client, what=f"restoring {site}", log=log, stdin=source, heartbeat=f"restoring {site}")
	shutil.copytree(dump.folder / "site", overlay.sites / site, dirs_exist_ok=True)
	kept = (dump.folder / "site_config.json").read_text()
	kept = kept.replace("{sites}", str(overlay.sites)).replace("{site}", site)
	config |= json.loads(kept) | {"allow_tests": True} | settings
	_write_config(overlay, site, config)


def drop(overlay: Overlay, site: str) -> None:
	"""Remove a site that we made, database and folder; leave any other alone."""
	if not (overlay.sites / site).exists():
		return
	config = _config(overlay, site)
	if not config.get(MARK):
		raise Problem(f"{overlay.sites / site} was not made by ./dev; remove it yourself")
	must_sql(f"drop database if exists `{config['db_name']}`", overlay.services)
	must_sql(f"drop user if exists '{config['db_name']}'@'localhost'", overlay.services)
	shutil.rmtree(overlay.sites / site)


def exists(overlay: Overlay, site: str) -> bool:
	return (overlay.sites / site / "site_config.json").exists()


def _new_database(overlay: Overlay, site: str) -> str:
	"""An empty database under a name never used before (caches are keyed by it), and the site's folders."""
	name, password = f"_{secrets.token_hex(8)}", secrets.token_hex(16)
	for folder in FOLDERS:
		(overlay.sites / site / folder).mkdir(parents=True, exist_ok=True)
	_write_config(overlay, site, {"db_name": name, "db_password": password, "db_type": "mariadb", MARK: True})
	statement = (
		f"create database `{name}` character set utf8mb4 collate utf8mb4_unicode_ci;"
		f"create user '{name}'@'localhost' identified by '{password}';"
		f"grant all privileges on `{name}`.* to '{name}'@'localhost'"
	)
	must_sql(statement, overlay.services)
	return name


def _keep(overlay: Overlay, site: str, dump: Dump) -> None:
	"""Write the dump beside its final place, then rename: a killed run leaves no half dump behind."""
	config = _config(overlay, site)
	name = config["db_name"]
	draft = Dump(dump.folder.with_name(f"{dump.folder.name}.{os.getpid()}"))
	draft.folder.mkdir(parents=True)
	client = [*mariadb_client("mariadb-dump", overlay.services), "--single-transaction", "--no-autocommit"]
	command = [*client, f"--result-file={draft.sql}", name]
	proc.must(command, what=f"dumping {site}", log=paths.logs() / "sites.log")
	shutil.copytree(overlay.sites / site, draft.folder / "site", ignore=shutil.ignore_patterns(*NOT_KEPT))
	kept = {key: value for key, value in config.items() if not key.startswith("db_")}
	text = json.dumps(kept, indent=1).replace(str(overlay.sites), "{sites}").replace(site, "{site}")
	(draft.folder / "site_config.json").write_text(text)
	(draft.folder / "complete").touch()
	shutil.rmtree(dump.folder, ignore_errors=True)
	draft.folder.rename(dump.folder)


def _forget_others(dump: Dump, pattern: str) -> None:
	for path in dump.folder.parent.glob(pattern):
		if path != dump.folder:
			shutil.rmtree(path, ignore_errors=True)


def _mark(overlay: Overlay, site: str) -> None:
	_write_config(overlay, site, _config(overlay, site) | {MARK: True})


def _config(overlay: Overlay, site: str) -> dict:
	path = overlay.sites / site / "site_config.json"
	return json.loads(path.read_text()) if path.exists() else {MARK: True, "db_name": "_"}


def _write_config(overlay: Overlay, site: str, config: dict) -> None:
	(overlay.sites / site / "site_config.json").write_text(json.dumps(config, indent=1, sort_keys=True))
