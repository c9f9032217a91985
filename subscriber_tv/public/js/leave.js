// The dialog of a cancellation: it proposes the end the contract allows, and tells what another one costs.

class LeaveDialog {
	constructor(frm, overview, action) {
		this.frm = frm;
		this.overview = overview;
		this.action = action;
	}

	async show() {
		this.options = await this.ask();
		const { today, earliest, may_choose, bound, end } = this.options;
		this.dialog = new frappe.ui.Dialog({
			title: this.action.label,
			fields: [
				{
					fieldname: "effective_date",
					fieldtype: "Date",
					label: __("Effective"),
					default: today,
					reqd: 1,
					description: __("First day of the new state, in the time zone of the site"),
				},
				{
					fieldname: "end_date",
					fieldtype: "Date",
					label: __("Ends On"),
					default: bound ? end : frappe.datetime.add_months(today, 1),
					reqd: 1,
					description: __("First day no longer served"),
					onchange: () => this.update(),
				},
				{ fieldname: "terms", fieldtype: "HTML" },
				{
					fieldname: "exit_free",
					fieldtype: "Check",
					label: __("Without the Fee"),
					hidden: bound && may_choose ? 0 : 1,
				},
				{ fieldname: "reason", fieldtype: "Small Text", label: __("Reason"), reqd: 1 },
			],
			primary_action_label: this.action.label,
			primary_action: (values) => this.record(values),
		});
		this.earliest = earliest;
		this.dialog.show();
		this.draw(this.options);
	}

	ask(end_date = null) {
		return frappe.xcall("subscriber_tv.api.leaving.exit_options", {
			subscription: this.frm.doc.name,
			end_date,
		});
	}

	async update() {
		const day = this.dialog.get_value("end_date");
		if (!day || day === this.shown) return;
		this.shown = day;
		const found = await this.ask(day);
		if (this.dialog.get_value("end_date") === day) this.draw(found);
	}

	draw(found) {
		const day = frappe.datetime.str_to_user;
		const told = [];
		if (found.bound_until) told.push(`${__("Bound until")} <b>${day(found.bound_until)}</b>`);
		if (found.bound) {
			told.push(`${__("Earliest agreed end")}: <b>${day(found.earliest)}</b>`);
			told.push(frappe.utils.escape_html(found.why));
		}
		if (flt(found.fee)) {
			const fee = format_currency(found.fee, found.currency);
			const when = day(found.end);
			told.push(`<span class="text-danger">${__("Leaving on {0} costs {1} net.", [when, fee])}</span>`);
		}
		if (found.bound && found.end < found.earliest && !found.may_choose) {
			told.push(__("An earlier end is agreed by TV Billing or TV Management."));
		}
		const lines = told.map((line) => `<div>${line}</div>`).join("");
		this.dialog.get_field("terms").$wrapper.html(lines && `<div class="mb-3 small">${lines}</div>`);
	}

	async record(values) {
		this.dialog.disable_primary_action();
		try {
			await frappe.xcall("subscriber_tv.api.contracts.change_state", {
				subscription: this.frm.doc.name,
				event: this.action.event,
				...values,
			});
			this.dialog.hide();
			frappe.show_alert({ message: __("{0}: recorded", [this.action.label]), indicator: "green" });
			this.frm.reload_doc();
		} finally {
			this.dialog.enable_primary_action();
		}
	}
}
