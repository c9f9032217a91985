// "Send Command" on a TV, a site and a model. Who may send how far is decided by the server.

frappe.provide("subscriber_tv");

const TV_COMMANDS = ["Message", "Re-scan", "Update", "Identify"];
const TV_COMMAND_ROLES = {
	"TV Device": ["TV Support", "TV Back Office", "TV Logistics", "System Manager"],
	"TV Site": ["TV Support", "TV Back Office", "System Manager"],
	"TV Device Model": ["TV Back Office", "System Manager"],
};

for (const doctype of Object.keys(TV_COMMAND_ROLES)) {
	frappe.ui.form.on(doctype, { refresh: (frm) => subscriber_tv.add_command_button(frm) });
}

subscriber_tv.add_command_button = function (frm) {
	if (frm.is_new() || !TV_COMMAND_ROLES[frm.doctype].some((role) => frappe.user.has_role(role))) return;
	if (frm.doctype === "TV Device" && !frm.doc.line_id) return;
	frappe.xcall("subscriber_tv.api.tv_commands.possible").then((possible) => {
		if (possible) frm.add_custom_button(__("Send Command"), () => ask_command(frm));
	});
};

function ask_command(frm) {
	const dialog = new frappe.ui.Dialog({
		title: __("Command to {0}", [frm.doc.name]),
		fields: command_fields(),
		primary_action_label: __("Send"),
		async primary_action(values) {
			dialog.disable_primary_action();
			try {
				const name = await frappe.xcall("subscriber_tv.api.tv_commands.send", {
					target_type: frm.doctype,
					target: frm.doc.name,
					...values,
				});
				dialog.hide();
				const link = frappe.utils.get_form_link("TV Command", name, true);
				frappe.show_alert({ message: __("Command {0} is on its way.", [link]), indicator: "green" });
			} finally {
				dialog.enable_primary_action();
			}
		},
	});
	dialog.show();
}

function command_fields() {
	const options = TV_COMMANDS.map((value) => ({ value, label: __(value) }));
	const message = "eval:doc.command === 'Message'";
	const text = { fieldtype: "Small Text", max_height: "70px", depends_on: message, mandatory_depends_on: message };
	return [
		{ fieldname: "command", fieldtype: "Select", label: __("Command"), options, default: "Message", reqd: 1 },
		{ fieldname: "text_fr", label: __("Text in French"), ...text },
		{ fieldname: "text_en", label: __("Text in English"), ...text },
		{
			fieldname: "firmware",
			fieldtype: "Data",
			label: __("Firmware"),
			description: __("Empty: whatever is current"),
			depends_on: "eval:doc.command === 'Update'",
		},
		{
			fieldname: "minutes",
			fieldtype: "Int",
			label: __("Valid for (minutes)"),
			description: __("A TV that is switched on later does not hear of it"),
			default: 60,
			reqd: 1,
		},
	];
}
