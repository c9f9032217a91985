frappe.listview_settings["TV Site"] = {
	add_fields: ["disabled", "outlets_installed"],

	get_indicator(doc) {
		if (doc.disabled) return [__("Disabled"), "gray", "disabled,=,1"];
		if (doc.outlets_installed) return [__("Installed"), "green", "outlets_installed,>,0"];
		return [__("Not Installed"), "orange", "outlets_installed,=,0"];
	},
};
