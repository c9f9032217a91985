app_name = "subscriber_tv"
app_title = "Subscriber TV"
app_publisher = "The subscriber_tv team"
app_description = "Subscriber management for pay-TV and TV as a service, from quote to paid invoice"
app_email = "team@subscriber-tv.example"
app_license = "gpl-3.0"
required_apps = ["erpnext"]

after_install = "subscriber_tv.setup.install.after_install"
after_migrate = ["subscriber_tv.setup.install.after_migrate"]
before_uninstall = "subscriber_tv.setup.uninstall.before_uninstall"
before_tests = "subscriber_tv.setup.install.before_tests"
default_log_clearing_doctypes = {
	"TV Activation": 90,
	"TV Command": 365,
	"TV Device Evidence": 90,
	"TV Device Hour": 3,
	"TV Provisioning Order": 90,
}

after_request = [
	"subscriber_tv.api.tv_frame.replace_answer",
	"subscriber_tv.api.usage.replace_answer",
]
page_renderer = ["subscriber_tv.api.tv_frame.Unreadable"]
jinja = {
	"methods": [
		"subscriber_tv.flows.printing.invoice.tv_invoice",
		"subscriber_tv.flows.printing.letter.tv_letter",
		"subscriber_tv.flows.letters.write.tv_price_letter",
		"subscriber_tv.flows.letters.write.tv_renewal_letter",
	]
}
doctype_js = {
	"Customer": "public/js/customer.js",
	"Quotation": "public/js/quotation.js",
	"Sales Invoice": ["public/js/sales_invoice_disputes.js"],
	"TV Device": "public/js/tv_command.js",
	"TV Device Model": "public/js/tv_command.js",
	"TV Site": "public/js/tv_command.js",
	"TV Migration": "public/js/campaign.js",
	"TV Price Revision": "public/js/campaign.js",
}
doctype_list_js = {
	doctype: "public/js/import_csv.js"
	for doctype in (
		"TV Bouquet",
		"TV Channel",
		"TV Device",
		"TV Device Model",
		"TV Offer",
		"TV Site",
		"TV Subscription",
	)
} | {doctype: "public/js/campaign_list.js" for doctype in ("TV Migration", "TV Price Revision")}
override_doctype_dashboards = {
	"Customer": "subscriber_tv.overrides.dashboards.customer",
	"Item": "subscriber_tv.overrides.dashboards.item",
	"Purchase Receipt": "subscriber_tv.overrides.dashboards.purchase_receipt",
	"Sales Invoice": "subscriber_tv.overrides.dashboards.sales_invoice",
	"Serial No": "subscriber_tv.overrides.dashboards.serial_no",
}
permission_query_conditions = {
	"TV Activation": "subscriber_tv.overrides.company_walls.conditions",
	"TV Device Evidence": "subscriber_tv.overrides.company_walls.conditions",
	"TV Device Hour": "subscriber_tv.overrides.company_walls.conditions",
	"TV Billed Period": "subscriber_tv.overrides.company_walls.conditions",
	"TV Entitlement": "subscriber_tv.overrides.company_walls.conditions",
	"TV Usage Record": "subscriber_tv.overrides.company_walls.conditions",
}
has_permission = {
	"TV Activation": "subscriber_tv.overrides.company_walls.has_permission",
	"TV Device Evidence": "subscriber_tv.overrides.company_walls.has_permission",
	"TV Device Hour": "subscriber_tv.overrides.company_walls.has_permission",
	"TV Billed Period": "subscriber_tv.overrides.company_walls.has_permission",
	"TV Entitlement": "subscriber_tv.overrides.company_walls.has_permission",
	"TV Usage Record": "subscriber_tv.overrides.company_walls.has_permission",
}
company_data_to_be_ignored = ["TV Service Warehouse Line", "TV Bill Schedule Line"]
add_to_apps_screen = [
	{
		"name": "subscriber_tv",
		"logo": "/assets/subscriber_tv/images/logo.svg",
		"title": "Subscriber TV",
		"route": "/app/subscriber-tv",
		"has_permission": "subscriber_tv.api.steering.may_open_app",
	}
]

auto_cancel_exempted_doctypes = ["TV Bill Run"]

doc_events = {
	"Sales Invoice": {
		"on_submit": "subscriber_tv.overrides.sales_invoice.on_submit",
		"on_cancel": "subscriber_tv.overrides.sales_invoice.on_cancel",
		"on_trash": "subscriber_tv.overrides.sales_invoice.on_trash",
	},
	"Quotation": {
		"before_validate": "subscriber_tv.overrides.quotation.before_validate",
		"validate": "subscriber_tv.overrides.quotation.validate",
		"before_submit": "subscriber_tv.overrides.quotation.before_submit",
	},
	"Dunning": {"validate": "subscriber_tv.overrides.dunning.validate"},
	"Stock Ledger Entry": {"on_submit": "subscriber_tv.overrides.stock_ledger_entry.on_submit"},
	"Subscription": {"on_update": "subscriber_tv.overrides.subscription.on_update"},
	(
		"Purchase Receipt",
		"Purchase Invoice",
		"Delivery Note",
		"Sales Invoice",
		"Stock Entry",
		"Stock Reconciliation",
		"Subcontracting Receipt",
	): {
		"on_submit": "subscriber_tv.overrides.stock_voucher.on_submit",
		"on_cancel": "subscriber_tv.overrides.stock_voucher.on_cancel",
	},
	"Stock Entry": {"before_submit": "subscriber_tv.overrides.stock_entry.before_submit"},
}

scheduler_events = {
	"daily": [
		"subscriber_tv.flows.support.count_fleet.recount",
		"subscriber_tv.flows.support.judge_copies.judge_again",
		"subscriber_tv.flows.contracts.renew_due.renew_due",
		"subscriber_tv.flows.letters.renewals.write_renewals",
		"subscriber_tv.flows.provisioning.reconcile.reconcile_daily",
	],
	"cron": {
		"* * * * *": [
			"subscriber_tv.flows.provisioning.wake.wake_due",
			"subscriber_tv.flows.provisioning.tell_owner.tell_owners",
			"subscriber_tv.flows.support.count_fleet.count_fleet",
		],
		"*/10 * * * *": [
			"subscriber_tv.flows.support.apply_rules.apply_rules",
			"subscriber_tv.flows.billing.start_run.resume_abandoned",
			"subscriber_tv.flows.campaigns.start.resume_abandoned",
		],
	},
	"hourly": [
		"subscriber_tv.flows.contracts.end_due.end_due",
		"subscriber_tv.flows.usage.import_file.resume_abandoned",
		"subscriber_tv.flows.usage.replay.judge_received",
		"subscriber_tv.flows.contracts.follow_lines.follow_lines",
		"subscriber_tv.flows.billing.schedule_runs.start_due",
	],
}
