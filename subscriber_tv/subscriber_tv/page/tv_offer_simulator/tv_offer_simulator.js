{% include "subscriber_tv/public/js/upcoming_bills.js" %}

// What a customer would pay: the offer on the left, the next bills on the right, drawn anew after each change.

frappe.pages["tv-offer-simulator"].on_page_load = (wrapper) => {
	const page = frappe.ui.make_app_page({
		parent: wrapper,
		title: __("TV Offer Simulator"),
		single_column: true,
	});
	wrapper.simulator = new OfferSimulator(page);
};

class OfferSimulator {
	constructor(page) {
		this.page = page;
		this.asked = 0;
		page.main.addClass("frappe-card p-4");
		const row = $('<div class="row"></div>').appendTo(page.main);
		const form = $('<div class="col-md-5"></div>').appendTo(row);
		this.bills = $('<div class="col-md-7" aria-live="polite"></div>').appendTo(row);
		this.form = new frappe.ui.FieldGroup({ body: form, fields: this.fields() });
		this.form.make();
		this.hint(__("Choose an offer: the next bills appear here."));
		page.set_primary_action(__("Show Bills"), () => this.ask());
	}

	fields() {
		const change = () => this.ask_soon();
		return [
			{ fieldname: "customer", fieldtype: "Link", options: "Customer", label: __("Customer"), change },
			{
				fieldname: "start_on",
				fieldtype: "Date",
				label: __("Served From"),
				default: frappe.datetime.get_today(),
				reqd: 1,
				change,
			},
			{ fieldtype: "Section Break" },
			{
				fieldname: "lines",
				fieldtype: "Table",
				label: __("Offers"),
				data: [{ quantity: 1 }],
				fields: [
					{
						fieldname: "offer_version",
						fieldtype: "Link",
						options: "TV Offer Version",
						label: __("Offer Version"),
						in_list_view: 1,
						columns: 7,
						get_query: () => ({ filters: { docstatus: 1 } }),
						onchange: change,
					},
					{
						fieldname: "quantity",
						fieldtype: "Int",
						label: __("Outlets"),
						in_list_view: 1,
						columns: 3,
						onchange: change,
					},
				],
			},
			{ fieldtype: "Section Break", label: __("Terms"), collapsible: 1 },
			{ fieldname: "anchor_day", fieldtype: "Int", label: __("Billing Day"), change },
			{ fieldname: "calendar_aligned", fieldtype: "Check", label: __("Periods Follow the Calendar"), change },
			{ fieldname: "trial_days", fieldtype: "Int", label: __("Trial Days"), change },
			{ fieldtype: "Column Break" },
			{ fieldname: "minimum", fieldtype: "Float", label: __("Minimum per Period"), change },
			{ fieldname: "discount_percent", fieldtype: "Percent", label: __("Discount"), change },
			{
				fieldname: "discount_periods",
				fieldtype: "Int",
				label: __("Discounted Periods"),
				description: __("Empty: for ever"),
				change,
			},
			{ fieldname: "months", fieldtype: "Int", label: __("Months Shown"), default: 12, change },
		];
	}

	hint(text) {
		this.bills.html(`<p class="text-muted">${text}</p>`);
	}

	lines() {
		const rows = this.form.fields_dict.lines.grid.get_data();
		return rows
			.filter((row) => row.offer_version)
			.map((row) => ({ offer_version: row.offer_version, quantity: row.quantity || 1 }));
	}

	ask_soon() {
		clearTimeout(this.timer);
		this.timer = setTimeout(() => this.ask(), 400);
	}

	async ask() {
		const values = this.form.get_values(true);
		const lines = this.lines();
		if (!lines.length || !values.start_on) return;
		const number = ++this.asked;
		const answer = await frappe.xcall("subscriber_tv.api.simulator.offer", { ...values, lines });
		// An answer that comes after a later question is old.
		if (number === this.asked) new UpcomingBills(this.bills, answer).draw();
	}
}
