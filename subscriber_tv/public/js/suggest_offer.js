// What to propose to the subscriber on the line: the pitch, and what it does to the next bills.

async function suggest_offer(frm) {
	const rules = await frappe.xcall("subscriber_tv.api.contract_terms.suggest_offers", {
		subscription: frm.doc.name,
	});
	const dialog = new frappe.ui.Dialog({
		title: __("Suggest an Offer"),
		size: "large",
		fields: [
			{ fieldname: "rules", fieldtype: "HTML" },
			{ fieldname: "bills", fieldtype: "HTML" },
		],
	});
	const list = dialog.fields_dict.rules.$wrapper;
	list.html(rules.map(suggestion).join("") || `<p class="text-muted">${__("No rule proposes anything.")}</p>`);
	list.find("[data-rule]").on("click", async (event) => {
		const rule = rules[$(event.currentTarget).data("rule")];
		const answer = await frappe.xcall("subscriber_tv.api.simulator.change", {
			subscription: frm.doc.name,
			steps: rule.steps,
		});
		new UpcomingBills(dialog.fields_dict.bills.$wrapper, answer).draw();
	});
	dialog.show();
}

function suggestion(rule, at) {
	const escape = frappe.utils.escape_html;
	const name = `<b>${escape(rule.offer_name)}</b>`;
	if (rule.reasons.length) {
		return `<p class="text-muted small mb-1">${name}: ${escape(rule.reasons.join(" "))}</p>`;
	}
	return `<div class="border rounded p-3 mb-2">
		${name}
		<button class="btn btn-xs btn-default float-right" data-rule="${at}">${__("Show Next Bills")}</button>
		<div>${escape(rule.pitch)}</div>
	</div>`;
}
