// The promotions a contract may have, and why it may not have the others.

async function give_promotion(frm, overview) {
	const found = await frappe.xcall("subscriber_tv.api.promotions.choices", { subscription: frm.doc.name });
	const possible = found.filter((one) => !one.reasons.length);
	const dialog = new frappe.ui.Dialog({
		title: __("Give a Promotion"),
		fields: [
			{
				fieldname: "promotion",
				fieldtype: "Select",
				label: __("Promotion"),
				options: possible.map(({ promotion, label }) => ({
					value: promotion,
					label: `${promotion} · ${label}`,
				})),
				default: possible.length ? possible[0].promotion : null,
			},
			{ fieldname: "code", fieldtype: "Data", label: __("Or by Code") },
			{
				fieldname: "effective_date",
				fieldtype: "Date",
				label: __("Effective"),
				default: overview.today,
				reqd: 1,
			},
			{ fieldname: "others", fieldtype: "HTML" },
		],
		primary_action_label: __("Give"),
		async primary_action({ promotion, code, effective_date }) {
			await frappe.xcall("subscriber_tv.api.promotions.grant_promotion", {
				subscription: frm.doc.name,
				promotion: code ? null : promotion,
				code: code || null,
				effective_date,
			});
			dialog.hide();
			frm.reload_doc();
		},
	});
	dialog.get_field("others").$wrapper.html(promotions_refused(found));
	dialog.show();
}

function promotions_refused(found) {
	const escape = frappe.utils.escape_html;
	const rows = found
		.filter((one) => one.reasons.length)
		.map((one) => `<li>${escape(one.promotion)}: ${one.reasons.map(escape).join(" ")}</li>`);
	if (!rows.length) return "";
	return `<div class="text-muted small">${__("Not for this contract:")}<ul>${rows.join("")}</ul></div>`;
}
