// "Import CSV" in the menu of a list: upload, progress, and a report of the rows that were refused.
(() => {
	const KINDS = {
		"TV Channel": ["channels"],
		"TV Bouquet": ["bouquets"],
		"TV Offer": ["offers"],
		"TV Device Model": ["models"],
		"TV Device": ["receipts", "deliveries", "bindings"],
		"TV Site": ["customers", "sites"],
		"TV Subscription": ["subscriptions", "changes"],
	};

	const label = (kind) =>
		({
			channels: __("Channels"),
			bouquets: __("Bouquets"),
			offers: __("Offers and charges"),
			models: __("TV models"),
			receipts: __("Goods receipts"),
			deliveries: __("Deliveries"),
			bindings: __("Paired TVs"),
			customers: __("Customers"),
			sites: __("Sites"),
			subscriptions: __("Subscriptions"),
			changes: __("History of subscriptions"),
		})[kind];

	function upload(kind, listview) {
		new frappe.ui.FileUploader({
			restrictions: { allowed_file_types: [".csv"] },
			make_attachments_public: false,
			on_success: (file) =>
				frappe
					.call({
						method: "subscriber_tv.api.imports.import_csv",
						args: { kind, file_url: file.file_url },
					})
					.then(() => {
						frappe.show_alert(__("The file is being loaded."));
						frappe.realtime.off("subscriber_tv_import");
						frappe.realtime.on("subscriber_tv_import", (report) => show(report, listview));
					}),
		});
	}

	function show(report, listview) {
		frappe.hide_progress();
		listview.refresh();
		const rows = report.problems
			.slice(0, 20)
			.map(
				(problem) =>
					`<tr><td>${problem.line}</td><td>${frappe.utils.escape_html(
						problem.column
					)}</td><td>${frappe.utils.escape_html(problem.reason)}<br>
					<span class="text-muted">${frappe.utils.escape_html(problem.next_step)}</span></td></tr>`
			)
			.join("");
		const link = report.report_url
			? `<p><a href="${encodeURI(report.report_url)}">${__("All problems as CSV")}</a></p>`
			: "";
		frappe.msgprint({
			title: __("Import of {0}", [frappe.utils.escape_html(report.file)]),
			indicator: report.problem_count ? "orange" : "green",
			message: `<p>${__("{0} loaded, {1} already there, {2} problems", [
				report.loaded,
				report.unchanged,
				report.problem_count,
			])}</p>${rows ? `<table class="table table-bordered">${rows}</table>` : ""}${link}`,
		});
	}

	for (const [doctype, kinds] of Object.entries(KINDS)) {
		const settings = (frappe.listview_settings[doctype] = frappe.listview_settings[doctype] || {});
		if (settings.tv_import) continue;
		const own = settings.onload;
		settings.tv_import = true;
		settings.onload = function (listview) {
			if (own) own.call(this, listview);
			for (const kind of kinds) {
				listview.page.add_menu_item(__("Import CSV: {0}", [label(kind)]), () => upload(kind, listview));
			}
		};
	}
})();
