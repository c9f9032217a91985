// What of an invoice is due and what waits in dispute, the way to dispute a part of it, and why its lines cost so much.

const DISPUTES = "subscriber_tv.api.disputes";
const PART_COLORS = {
	due: "var(--red-500)",
	not_due: "var(--blue-300)",
	credit: "var(--green-500)",
	disputed: "var(--orange-400)",
};
const STATE_COLORS = { Open: "red", "Under Review": "orange", Accepted: "green" };

frappe.ui.form.on("Sales Invoice", {
	async refresh(frm) {
		if (frm.doc.docstatus !== 0 && frm.doc.items.some((row) => row.tv_kind)) {
			frm.add_custom_button(__("Explain Lines"), () =>
				frappe.set_route("explain-tv-line", "invoice", frm.doc.name)
			);
		}
		if (frm.doc.docstatus !== 1 || frm.doc.is_return) return;
		const name = frm.doc.name;
		const shown = await frappe.xcall(`${DISPUTES}.show`, { invoice: name });
		if (frm.doc.name !== name) return;
		if (shown.can_raise) {
			frm.add_custom_button(__("Dispute…"), () => dispute(frm));
		}
		show_disputes(frm, shown);
	},
});

async function dispute(frm) {
	await frappe.require("/assets/subscriber_tv/js/raise_dispute.js");
	subscriber_tv.raise_dispute(frm.doc.name, () => frm.reload_doc());
}

// Above the form, because the dashboard hides behind the tab of connections.
function show_disputes(frm, shown) {
	frm.layout.message.find(".tv-disputes").closest(".form-message").remove();
	if (!shown.disputes.length) return;
	const waiting = shown.parts.length ? waiting_html(shown, frm.doc.currency) : "";
	const disputes = shown.disputes.map((dispute) => dispute_html(dispute, frm.doc.currency)).join("");
	const color = waiting ? "orange" : "blue";
	frm.dashboard.set_headline(`${waiting}<div class="tv-disputes">${disputes}</div>`, color);
}

function waiting_html({ parts, sentence }, currency) {
	const total = parts.reduce((sum, part) => sum + flt(part.amount), 0);
	const bar = parts
		.map((part) => {
			const text = `${part.label}: ${format_currency(part.amount, currency)}`;
			const width = (100 * flt(part.amount)) / total;
			return `<div title="${frappe.utils.escape_html(text)}"
				style="width:${width}%;background:${PART_COLORS[part.part]}"></div>`;
		})
		.join("");
	return `<p class="tv-collectable"><b>${frappe.utils.escape_html(sentence)}</b></p>
		<div style="display:flex;height:10px;border-radius:5px;overflow:hidden;margin-bottom:10px;max-width:720px">${bar}</div>`;
}

function dispute_html(dispute, currency) {
	const escape = frappe.utils.escape_html;
	const note = dispute.credit_note
		? ` · <a href="/app/sales-invoice/${encodeURIComponent(dispute.credit_note)}">${escape(
				dispute.credit_note
		  )}</a>`
		: "";
	return `<div class="mt-1">
		<span class="indicator-pill ${STATE_COLORS[dispute.state] || "gray"}">${escape(__(dispute.state))}</span>
		<a href="/app/tv-dispute/${encodeURIComponent(dispute.name)}">${escape(dispute.name)}</a> ·
		${escape(__(dispute.ground))} · ${format_currency(dispute.amount_with_tax, currency)} ·
		<span class="text-muted">${frappe.datetime.str_to_user(dispute.raised_on)}</span>${note}
	</div>`;
}
