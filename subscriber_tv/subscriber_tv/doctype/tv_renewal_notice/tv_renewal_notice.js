frappe.ui.form.on("TV Renewal Notice", {
	refresh(frm) {
		frm.disable_save();
		if (frm.doc.status === "Missed" && frm.doc.consumer) {
			frm.set_intro(
				__("The letter did not go out in time: once renewed, this consumer may leave on any day."),
				"red"
			);
		}
		frm.add_custom_button(__("Subscription"), () =>
			frappe.set_route("Form", "TV Subscription", frm.doc.subscription)
		);
	},
});
