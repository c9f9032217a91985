frappe.ui.form.on("TV Promotion", {
	async onload(frm) {
		if (!frm.is_new() || frm.doc.company) return;
		const found = await frappe.db.get_value("TV Settings", "TV Settings", "company");
		await frm.set_value("company", (found.message || {}).company);
	},

	company(frm) {
		const company = frm.doc.company && frappe.get_doc(":Company", frm.doc.company);
		if (company) frm.set_value("currency", company.default_currency);
	},
});
