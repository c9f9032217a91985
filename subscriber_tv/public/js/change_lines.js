// The dialog that changes the lines of a subscription: what, from which day, and what it does to the next bills.

class ChangeLines {
	constructor(frm, overview) {
		this.frm = frm;
		this.overview = overview;
		this.lines = overview.lines.filter((line) => !line.to_date || line.to_date > overview.today);
	}

	show() {
		this.dialog = new frappe.ui.Dialog({
			title: __("Change Lines"),
			size: "extra-large",
			fields: this.fields(),
			primary_action_label: __("Record Change"),
			primary_action: (values) => this.record(values),
			secondary_action_label: __("Show Next Bills"),
			secondary_action: () => this.preview(),
		});
		this.dialog.show();
	}

	fields() {
		return [
			{
				fieldname: "effective_date",
				fieldtype: "Date",
				label: __("Effective"),
				default: this.overview.today,
				reqd: 1,
				description: __("First day of the new lines, past, today or ahead"),
			},
			{ fieldtype: "Column Break" },
			{ fieldname: "reason", fieldtype: "Data", label: __("Reason") },
			{ fieldtype: "Section Break" },
			{
				fieldname: "lines",
				fieldtype: "Table",
				label: __("Lines"),
				description: __("Change offer or outlets, mark a line that ends, or add a row for an option"),
				data: this.lines.map((line) => ({ ...line, name: undefined })),
				fields: this.columns(),
			},
			{ fieldtype: "Section Break" },
			{ fieldname: "bills", fieldtype: "HTML" },
		];
	}

	columns() {
		const options = ["", ...this.lines.filter((line) => !line.option_of).map((line) => line.line_id)];
		return [
			{
				fieldname: "line_id",
				fieldtype: "Data",
				label: __("Line"),
				read_only: 1,
				in_list_view: 1,
				columns: 1,
			},
			{
				fieldname: "offer_version",
				fieldtype: "Link",
				options: "TV Offer Version",
				label: __("Offer Version"),
				in_list_view: 1,
				reqd: 1,
				columns: 4,
				get_query: () => ({
					filters: { docstatus: 1, company: this.frm.doc.company, currency: this.frm.doc.currency },
				}),
			},
			{ fieldname: "quantity", fieldtype: "Int", label: __("Outlets"), in_list_view: 1, columns: 2 },
			{
				fieldname: "option_of",
				fieldtype: "Select",
				options: options.join("\n"),
				label: __("Option Of"),
				in_list_view: 1,
				columns: 1,
			},
			{ fieldname: "ends", fieldtype: "Check", label: __("Ends"), in_list_view: 1, columns: 1 },
		];
	}

	// Only what differs is sent: a step leaves the rest as it is on its day, whatever else is planned.
	steps() {
		const known = new Map(this.lines.map((line) => [line.line_id, line]));
		const rows = this.dialog.fields_dict.lines.grid.get_data();
		const kept = new Set(rows.map((row) => row.line_id).filter(Boolean));
		const ended = this.lines.filter((line) => !kept.has(line.line_id));
		return [
			...rows.map((row) => this.step(row, known.get(row.line_id))),
			...ended.map((line) => ({ line_id: line.line_id, ends: 1 })),
		].filter(Boolean);
	}

	step(row, line) {
		if (!line) {
			if (!row.offer_version) return null;
			return {
				offer_version: row.offer_version,
				quantity: row.quantity || 1,
				option_of: row.option_of,
			};
		}
		if (row.ends) return { line_id: line.line_id, ends: 1 };
		const step = { line_id: line.line_id };
		if (row.offer_version !== line.offer_version) step.offer_version = row.offer_version;
		if (cint(row.quantity) !== cint(line.quantity)) step.quantity = cint(row.quantity);
		return Object.keys(step).length > 1 ? step : null;
	}

	async preview() {
		const steps = this.steps();
		if (!steps.length) return frappe.show_alert({ message: __("Change a line first."), indicator: "orange" });
		const answer = await frappe.xcall("subscriber_tv.api.simulator.change", {
			subscription: this.frm.doc.name,
			steps,
			effective_date: this.dialog.get_value("effective_date"),
		});
		new UpcomingBills(this.dialog.fields_dict.bills.$wrapper, answer).draw();
	}

	async record({ effective_date, reason }) {
		this.dialog.disable_primary_action();
		try {
			await frappe.xcall("subscriber_tv.api.contract_terms.change_lines", {
				subscription: this.frm.doc.name,
				steps: this.steps(),
				effective_date,
				reason,
			});
			this.dialog.hide();
			frappe.show_alert({ message: __("{0}: recorded", [__("Change Lines")]), indicator: "green" });
			this.frm.reload_doc();
		} finally {
			this.dialog.enable_primary_action();
		}
	}
}
