const TV_COMMAND_COLOURS = { Queued: "orange", Sent: "blue", Done: "green", Expired: "gray", Failed: "red" };

frappe.listview_settings["TV Command"] = {
	add_fields: ["state"],
	get_indicator: (doc) => [__(doc.state), TV_COMMAND_COLOURS[doc.state], `state,=,${doc.state}`],
};
