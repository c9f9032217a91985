frappe.listview_settings["TV Subscription Change"] = {
	add_fields: ["event", "to_state"],

	get_indicator(doc) {
		return [__(doc.to_state), "blue", `to_state,=,${doc.to_state}`];
	},
};
