"""Commands of the app: `bench --site X subscriber-tv …`. Each reads its arguments and makes one call."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import frappe
from frappe.commands import get_site, pass_context


@click.group("subscriber-tv")
def subscriber_tv():
	"""Subscriber management for pay-TV."""


@contextmanager
def on_site(context) -> Iterator[None]:
	"""Connect to the site of `--site` as Administrator; disconnect at the end."""
	frappe.init(site=get_site(context))
	frappe.connect()
	try:
		yield
	finally:
		frappe.destroy()


@contextmanager
def plain_refusal() -> Iterator[None]:
	"""Say why a command cannot be done in one line, without the way that led there. Exit code 1."""
	try:
		yield
	except frappe.ValidationError as error:
		raise click.ClickException(frappe.utils.strip_html(str(error)))


@subscriber_tv.command("bill-run")
@click.option("--company", help="Company that bills; default that of TV Settings.")
@click.option("--posting-date", help="Date of the invoices, YYYY-MM-DD; default today.")
@click.option("--until", help="Bill periods starting until this day; default by TV Settings.")
@click.option("--payer", help="Only this customer.")
@click.option("--preview", is_flag=True, help="Show what would be billed and what stands out; write nothing.")
@click.option("--resume", help="A submitted run to go on with, instead of a new one.")
@click.option("--approve", help="A run that waits for approval: approve it as --user, then bill it.")
@click.option("--user", help="Who approves: another person than the one who submitted the run.")
@pass_context
def bill_run(context, company, posting_date, until, payer, preview, resume, approve, user):
	"""Bill what is due, in this process.

	Exit code 1 when a payer is parked, 3 when the run waits for approval: it has billed nobody then.
	"""
	with on_site(context):
		from subscriber_tv.flows.billing.approve_run import approve as let_go
		from subscriber_tv.flows.billing.run import run
		from subscriber_tv.flows.billing.start_run import new_run
		from subscriber_tv.flows.billing.tell_preview import tell_preview

		order = {"company": company, "posting_date": posting_date, "bill_until": until, "payer": payer}
		if preview:
			for said in tell_preview(**order):
				click.echo(said)
			return
		if approve:
			if not user:
				raise click.UsageError("--approve needs --user")
			let_go(bill_run=approve, user=user)
			# The approval stands, whatever becomes of the run.
			frappe.db.commit()  # nosemgrep
		name = approve or resume or new_run(**order)
		counters = run(bill_run=name)
		click.echo(name)
		for key, value in counters.items():
			click.echo(f"  {key}: {value}")
	if counters["status"] == "Awaiting Approval":
		sys.exit(3)
	if counters["payers_parked"]:
		sys.exit(1)


@subscriber_tv.command("rebuild-claims")
@pass_context
def rebuild_claims(context):
	"""Make the claims on billed periods anew from the invoices that stand."""
	with on_site(context):
		from subscriber_tv.flows.billing.claims import rebuild_claims as rebuild

		number = rebuild()
		# The command is the whole transaction.
		frappe.db.commit()  # nosemgrep
		click.echo(f"{number} claims")


@subscriber_tv.command("demo")
@click.option(
	"--erase", is_flag=True, help="Take the demo away again, with every transaction of its company."
)
@click.option("--password", help="Password of all demo users; default a random one for each new user.")
@pass_context
def demo(context, erase, password):
	"""Load the demo operator from its CSV files, or erase it. Loading twice changes nothing."""
	with on_site(context):
		if erase:
			from subscriber_tv.setup.erase_demo import erase_demo

			erase_demo(say=click.echo)
			return
		from subscriber_tv.setup.demo import load_demo

		for email, secret in load_demo(password=password, say=click.echo, progress=_show_progress).items():
			click.echo(f"  {email}  {secret or '(password unchanged)'}")


@subscriber_tv.command("import")
@click.argument("kind")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--report", type=click.Path(dir_okay=False), help="Write the problems to this CSV file.")
@pass_context
def import_file(context, kind, file, report):
	"""Load a CSV FILE of this KIND. Good rows are kept; exit code 1 when there are bad ones.

	Kinds, in the order to load them: channels, bouquets, offers, models, customers, sites, receipts, subscriptions,
	changes, deliveries, bindings.
	"""
	with on_site(context):
		from subscriber_tv.core.imports.rows import KINDS
		from subscriber_tv.flows.imports.load_file import load_file, worded
		from subscriber_tv.flows.imports.report_problems import problems_csv

		if kind not in KINDS:
			raise click.BadParameter(", ".join(KINDS), param_hint="KIND")
		path = Path(file)
		result = load_file(
			kind, path.read_bytes(), path.name, progress=lambda done, total: _show_progress(kind, done, total)
		)
		click.echo(
			f"{result.loaded} loaded, {result.unchanged} already there, {len(result.problems)} problems"
		)
		for problem in result.problems[:20]:
			said = worded(problem)
			click.echo(
				f"{path.name}:{said['line']} {said['column']} {said['reason']} {said['next_step']}", err=True
			)
		if report and result.problems:
			Path(report).write_bytes(problems_csv(result))
	if result.problems:
		sys.exit(1)


@subscriber_tv.command("import-subscriptions")
@click.option("--company", help="Only Subscriptions of this company.")
@click.option("--bouquet", multiple=True, help="Bouquet of the offers that have to be made; may be repeated.")
@click.option("--dry-run", is_flag=True, help="Take nothing over, only say what would become of each.")
@click.option("--report", type=click.Path(dir_okay=False), help="Write the outcome of each to this CSV file.")
@pass_context
def import_subscriptions(context, company, bouquet, dry_run, report):
	"""Take over ERPNext's own Subscriptions, each billed on from where ERPNext stopped. Exit code 1 when one is refused."""
	with on_site(context):
		from subscriber_tv.flows.imports.import_subscriptions import REFUSED, import_subscriptions
		from subscriber_tv.flows.imports.report_takeover import summary, takeover_csv

		rows = import_subscriptions(
			company=company,
			bouquets=bouquet,
			dry_run=dry_run,
			progress=lambda done, total: _show_progress("subscriptions", done, total),
		)
		for line in summary(rows, dry_run=dry_run):
			click.echo(line)
		if report:
			Path(report).write_bytes(takeover_csv(rows))
	if any(row.outcome == REFUSED for row in rows):
		sys.exit(1)


