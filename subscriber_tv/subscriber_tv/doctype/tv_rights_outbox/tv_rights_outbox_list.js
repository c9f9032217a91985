frappe.listview_settings["TV Rights Outbox"] = {
	add_fields: ["attempts"],

	get_indicator(doc) {
		return doc.attempts
			? [__("Failed"), "red", "attempts,>,0"]
			: [__("Waiting"), "blue", "attempts,=,0"];
	},
};
