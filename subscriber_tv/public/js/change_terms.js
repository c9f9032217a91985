// Dialogs that change a contract without changing its state: billing day, payer, holder, site.

function move_billing_day(frm, overview) {
	const field = { fieldname: "anchor_day", fieldtype: "Int", label: __("Billing Day"), reqd: 1 };
	ask_terms(frm, overview, __("Move Billing Day"), "change_anchor", [field]);
}

// Who pays, who holds the contract, where it is served.
function party_actions(frm, overview) {
	const customer = (fieldname, label, reqd) => ({
		fieldname,
		fieldtype: "Link",
		options: "Customer",
		label,
		reqd,
		get_query: () => ({ filters: { disabled: 0 } }),
	});
	const site = {
		fieldname: "site",
		fieldtype: "Link",
		options: "TV Site",
		label: __("New Site"),
		reqd: 1,
		get_query: () => ({ filters: { customer: frm.doc.customer, disabled: 0 } }),
	};
	const holder = [
		customer("customer", __("New Customer"), 1),
		{ ...customer("payer", __("New Payer"), 0), description: __("Empty: the new customer") },
	];
	const action = (key, label, fields) => ({
		key,
		label,
		run: () => ask_terms(frm, overview, label, key, fields),
	});
	return [
		action("change_payer", __("Change Payer"), [customer("payer", __("New Payer"), 1)]),
		action("change_holder", __("Change Holder"), holder),
		action("move", __("Move to Another Site"), [site]),
	];
}

function ask_terms(frm, overview, title, method, fields) {
	const dialog = new frappe.ui.Dialog({
		title,
		fields: [
			...fields,
			{
				fieldname: "effective_date",
				fieldtype: "Date",
				label: __("Effective"),
				default: overview.today,
				reqd: 1,
			},
			{ fieldname: "reason", fieldtype: "Small Text", label: __("Reason") },
		],
		primary_action_label: __("Record Change"),
		async primary_action(values) {
			dialog.disable_primary_action();
			try {
				await frappe.xcall(`subscriber_tv.api.contract_terms.${method}`, {
					subscription: frm.doc.name,
					...values,
				});
				dialog.hide();
				frappe.show_alert({ message: __("{0}: recorded", [title]), indicator: "green" });
				frm.reload_doc();
			} finally {
				dialog.enable_primary_action();
			}
		},
	});
	dialog.show();
}
