// Preview and run work in the background; the form shows how far they are, what they found, and what can be done next.

const BILLING = "subscriber_tv.api.billing";
const WORKING = ["Previewing", "Queued", "Running"];
const APPROVERS = ["TV Management", "System Manager"];
const MAY_PREVIEW = ["TV Billing", ...APPROVERS];
const LOOK_AGAIN = 3000; // milliseconds; messages come sooner where the socket is open
const ROWS_SHOWN = 200;

frappe.ui.form.on("TV Bill Run", {
	setup(frm) {
		const mine = (handler) => (message) => message.bill_run === frm.doc.name && handler(message);
		frappe.realtime.on("tv_bill_run_progress", mine((state) => show_outcomes(frm, state)));
		frappe.realtime.on("tv_bill_run_over", mine(() => frm.reload_doc()));
		frappe.realtime.on("tv_bill_preview_progress", mine((state) => show_preview_progress(frm, state)));
	},

	async onload(frm) {
		if (!frm.is_new()) return;
		const settings = await frappe.db.get_value("TV Settings", "TV Settings", ["company", "bill_days_ahead"]);
		const { company, bill_days_ahead } = settings.message || {};
		if (!frm.doc.company && company) frm.set_value("company", company);
		if (!frm.doc.bill_until) {
			const from = frm.doc.posting_date || frappe.datetime.get_today();
			frm.set_value("bill_until", frappe.datetime.add_days(from, cint(bill_days_ahead)));
		}
	},

	async refresh(frm) {
		clearTimeout(frm.tv_timer);
		["preview_html", "progress_html"].forEach((field) => frm.get_field(field).$wrapper.empty());
		if (frm.doc.payer && frm.doc.docstatus < 2 && frappe.user.has_role(MAY_PREVIEW)) {
			frm.add_custom_button(__("Show Rows"), () => show_rows(frm));
		}
		if (frm.is_new()) return;
		show_buttons(frm);
		await look(frm);
	},
});

// ---- buttons ------------------------------------------------------------------------------------------------------

function show_buttons(frm) {
	const { docstatus, status, approval, payers_parked } = frm.doc;
	if (docstatus === 2) return;
	const may_bill = frm.perm[0].submit;
	if ((!frm.doc.started_at || payers_parked) && frappe.user.has_role(MAY_PREVIEW)) {
		frm.add_custom_button(__("Preview"), () => ask_preview(frm));
	}
	if (approval === "Needed") return show_approval(frm);
	if (docstatus !== 1 || !may_bill) return;
	if (payers_parked) {
		frm.set_intro(
			__("{0} payers are parked: read the reason in their row, put it right, then retry them.", [payers_parked]),
			"orange"
		);
		frm.add_custom_button(__("Retry Parked"), () => act(frm, "retry_parked")).addClass("btn-primary");
		frm.add_custom_button(__("All Parked Payers"), () =>
			frappe.set_route("query-report", "TV Parked Payers", { company: frm.doc.company })
		);
	}
	if (WORKING.includes(status) || status === "Failed") {
		frm.add_custom_button(__("Run"), () => act(frm, "start"));
	}
}

function show_approval(frm) {
	const { preview_outliers, submitted_by } = frm.doc;
	const reason = preview_outliers
		? __("{0} outliers in the preview", [preview_outliers])
		: __("TV Settings ask for it");
	const may = frappe.user.has_role(APPROVERS) && submitted_by !== frappe.session.user;
	frm.set_intro(
		may
			? __("This run waits for your approval: {0}.", [reason])
			: __("This run waits for approval by somebody else with the role TV Management: {0}.", [reason]),
		"orange"
	);
	if (!may) return;
	frm.add_custom_button(__("Approve"), () =>
		frappe.confirm(__("Bill {0} payers as previewed?", [frm.doc.preview_payers]), () => act(frm, "approve"))
	).addClass("btn-primary");
	frm.add_custom_button(__("Refuse"), () =>
		frappe.prompt(
			{ fieldname: "reason", fieldtype: "Small Text", label: __("Reason"), reqd: 1 },
			async ({ reason }) => {
				await frappe.xcall(`${BILLING}.refuse`, { bill_run: frm.doc.name, reason });
				frm.reload_doc();
			},
			__("Refuse this run")
		)
	);
}

