frappe.ui.form.on("TV Campaign Target", {
	refresh(frm) {
		frm.disable_save();
		const colors = { Applied: "green", Parked: "orange", "Left Out": "blue", "Taken Back": "blue" };
		if (frm.doc.reason) frm.set_intro(frappe.utils.escape_html(frm.doc.reason), colors[frm.doc.outcome]);
		frm.add_custom_button(__("Subscription"), () =>
			frappe.set_route("Form", "TV Subscription", frm.doc.subscription)
		);
		frm.add_custom_button(__("Campaign"), () =>
			frappe.set_route("Form", frm.doc.campaign_doctype, frm.doc.campaign)
		);
	},
});
