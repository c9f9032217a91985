// What the platform was last told, in words; only workers write it.
frappe.ui.form.on("TV Provisioning Subject", {
	setup(frm) {
		frm.get_docfield("entitlements").formatter = (value) =>
			frappe.utils.escape_html(JSON.parse(value || "[]").join(", "));
	},

	refresh(frm) {
		frm.disable_save();
	},
});