async function act(frm, method) {
	await frappe.xcall(`${BILLING}.${method}`, { bill_run: frm.doc.name });
	frappe.show_alert({ message: __("The run goes on in the background."), indicator: "blue" });
	frm.reload_doc();
}

async function ask_preview(frm) {
	if (frm.is_dirty()) await frm.save();
	await frappe.xcall(`${BILLING}.ask_preview`, { bill_run: frm.doc.name });
	frappe.show_alert({ message: __("The preview is made in the background."), indicator: "blue" });
	frm.reload_doc();
}

// ---- state: asked for until nothing works any longer ---------------------------------------------------------------

async function look(frm) {
	const name = frm.doc.name;
	const state = await frappe.xcall(`${BILLING}.state_of`, { bill_run: name });
	if (frm.doc.name !== name) return;
	const was_busy = frm.tv_busy;
	frm.tv_busy = WORKING.includes(state.status) || ["Queued", "Running"].includes(state.preview_status);
	if (state.status !== frm.doc.status && !frm.is_dirty()) return frm.reload_doc();
	show_outcomes(frm, state);
	if (state.preview_status === "Ready") show_preview(frm, state);
	else if (["Queued", "Running"].includes(state.preview_status)) show_preview_progress(frm, state.progress);
	if (was_busy && !frm.tv_busy) return frm.reload_doc();
	if (frm.tv_busy) frm.tv_timer = setTimeout(() => frm.doc.name === name && look(frm), LOOK_AGAIN);
}

function show_preview_progress(frm, state) {
	const { done = 0, total = 0, ready, failed } = state || {};
	if (ready || failed) return frm.reload_doc();
	frm.toggle_display("preview_picture_section", true);
	frm.get_field("preview_html").$wrapper.html(
		bar([[done, "var(--blue-500)"]], total, __("Preview: {0} of {1} payers", [done, total || "…"]))
	);
}

function show_outcomes(frm, state) {
	const { payers_total, payers_done, payers_parked, payers_pending, invoices, net_total } = state;
	if (!payers_total) return;
	const currency = frappe.get_doc(":Company", frm.doc.company)?.default_currency;
	const nothing = payers_done - payers_parked - invoices;
	const legend = [
		[__("Invoiced"), invoices, "var(--green-500)"],
		[__("Nothing Due"), Math.max(nothing, 0), "var(--gray-400)"],
		[__("Parked"), payers_parked, "var(--orange-500)"],
		[__("Pending"), payers_pending, "var(--gray-200)"],
	];
	frm.get_field("progress_html").$wrapper.html(
		bar(
			legend.slice(0, 3).map(([, number, color]) => [number, color]),
			payers_total,
			`${__("{0} of {1} payers", [payers_done, payers_total])} · ${format_currency(net_total, currency)}`
		) +
			`<div class="tv-legend">${legend
				.map(([label, number, color]) => `${dot(color)} ${__("{0}: {1}", [label, `<b>${number}</b>`])}`)
				.join(" &nbsp; ")}</div><br>`
	);
}

function bar(parts, total, text) {
	const pieces = parts.map(
		([number, color]) =>
			`<div style="width:${total ? (number * 100) / total : 0}%;background:${color};height:14px"></div>`
	);
	return `<p><b>${text}</b></p><div style="display:flex;background:var(--gray-200);border-radius:7px;
		overflow:hidden;margin-bottom:8px">${pieces.join("")}</div>`;
}

function dot(color) {
	return `<span style="display:inline-block;width:10px;height:10px;border-radius:5px;background:${color}"></span>`;
}

// ---- the preview ---------------------------------------------------------------------------------------------------

