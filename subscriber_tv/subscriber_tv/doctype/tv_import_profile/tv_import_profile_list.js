frappe.listview_settings["TV Import Profile"] = {
	add_fields: ["disabled"],

	get_indicator(doc) {
		return doc.disabled
			? [__("Disabled"), "grey", "disabled,=,1"]
			: [__("Enabled"), "green", "disabled,=,0"];
	},
};
