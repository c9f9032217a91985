{% include "subscriber_tv/public/js/letters.js" %}

frappe.listview_settings["TV Renewal Notice"] = {
	add_fields: ["status"],
	hide_name_column: true,

	onload(list) {
		const writers = ["TV Marketing", "TV Billing", "TV Management", "System Manager"];
		if (!writers.some((role) => frappe.user.has_role(role))) return;
		const add = (label, action) => list.page.add_inner_button(label, action, __("Letters"));
		letter_buttons(add, "TV Renewal Notice", null, () => list.refresh());
	},

	get_indicator(doc) {
		const colors = { Due: "orange", Sent: "green", Late: "yellow", Missed: "red", "Not Needed": "gray" };
		return [__(doc.status), colors[doc.status], `status,=,${doc.status}`];
	},
};
