frappe.listview_settings["TV Alarm"] = {
	add_fields: ["state"],
	hide_name_column: true,

	get_indicator(doc) {
		const color = doc.state === "Open" ? "red" : "green";
		return [__(doc.state), color, `state,=,${doc.state}`];
	},
};
