frappe.ui.form.on("TV Subscription Change", {
	refresh(frm) {
		frm.set_intro(__("Recorded by the subscription's buttons; a change is never edited or cancelled."));
		if (!frm.doc.subscription) return;
		frm.add_custom_button(__("Subscription"), () =>
			frappe.set_route("Form", "TV Subscription", frm.doc.subscription)
		);
	},
});