@subscriber_tv.command("load-usage")
@click.argument("profile")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@pass_context
def load_usage(context, profile, file):
	"""Load a FILE of usage records by a TV Import PROFILE. Exit code 1 when rows are rejected or held, or the file cannot be read."""
	with on_site(context):
		from subscriber_tv.flows.usage.import_file import COMPLETED, load_path

		result = load_path(profile=profile, path=Path(file))
		for figure, value in result.items():
			click.echo(f"{figure}: {value}")
	if result["status"] != COMPLETED:
		sys.exit(1)


@subscriber_tv.command("set-up-operator")
@click.option("--company", required=True, help="Company whose accounts, taxes and warehouses are set.")
@pass_context
def set_up_operator(context, company):
	"""Correct a French company's accounts and make its tax templates, terms and in-service warehouse."""
	with on_site(context):
		from subscriber_tv.setup.operator import set_up_operator as set_up

		findings = set_up(company)
		# The command is the whole transaction.
		frappe.db.commit()  # nosemgrep
		for finding in findings:
			click.echo(f"{finding.what}: {finding.found or '-'} (expected {finding.expected})", err=True)
		click.echo(f"{company}: {len(findings)} findings left")
	if findings:
		sys.exit(1)


@subscriber_tv.command("backup")
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False))
@pass_context
def backup(context, folder):
	"""Write all rows of the app into a zip, as uninstalling does; default folder is the site's private files."""
	with on_site(context):
		from subscriber_tv.setup.backup import write_backup

		click.echo(write_backup(folder))


@subscriber_tv.command("restore")
@click.argument("zip_file", type=click.Path(exists=True, dir_okay=False))
@pass_context
def restore(context, zip_file):
	"""Put the rows of a backup zip back after a reinstall. Rows that are there stay as they are."""
	with on_site(context):
		from subscriber_tv.flows.imports.restore_backup import restore_backup

		result = restore_backup(zip_file)
		for doctype, number in {**result.rows, **result.fields}.items():
			if number:
				click.echo(f"{doctype}: {number}")
		for remark in result.remarks:
			click.echo(remark, err=True)


