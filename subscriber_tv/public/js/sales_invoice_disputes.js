// What of an invoice is due and what waits in dispute, and the way to dispute a part of it.

frappe.provide("subscriber_tv");

const DISPUTES = "subscriber_tv.api.disputes";
const GROUNDS = [
	"Wrong Price",
	"Wrong Quantity",
	"Service Not Delivered",
	"Service Interrupted",
	"Already Cancelled",
	"Billed Twice",
	"Other",
];
const PART_COLORS = {
	due: "var(--red-500)",
	not_due: "var(--blue-300)",
	credit: "var(--green-500)",
	disputed: "var(--orange-400)",
};
const STATE_COLORS = { Open: "red", "Under Review": "orange", Accepted: "green" };

frappe.ui.form.on("Sales Invoice", {
	async refresh(frm) {
		if (frm.doc.docstatus !== 1 || frm.doc.is_return) return;
		const name = frm.doc.name;
		const shown = await frappe.xcall(`${DISPUTES}.show`, { invoice: name });
		if (frm.doc.name !== name) return;
		if (shown.can_raise) {
			frm.add_custom_button(__("Dispute…"), () =>
				subscriber_tv.raise_dispute(name, () => frm.reload_doc())
			);
		}
		show_disputes(frm, shown);
	},
});

function show_disputes(frm, shown) {
	if (!shown.disputes.length) return;
	const html = `${shown.parts.length ? waiting_html(shown, frm.doc.currency) : ""}
		<div class="tv-disputes">${shown.disputes
			.map((dispute) => dispute_html(dispute, frm.doc.currency))
			.join("")}</div>`;
	frm.dashboard.add_section(html, __("Disputes"));
	frm.dashboard.show();
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
		<div style="display:flex;height:10px;border-radius:5px;overflow:hidden;margin-bottom:12px">${bar}</div>`;
}

function dispute_html(dispute, currency) {
	const escape = frappe.utils.escape_html;
	const note = dispute.credit_note
		? ` · <a href="/app/sales-invoice/${encodeURIComponent(dispute.credit_note)}">${escape(
				dispute.credit_note
		  )}</a>`
		: "";
	return `<div class="mb-2">
		<span class="indicator-pill ${STATE_COLORS[dispute.state] || "gray"}">${escape(__(dispute.state))}</span>
		<a href="/app/tv-dispute/${encodeURIComponent(dispute.name)}">${escape(dispute.name)}</a> ·
		${escape(__(dispute.ground))} · ${format_currency(dispute.amount_with_tax, currency)} ·
		<span class="text-muted">${frappe.datetime.str_to_user(dispute.raised_on)}</span>${note}
	</div>`;
}

// Used by every page that shows an invoice row; `only` narrows the choice to one row.
subscriber_tv.raise_dispute = async function (invoice, done, only = null) {
	const all = await frappe.xcall(`${DISPUTES}.disputable_rows`, { invoice });
	const rows = all.filter((row) => flt(row.left) > 0 && (!only || row.row === only));
	if (!rows.length) {
		frappe.msgprint(__("Nothing is left to dispute: it was credited or is disputed already."));
		return;
	}
	const dialog = new frappe.ui.Dialog({
		title: __("Dispute {0}", [invoice]),
		size: "large",
		fields: [
			{
				fieldname: "rows",
				fieldtype: "Table",
				label: __("Rows"),
				cannot_add_rows: true,
				cannot_delete_rows: true,
				in_place_edit: true,
				description: __("Leave the amount empty for rows that are not disputed."),
				data: rows.map((row) => ({
					...row,
					amount: rows.length === 1 ? flt(row.left) : null,
				})),
				fields: row_fields(),
			},
			{ fieldname: "whole", fieldtype: "Check", label: __("Dispute the whole invoice") },
			{ fieldname: "ground", fieldtype: "Select", label: __("Ground"), options: grounds(), reqd: 1 },
			{ fieldname: "reason", fieldtype: "Small Text", label: __("What the payer says"), reqd: 1 },
		],
		primary_action_label: __("Raise Dispute"),
		async primary_action(values) {
			const chosen = (values.rows || []).filter((row) => flt(row.amount));
			if (!values.whole && !chosen.length) {
				frappe.throw(__("Give the amount that is disputed of at least one row."));
			}
			dialog.disable_primary_action();
			try {
				const name = await frappe.xcall(`${DISPUTES}.raise_dispute`, {
					invoice,
					ground: values.ground,
					reason: values.reason,
					rows: values.whole
						? null
						: chosen.map((row) => ({ row: row.row, amount: String(row.amount) })),
				});
				dialog.hide();
				frappe.show_alert({ message: __("Dispute {0} is raised", [name]), indicator: "orange" });
				done && done(name);
			} finally {
				dialog.enable_primary_action();
			}
		},
	});
	if (only) dialog.set_df_property("whole", "hidden", 1);
	dialog.show();
};

function grounds() {
	return GROUNDS.map((ground) => ({ value: ground, label: __(ground) }));
}

function row_fields() {
	const column = (fieldname, fieldtype, label, columns, read_only = 1) => ({
		fieldname,
		fieldtype,
		label,
		columns,
		read_only,
		in_list_view: 1,
	});
	return [
		column("description", "Data", __("Description"), 5),
		column("billed", "Float", __("Billed (excl. VAT)"), 1),
		column("left", "Float", __("Left"), 2),
		column("amount", "Float", __("Disputed (excl. VAT)"), 2, 0),
	];
}
