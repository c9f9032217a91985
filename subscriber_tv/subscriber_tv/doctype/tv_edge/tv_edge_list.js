// Seconds; an edge asks its publisher more often, and its own health says "stale" from here on.
const EDGE_LATE_AFTER = 300;

frappe.listview_settings["TV Edge"] = {
	add_fields: ["as_of"],
	hide_name_column: true,

	get_indicator(doc) {
		if (!doc.as_of) return [__("Empty"), "gray", "as_of,is,not set"];
		// Both in the site's time zone.
		const limit = moment(frappe.datetime.system_datetime()).subtract(EDGE_LATE_AFTER, "seconds");
		const since = limit.format(frappe.defaultDatetimeFormat);
		if (moment(doc.as_of).isBefore(limit)) return [__("Late"), "red", `as_of,<,${since}`];
		return [__("Fresh"), "green", `as_of,>=,${since}`];
	},

	formatters: {
		as_of: (value) => (value ? frappe.datetime.comment_when(value) : ""),
		last_heard: (value) => (value ? frappe.datetime.comment_when(value) : ""),
		last_answers: (value) => (value ? frappe.datetime.comment_when(value) : ""),
	},
};
