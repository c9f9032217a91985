// The run itself works in the background; the form shows how far it is and offers what can be done next.

const BILLING = "subscriber_tv.api.billing";
const WORKING = ["Queued", "Running"];
const ROWS_SHOWN = 200;

frappe.ui.form.on("TV Bill Run", {
	setup(frm) {
		frappe.realtime.on("tv_bill_run_progress", ({ bill_run, percent, text }) => {
			if (bill_run !== frm.doc.name) return;
			show_progress(frm, percent, text);
			if (percent >= 100) frm.reload_doc();
		});
	},

	async onload(frm) {
		if (!frm.is_new()) return;
		const settings = await frappe.db.get_value("TV Settings", "TV Settings", [
			"company",
			"bill_days_ahead",
		]);
		const { company, bill_days_ahead } = settings.message || {};
		if (!frm.doc.company && company) frm.set_value("company", company);
		if (!frm.doc.bill_until) {
			const from = frm.doc.posting_date || frappe.datetime.get_today();
			frm.set_value("bill_until", frappe.datetime.add_days(from, cint(bill_days_ahead)));
		}
	},

	refresh(frm) {
		if (frm.doc.docstatus < 2 && frm.perm[0].submit) frm.add_custom_button(__("Preview"), () => preview(frm));
		if (frm.doc.docstatus !== 1) return;
		show_state(frm);
		if (frm.doc.status !== "Completed" && frm.perm[0].submit) show_actions(frm);
	},
});

function show_state(frm) {
	const { payers_total, payers_done, payers_parked } = frm.doc;
	if (WORKING.includes(frm.doc.status) && payers_total) {
		show_progress(frm, (payers_done * 100) / payers_total, `${payers_done} / ${payers_total}`);
	}
	if (payers_parked) {
		frm.set_intro(
			__("{0} payers are parked: read the reason in their row, put it right, then retry them.", [
				payers_parked,
			]),
			"orange"
		);
	}
}

function show_actions(frm) {
	if (frm.doc.payers_parked) {
		frm.add_custom_button(__("Retry Parked"), () => act(frm, "retry_parked")).addClass("btn-primary");
	}
	if (WORKING.includes(frm.doc.status) || frm.doc.status === "Failed") {
		frm.add_custom_button(__("Run"), () => act(frm, "start"));
	}
}

function show_progress(frm, percent, text) {
	frm.dashboard.show_progress(__("Billing"), Math.round(percent), text);
}

async function act(frm, method) {
	await frappe.xcall(`${BILLING}.${method}`, { bill_run: frm.doc.name });
	frappe.show_alert({ message: __("The run goes on in the background."), indicator: "blue" });
	frm.reload_doc();
}

async function preview(frm) {
	const { company, bill_until, payer } = frm.doc;
	if (!company || !bill_until) {
		frappe.throw(__("Choose the company and the day until which periods are billed."));
	}
	const answer = await frappe.xcall(`${BILLING}.preview`, { company, bill_until, payer: payer || null });
	const dialog = new frappe.ui.Dialog({
		title: __("What would be billed"),
		size: "extra-large",
		fields: [{ fieldtype: "HTML", fieldname: "rows" }],
	});
	dialog.get_field("rows").$wrapper.html(preview_html(answer));
	dialog.show();
}

function preview_html(answer) {
	const escape = frappe.utils.escape_html;
	const refused = answer.refused.map((text) => `<div class="alert alert-warning">${escape(text)}</div>`);
	if (!answer.rows.length) {
		return refused.join("") + `<p class="text-muted">${__("Nothing is due.")}</p>`;
	}
	const totals = Object.entries(answer.totals)
		.map(([currency, total]) => format_currency(total, currency))
		.join(", ");
	const more = answer.rows.length - ROWS_SHOWN;
	return `${refused.join("")}
		<p><b>${__("Net total")}: ${totals}</b> (${__("{0} rows", [answer.rows.length])})</p>
		<table class="table table-bordered table-condensed">
			<thead><tr>${[__("Payer"), __("Line"), __("From"), __("To (excluded)"), __("Credits"), __("Amount")]
				.map((label) => `<th>${label}</th>`)
				.join("")}</tr></thead>
			<tbody>${answer.rows.slice(0, ROWS_SHOWN).map(preview_row).join("")}</tbody>
		</table>
		${more > 0 ? `<p class="text-muted">${__("and {0} more", [more])}</p>` : ""}`;
}

function preview_row(row) {
	const cells = [
		row.payer,
		row.line,
		frappe.datetime.str_to_user(row.from),
		frappe.datetime.str_to_user(row.to),
		row.corrects || "",
	].map((text) => `<td>${frappe.utils.escape_html(text)}</td>`);
	return `<tr>${cells.join("")}<td class="text-right">${format_currency(row.amount, row.currency)}</td></tr>`;
}
