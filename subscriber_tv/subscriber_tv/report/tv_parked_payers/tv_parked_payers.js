frappe.query_reports["TV Parked Payers"] = {
	filters: [{ fieldname: "company", label: __("Company"), fieldtype: "Link", options: "Company" }],

	get_datatable_options(options) {
		return Object.assign(options, { checkboxColumn: true });
	},

	onload(report) {
		if (!frappe.user.has_role(["TV Billing", "System Manager"])) return;
		report.page.add_inner_button(__("Retry Selected"), async () => {
			const lines = report.get_checked_items().map((row) => row.line);
			if (!lines.length) return frappe.msgprint(__("Choose payers in the first column."));
			const number = await frappe.xcall("subscriber_tv.api.billing.retry_lines", { lines });
			frappe.show_alert({ message: __("{0} payers are billed again in the background.", [number]), indicator: "blue" });
			report.refresh();
		});
	},
};