function show_preview(frm, state) {
	const found = state.preview;
	if (!found) return;
	const $wrapper = frm.get_field("preview_html").$wrapper;
	$wrapper.html(
		`<div class="row">${totals(found).join("")}</div>
		<div class="row"><div class="col-sm-7 tv-runs"></div><div class="col-sm-5">${movements(found)}</div></div>
		${first_bills(found, state.first_bills)}${outliers(found)}${refused(found)}
		<p><a class="tv-lines">${__("All payers of this preview")}</a></p>`
	);
	$wrapper.find(".tv-lines").on("click", () =>
		frappe.set_route("List", "TV Bill Preview Line", { bill_run: frm.doc.name })
	);
	$wrapper.find(".tv-confirm").on("click", () => confirm_first_bills(frm, state.first_bills));
	draw_runs($wrapper.find(".tv-runs")[0], found);
}

function totals(found) {
	if (!found.totals.length) return [`<div class="col-sm-12"><p class="text-muted">${__("Nothing is due.")}</p></div>`];
	return found.totals.map(({ currency, net, tax }) => {
		const row = found.comparison.find((one) => one.currency === currency) || {};
		return `<div class="col-sm-6" style="margin-bottom:12px">
			<div class="text-muted">${__("Net total")}</div>
			<div style="font-size:1.6em;font-weight:600">${format_currency(net, currency)} ${change(row)}</div>
			<div class="text-muted">${__("with tax {0}, {1} bills", [
				format_currency(flt(net) + flt(tax), currency),
				found.bills,
			])}</div></div>`;
	});
}

function change({ percent, last, currency }) {
	if (percent === null || percent === undefined) return "";
	const color = flt(percent) < 0 ? "red" : "green";
	const sign = flt(percent) > 0 ? "+" : "";
	const text = __("last run {0}", [format_currency(last, currency)]);
	return `<span class="indicator-pill no-indicator-dot ${color}" title="${text}">${sign}${format_number(
		flt(percent),
		null,
		1
	)} %</span>`;
}

function draw_runs(element, found) {
	const [total] = found.totals;
	if (!total) return;
	const runs = [
		...found.runs.map((run) => [frappe.datetime.str_to_user(run.day).slice(0, 5), flt(run.net)]),
		[__("this run"), flt(total.net)],
	];
	new frappe.Chart(element, {
		title: __("Net of the last runs and of this one"),
		type: "bar",
		height: 190,
		colors: ["#2490ef"],
		axisOptions: { shortenYAxisNumbers: 1, xIsSeries: 0 },
		tooltipOptions: { formatTooltipY: (value) => format_currency(value, total.currency) },
		data: { labels: runs.map(([day]) => day), datasets: [{ values: runs.map(([, net]) => net) }] },
	});
}

function movements(found) {
	const labels = {
		up: [__("Higher than last time"), "var(--green-500)"],
		down: [__("Lower than last time"), "var(--red-500)"],
		same: [__("As last time"), "var(--blue-500)"],
		new: [__("First bill"), "var(--purple-500)"],
		other: [__("Only fees or credits"), "var(--gray-500)"],
	};
	const kinds = Object.keys(labels).filter((kind) => found.movements[kind]);
	return `${bar(
		kinds.map((kind) => [found.movements[kind], labels[kind][1]]),
		found.bills,
		__("Bills against the payers' last ones")
	)}${kinds.map((kind) => `<div>${dot(labels[kind][1])} ${labels[kind][0]}: <b>${found.movements[kind]}</b></div>`).join("")}`;
}

function first_bills(found, open) {
	if (!found.first_bills.length) return "";
	const rows = found.first_bills.map(({ subscription, payer, currency, net }) => [
		link("TV Subscription", subscription),
		link("Customer", payer),
		format_currency(net, currency),
	]);
	const button = open
		? `<button class="btn btn-xs btn-default tv-confirm">${__("Confirm First Bills")}</button>`
		: `<span class="indicator-pill green">${__("Confirmed")}</span>`;
	return `<h5>${__("First bills after a take-over")} ${button}</h5>
		${table([__("Subscription"), __("Payer"), __("Net")], rows)}`;
}

