frappe.listview_settings["TV Provisioning Platform"] = {
	add_fields: ["enabled", "failing_since", "comparison_error"],
	hide_name_column: true,

	get_indicator(doc) {
		if (!doc.enabled) return [__("Disabled"), "grey", "enabled,=,0"];
		if (doc.failing_since) return [__("Not Answering"), "red", "failing_since,is,set"];
		if (doc.comparison_error) return [__("Not Compared"), "orange", "comparison_error,is,set"];
		return [__("Enabled"), "green", "enabled,=,1"];
	},
};
