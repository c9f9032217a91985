// The error queue: what is refused or tried again, by colour, and sent again from the list.
frappe.listview_settings["TV Provisioning Order"] = {
	add_fields: ["state", "attempts", "last_error", "responsible"],
	hide_name_column: true,

	onload(listview) {
		listview.page.add_action_item(__("Send Again"), async () => {
			const names = listview.get_checked_items(true);
			const number = await frappe.xcall("subscriber_tv.api.provisioning.replay", { names });
			frappe.show_alert({
				message: __("{0} orders are sent again.", [number]),
				indicator: number < names.length ? "orange" : "green",
			});
			listview.refresh();
		});
	},

	get_indicator(doc) {
		if (doc.state === "Pending" && doc.attempts) {
			return [__("Trying Again"), "orange", "state,=,Pending|attempts,>,0"];
		}
		const colors = { Pending: "blue", Sent: "cyan", Done: "green", Failed: "red", Superseded: "grey" };
		return [__(doc.state), colors[doc.state], `state,=,${doc.state}`];
	},

	formatters: {
		platform(value, df, doc) {
			const open = ["Failed", "Pending"].includes(doc.state);
			const said = open && doc.last_error ? `${value}: ${doc.last_error}` : value;
			return frappe.utils.escape_html(said || "");
		},
		entitlements: (value) => frappe.utils.escape_html(JSON.parse(value || "[]").join(", ")),
	},
};
