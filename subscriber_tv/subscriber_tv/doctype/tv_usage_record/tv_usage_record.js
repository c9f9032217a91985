// What is wrong with a record and what can be done about it; the fields of a rejected one may be corrected.
(() => {
	const API = "subscriber_tv.api.usage";

	frappe.ui.form.on("TV Usage Record", {
		refresh(frm) {
			show_problem(frm);
			if (!frm.perm[0].write) return;
			const actions = {
				Rejected: [try_again, dismiss],
				Received: [try_again],
				Held: [try_again, dismiss, cancel],
				Conflict: [accept, dismiss],
				Accepted: [cancel],
				Billed: [cancel],
			}[frm.doc.state];
			(actions || []).forEach((add) => add(frm));
			if (frm.doc.state !== "Rejected") frm.disable_save();
		},

		after_save(frm) {
			frm.reload_doc();
		},
	});

	function show_problem(frm) {
		const { reason, next_step } = frm.doc.__onload || {};
		const waits = ["Rejected", "Conflict", "Held"].includes(frm.doc.state);
		if (waits && reason) frm.set_intro(`<b>${escape(reason)}</b> ${escape(next_step)}`, "orange");
		if (frm.doc.state === "Accepted") {
			frm.set_intro(
				__("Rated with its period, and billed when the period is over. Usage within the allowance stays Accepted."),
				"blue"
			);
		}
	}

	function escape(text) {
		return frappe.utils.escape_html(text || "");
	}

	function try_again(frm) {
		frm.add_custom_button(__("Try Again"), async () => {
			if (frm.is_dirty()) return frm.save();
			await frappe.xcall(`${API}.try_again`, { names: [frm.doc.name] });
			frm.reload_doc();
		}).addClass("btn-primary");
	}

	function dismiss(frm) {
		ask(frm, __("Dismiss"), "dismiss", (reason) => ({ names: [frm.doc.name], reason }));
	}

	function cancel(frm) {
		ask(frm, __("Cancel Record"), "cancel", (reason) => ({ name: frm.doc.name, reason }));
	}

	function accept(frm) {
		frm.add_custom_button(__("Let This One Count"), () =>
			frappe.confirm(__("The record that counts now is replaced by this one."), async () => {
				const name = await frappe.xcall(`${API}.accept_conflict`, { name: frm.doc.name });
				frappe.set_route("Form", frm.doctype, name);
			})
		).addClass("btn-primary");
	}

	function ask(frm, label, method, args) {
		frm.add_custom_button(label, () =>
			frappe.prompt(
				{ fieldname: "reason", fieldtype: "Small Text", label: __("Reason"), reqd: 1 },
				async ({ reason }) => {
					await frappe.xcall(`${API}.${method}`, args(reason));
					frm.reload_doc();
				},
				label
			)
		);
	}
})();