def _show_progress(kind: str, done: int, total: int) -> None:
	"""One line that counts, on a terminal only."""
	if sys.stdout.isatty():
		click.echo(f"\r{kind}: {done}/{total}", nl=done == total)


@subscriber_tv.command("rotate-epoch")
@pass_context
def rotate_epoch(context):
	"""Begin a new epoch of TVs' keys. TVs take the new key by themselves; keys of two epochs ago end."""
	with on_site(context):
		from subscriber_tv.setup.keys import rotate_masters

		epoch, path = rotate_masters()
		click.echo(f"epoch {epoch}: copy {path} to every edge; each takes it within a second")


@subscriber_tv.command("publisher")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address the feed listens on.")
@click.option("--port", default=8091, show_default=True, type=int, help="Port the feed listens on.")
@click.option("--once", is_flag=True, help="Publish what waits, then end; no feed.")
@pass_context
def publisher(context, host, port, once):
	"""Publish rights as they change and feed the edges, until SIGTERM."""
	from subscriber_tv.publisher import serve, sweep_once

	with on_site(context):
		sweep_once() if once else serve(host, port)


@subscriber_tv.command("compare-edges")
@click.option(
	"--edge", "edges", multiple=True, help="NAME=URL of one edge; default all in subscriber_tv_edges."
)
@click.option("--list", "most", default=100, show_default=True, help="Differences shown for each edge.")
@pass_context
def compare_edges(context, edges, most):
	"""Compare what every edge holds with what was published. Exit code 1 when one differs or cannot be compared."""
	addresses = dict(edge.partition("=")[::2] for edge in edges) or None
	if addresses and not all(addresses.values()):
		raise click.BadParameter("NAME=URL", param_hint="--edge")
	with on_site(context):
		from subscriber_tv.flows.activation.compare_edges import compare_edges as compare

		outcomes = compare(addresses)
	for found in outcomes:
		if found.problem:
			click.echo(f"{found.edge}: not compared: {found.problem}", err=True)
			continue
		number = len(found.differences) if found.complete else f"more than {len(found.differences)}"
		click.echo(
			f"{found.edge}: number {found.seq}, {found.age} s old, {found.rows} TVs, {number} differences"
		)
		for one in found.differences[:most]:
			click.echo(f"  {one.subject} {one.kind} (published as {one.ours}, held as {one.theirs})")
	if not outcomes:
		click.echo("no edges: name them in subscriber_tv_edges of site_config.json, or by --edge", err=True)
	if not outcomes or any(found.problem or found.differences for found in outcomes):
		sys.exit(1)


@subscriber_tv.command("mqtt")
@pass_context
def mqtt(context):
	"""Hear on the message broker which TVs are online and what they did, until SIGTERM."""
	from subscriber_tv.publisher import listen

	with on_site(context), plain_refusal():
		listen()


@subscriber_tv.command("mqtt-files")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, writable=True))
@pass_context
def mqtt_files(context, folder):
	"""Write the access list and passwords of all bound TVs for a Mosquitto broker into FOLDER; reload it then."""
	with on_site(context), plain_refusal():
		from subscriber_tv.flows.mqtt.write_files import write_files

		click.echo(f"{write_files(folder)} TVs")


@subscriber_tv.command("provision")
@click.option("--platform", multiple=True, help="Only this TV Provisioning Platform; may be repeated.")
@click.option("--compare", is_flag=True, help="Ask what it holds and order the differences first.")
@pass_context
def provision(context, platform, compare):
	"""Send what is due to CAS, DRM and streaming platforms, in this process. Exit code 1 when a platform did not answer."""
	with on_site(context):
		from subscriber_tv.flows.provisioning.platforms import served
		from subscriber_tv.flows.provisioning.reconcile import reconcile
		from subscriber_tv.flows.provisioning.work import work

		silent = False
		for name in platform or [one.name for one in served()]:
			if compare:
				result = reconcile(name)
				silent = silent or result is None
				click.echo(f"{name}: {result or 'did not say what it holds'}")
			counts = work(name)
			silent = silent or bool(counts["retry"])
			click.echo(
				f"{name}: " + (", ".join(f"{value} {key}" for key, value in counts.items()) or "nothing due")
			)
	if silent:
		sys.exit(1)


commands = [subscriber_tv]
