// A TV's row in the fleet's figures; its page is the TV's own.

frappe.ui.form.on("TV Device Status", {
	refresh(frm) {
		frm.disable_save();
		frm.add_custom_button(__("TV Device"), () => frappe.set_route("Form", "TV Device", frm.doc.device));
	},
});
