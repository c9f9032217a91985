frappe.ui.form.on("TV Settings", {
	setup(frm) {
		frm.set_query("warehouse", "service_warehouses", (doc, cdt, cdn) => ({
			filters: { company: locals[cdt][cdn].company, is_group: 0 },
		}));
	},

	refresh(frm) {
		frm.get_field("default_time_zone").set_data(Intl.supportedValuesOf("timeZone"));
	},
});
