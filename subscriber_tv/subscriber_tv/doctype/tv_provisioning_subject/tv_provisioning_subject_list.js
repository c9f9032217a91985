frappe.listview_settings["TV Provisioning Subject"] = {
	add_fields: ["held"],
	hide_name_column: true,

	get_indicator(doc) {
		return doc.held ? [__("Held"), "green", "held,=,1"] : [__("Not Held"), "grey", "held,=,0"];
	},
};