function outliers(found) {
	const number = Object.values(found.outlier_kinds).reduce((sum, one) => sum + one, 0);
	if (!number) return `<p>${dot("var(--green-500)")} ${__("No outliers.")}</p>`;
	const labels = {
		first_bill: __("First bill"),
		no_tax: __("No tax"),
		zero: __("Zero"),
		credit: __("Credit"),
		jump: __("Jump"),
		no_address: __("No address"),
	};
	const pills = Object.entries(found.outlier_kinds).map(
		([code, one]) => `<span class="indicator-pill orange">${__("{0}: {1}", [labels[code], one])}</span>`
	);
	const rows = found.outliers.map(({ payer, code, text }) => [link("Customer", payer), labels[code], escaped(text)]);
	return `<h5>${__("Outliers")} ${pills.join(" ")}</h5>
		${table([__("Payer"), __("What"), __("Reason")], rows)}${more(number - rows.length)}`;
}

function refused(found) {
	if (!found.refused.length) return "";
	const rows = found.refused.map(({ payer, text }) => [link("Customer", payer), escaped(text)]);
	return `<h5>${__("Contracts that would wait")}</h5>${table([__("Payer"), __("Reason")], rows)}`;
}

async function confirm_first_bills(frm, number) {
	frappe.confirm(__("Confirm {0} first bills as previewed?", [number]), async () => {
		await frappe.xcall(`${BILLING}.confirm_first_bills`, { bill_run: frm.doc.name });
		frm.reload_doc();
	});
}

// ---- rows of one payer ---------------------------------------------------------------------------------------------

async function show_rows(frm) {
	const { company, bill_until, payer } = frm.doc;
	if (!company || !bill_until) {
		frappe.throw(__("Choose the company and the day until which periods are billed."));
	}
	const answer = await frappe.xcall(`${BILLING}.preview`, { company, bill_until, payer });
	const dialog = new frappe.ui.Dialog({
		title: __("What would be billed"),
		size: "extra-large",
		fields: [{ fieldtype: "HTML", fieldname: "rows" }],
	});
	dialog.get_field("rows").$wrapper.html(rows_html(answer));
	dialog.show();
}

function rows_html(answer) {
	const alerts = answer.refused.map((text) => `<div class="alert alert-warning">${escaped(text)}</div>`).join("");
	if (!answer.rows.length) return `${alerts}<p class="text-muted">${__("Nothing is due.")}</p>`;
	const sums = Object.entries(answer.totals).map(([currency, total]) => format_currency(total, currency));
	const heads = [__("Payer"), __("Line"), __("From"), __("To (excluded)"), __("Credits"), __("Amount")];
	const rows = answer.rows
		.slice(0, ROWS_SHOWN)
		.map((row) => [
			escaped(row.payer),
			escaped(row.line),
			frappe.datetime.str_to_user(row.from),
			frappe.datetime.str_to_user(row.to),
			escaped(row.corrects || ""),
			format_currency(row.amount, row.currency),
		]);
	return `${alerts}<p><b>${__("Net total")}: ${sums.join(", ")}</b> (${__("{0} rows", [answer.rows.length])})</p>
		${table(heads, rows)}${more(answer.rows.length - ROWS_SHOWN)}`;
}

function table(heads, rows) {
	const cells = (tag, values) => values.map((value) => `<${tag}>${value}</${tag}>`).join("");
	return `<table class="table table-bordered table-condensed"><thead><tr>${cells("th", heads)}</tr></thead>
		<tbody>${rows.map((row) => `<tr>${cells("td", row)}</tr>`).join("")}</tbody></table>`;
}

function more(number) {
	return number > 0 ? `<p class="text-muted">${__("and {0} more", [number])}</p>` : "";
}

function link(doctype, name) {
	return `<a href="${frappe.utils.get_form_link(doctype, name)}">${escaped(name)}</a>`;
}

function escaped(text) {
	return frappe.utils.escape_html(text);
}
