frappe.listview_settings["TV Device Status"] = {
	add_fields: ["online", "suspicion", "alarms", "last_heard"],

	get_indicator(doc) {
		if (doc.suspicion) return [__(doc.suspicion), "red", `suspicion,=,${doc.suspicion}`];
		if (doc.alarms) return [__("Alarm"), "orange", "alarms,>,0"];
		if (doc.online) return [__("Online"), "green", "online,=,1"];
		return doc.last_heard ? [__("Offline"), "gray", "online,=,0"] : [__("Never Heard"), "darkgrey", "last_heard,is,not set"];
	},

	onload(listview) {
		listview.page.add_inner_button(__("TV Fleet Board"), () => frappe.set_route("tv-fleet-board"));
	},
};
