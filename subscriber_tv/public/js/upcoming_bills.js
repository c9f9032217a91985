// Draws the next bills that the simulator answers with: a sentence, a chart, and each bill with its rows.

class UpcomingBills {
	constructor(wrapper, answer) {
		this.wrapper = $(wrapper).empty();
		this.answer = answer;
		this.after = answer.after || answer.before;
		this.before = answer.after ? answer.before : null;
	}

	draw() {
		this.wrapper.append(`<p class="lead">${this.sentence()}</p>`);
		this.refusals();
		if (!this.after.length) return;
		this.chart();
		this.table();
	}

	money(amount) {
		return format_currency(flt(amount), this.answer.currency);
	}

	day(text) {
		return frappe.datetime.str_to_user(text);
	}

	// Day and month in the user's order: there is no room for more under a bar.
	short_day(text) {
		const format = frappe.datetime.get_user_date_fmt().toUpperCase();
		return moment(text).format(format.replace(/[^DM]*Y+[^DM]*/, ""));
	}

	// "You pay 15.49 today, then 29.95 on 1 February."
	sentence() {
		const [first, second] = this.after;
		if (!first) return __("Nothing would be billed in these months.");
		const total = `<b>${this.money(first.total)}</b>`;
		const start =
			first.day === this.answer.today
				? flt(first.total) < 0
					? __("Credit today: {0}", [total])
					: __("To pay today: {0}", [total])
				: __("Next bill on {0}: {1}", [this.day(first.day), total]);
		if (!second) return `${start}.`;
		const then = __("then {0} on {1}", [`<b>${this.money(second.total)}</b>`, this.day(second.day)]);
		return `${start}, ${then}.`;
	}

	refusals() {
		for (const reason of this.after.flatMap((bill) => bill.refused)) {
			this.wrapper.append(
				`<div class="alert alert-warning">${frappe.utils.escape_html(reason)}</div>`
			);
		}
	}

	chart() {
		const bills = [...(this.before || []), ...this.after];
		const days = [...new Set(bills.map((bill) => bill.day))].sort();
		const totals = (list) =>
			days.map((day) => flt((list.find((bill) => bill.day === day) || { total: 0 }).total, 2));
		const datasets = [{ name: this.before ? __("After") : __("Bill"), values: totals(this.after) }];
		if (this.before) datasets.unshift({ name: __("Before"), values: totals(this.before) });
		const box = $('<div class="upcoming-bills-chart"></div>').appendTo(this.wrapper);
		const data = { labels: days.map((day) => this.short_day(day)), datasets };
		const chart = new frappe.Chart(box[0], {
			type: "bar",
			height: 220,
			animate: 0,
			disableEntryAnimation: 1,
			colors: this.before ? ["#b8c2cc", "#2490ef"] : ["#2490ef"],
			data,
			tooltipOptions: { formatTooltipY: (value) => this.money(value) },
			axisOptions: { xIsSeries: 1, shortenYAxisNumbers: 1 },
		});
		// A chart begins with zeros and takes its data later: a print or picture of the dialog would show it empty.
		chart.update(data, true);
	}

	table() {
		const before = new Map((this.before || []).map((bill) => [bill.day, bill]));
		const columns = [__("Day"), __("Net"), __("VAT"), __("Total")];
		if (this.before) columns.push(__("Before"));
		const head = columns.map((label, at) => `<th class="${at ? "text-right" : ""}">${label}</th>`).join("");
		const body = this.after.map((bill) => this.bill(bill, before)).join("");
		this.wrapper.append(
			`<div class="table-responsive"><table class="table table-sm upcoming-bills">
				<thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`
		);
		this.wrapper.find("tr.bill").on("click keydown", (event) => this.toggle(event));
	}

	bill(bill, before) {
		const cells = [bill.net, bill.tax, bill.total].map((amount) => this.cell(this.money(amount)));
		if (this.before) {
			const earlier = before.get(bill.day);
			cells.push(this.cell(earlier ? this.money(earlier.total) : "–"));
		}
		return `<tr class="bill" tabindex="0" role="button" aria-expanded="false" data-day="${bill.day}">
				<td>${frappe.utils.icon("right", "xs")} ${this.day(bill.day)}</td>${cells.join("")}
			</tr>${bill.rows.map((row) => this.row(bill.day, row)).join("")}`;
	}

	row(day, row) {
		const quantity = row.kind === "recurring" && row.quantity !== "1" ? `${row.quantity} × ` : "";
		const text = `${quantity}${frappe.utils.escape_html(row.text)}`;
		const last = frappe.datetime.add_days(row.to, -1);
		const days =
			last > row.from ? __("{0} to {1}", [this.day(row.from), this.day(last)]) : this.day(row.from);
		const cells = [row.amount, row.tax, flt(row.amount) + flt(row.tax)];
		return `<tr class="bill-row text-muted small" data-day="${day}" style="display: none">
				<td class="pl-4">${text} <span>${days}</span></td>
				${cells.map((amount) => this.cell(this.money(amount))).join("")}${this.before ? "<td></td>" : ""}
			</tr>`;
	}

	cell(text) {
		return `<td class="text-right">${text}</td>`;
	}

	toggle(event) {
		if (event.type === "keydown" && !["Enter", " "].includes(event.key)) return;
		event.preventDefault();
		const line = $(event.currentTarget);
		const open = line.attr("aria-expanded") !== "true";
		line.attr("aria-expanded", String(open));
		this.wrapper.find(`tr.bill-row[data-day="${line.data("day")}"]`).toggle(open);
	}
}
