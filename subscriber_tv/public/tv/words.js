// What the TV page says, in the languages that TVs speak. Denials bring their own, signed, text.

export const WORDS = {
	fr: {
		locale: "fr-FR",
		other: "English",
		genres: {
			General: "Généraliste",
			Cinema: "Cinéma",
			Series: "Séries",
			Sport: "Sport",
			News: "Information",
			Youth: "Jeunesse",
			Music: "Musique",
			Documentary: "Documentaires",
			Local: "Locale",
			Adult: "Adultes",
		},
		start: "Allumer",
		starting: "Démarrage…",
		almost: "Appairé. Vos chaînes arrivent…",
		pair_title: "Appairez ce téléviseur",
		pair_step_1: "Scannez le code QR avec votre téléphone, ou ouvrez",
		pair_step_2: "Connectez-vous et saisissez le code affiché ici",
		pair_step_3: "Comparez le code et le n° de série, puis confirmez",
		pair_ask: "la page de votre opérateur",
		code: "Code d'appairage",
		qr: "Code QR de l'adresse d'appairage",
		compare: "Le même code doit s'afficher sur votre téléphone. S'il diffère, ne confirmez pas.",
		code_life: "Nouveau code dans {0}",
		serial: "N° de série {0}",
		denied_title: "Appairage refusé",
		denied: "La personne à qui ce code a été donné ne reconnaît pas ce téléviseur.",
		new_code: "Afficher un nouveau code",
		refused_title: "Téléviseur non reconnu",
		refused: "Ce téléviseur ne peut pas être appairé pour l'instant. Donnez son numéro de série à votre opérateur.",
		away_title: "Service momentanément indisponible",
		away: "Le téléviseur réessaie tout seul.",
		busy_title: "Beaucoup de téléviseurs démarrent",
		busy: "Votre place dans la file est réservée : l'image arrive à votre tour.",
		next_try: "Prochain essai dans {0}",
		fake_title: "Réponse non authentique",
		fake: "La réponse reçue n'est pas signée par votre opérateur ; elle est ignorée.",
		retry: "Réessayer",
		asking: "Vérification des droits…",
		again: "Ce message disparaît dès que vos droits sont rétablis.",
		channels: "{0} chaînes",
		one_channel: "1 chaîne",
		no_channel: "Pas de chaîne {0}",
		offer: "Votre offre",
		until: "Droits vérifiés et signés · prochaine vérification {0}",
		offline: "Hors ligne · lecture jusqu'à {0} sur les derniers droits reçus",
		too_many_title: "Trop d'écrans en même temps",
		too_many: "Votre offre ne permet pas un écran de plus. Éteignez-en un : l'image revient toute seule.",
		not_entitled_title: "Chaîne hors de votre offre",
		not_entitled: "Choisissez une autre chaîne, ou demandez cette option à votre opérateur.",
		locked_title: "Chaîne verrouillée",
		locked: "Déconseillée aux moins de {0} ans.",
		type_pin: "Saisissez le code parental, puis OK.",
		wrong_pin: "Ce code n'est pas le bon.",
		insecure_title: "Connexion non sécurisée",
		insecure: "Un téléviseur ne vérifie les signatures que sur une connexion https.",
		no_serial_title: "Numéro de série manquant",
		no_serial: "Ouvrez cette page avec ?serial=… dans l'adresse.",
		info_title: "À propos de ce téléviseur",
		info_serial: "N° de série",
		info_node: "Serveur",
		info_key: "Empreinte de sa clé",
		info_root: "Clé racine de l'opérateur",
		info_no_root: "aucune : clés retenues à l'appairage",
		info_lease: "Droits signés jusqu'à",
		info_none: "–",
		info_forget: "Oublier l'opérateur",
		info_close: "Fermer",
		hint_move: "Choisir",
		hint_ok: "Valider",
		hint_back: "Liste",
		hint_zap: "Zapper",
		hint_info: "Infos",
	},
	en: {
		locale: "en-GB",
		other: "Français",
		genres: {},
		start: "Switch on",
		starting: "Starting…",
		almost: "Paired. Your channels are on their way…",
		pair_title: "Pair this TV",
		pair_step_1: "Scan the QR code with your phone, or open",
		pair_step_2: "Log in and enter the code shown here",
		pair_step_3: "Compare code and serial number, then confirm",
		pair_ask: "your operator's page",
		code: "Pairing code",
		qr: "QR code of the pairing address",
		compare: "Your phone must show the same code. If it differs, do not confirm.",
		code_life: "New code in {0}",
		serial: "Serial no. {0}",
		denied_title: "Pairing refused",
		denied: "Whoever was given this code does not recognise this TV.",
		new_code: "Show a new code",
		refused_title: "This TV is not recognised",
		refused: "This TV cannot be paired for now. Give its serial number to your operator.",
		away_title: "Service unavailable for a moment",
		away: "The TV tries again by itself.",
		busy_title: "Many TVs are starting",
		busy: "Your place in the queue is kept: the picture comes when it is your turn.",
		next_try: "Next try in {0}",
		fake_title: "Answer not genuine",
		fake: "The answer was not signed by your operator; it is ignored.",
		retry: "Try again",
		asking: "Checking your rights…",
		again: "This message goes away as soon as your rights are restored.",
		channels: "{0} channels",
		one_channel: "1 channel",
		no_channel: "No channel {0}",
		offer: "Your offer",
		until: "Rights checked and signed · next check {0}",
		offline: "Offline · playing until {0} on the last rights received",
		too_many_title: "Too many screens at once",
		too_many: "Your offer has no room for one more. Switch one off: the picture comes back by itself.",
		not_entitled_title: "Not part of your offer",
		not_entitled: "Choose another channel, or ask your operator for this option.",
		locked_title: "Channel locked",
		locked: "Not for viewers under {0}.",
		type_pin: "Type the parental code, then OK.",
		wrong_pin: "This is not the code.",
		insecure_title: "Connection not secure",
		insecure: "A TV can verify signatures on an https connection only.",
		no_serial_title: "Serial number missing",
		no_serial: "Open this page with ?serial=… in its address.",
		info_title: "About this TV",
		info_serial: "Serial no.",
		info_node: "Server",
		info_key: "Fingerprint of its key",
		info_root: "Operator's root key",
		info_no_root: "none: keys kept since pairing",
		info_lease: "Rights signed until",
		info_none: "–",
		info_forget: "Forget the operator",
		info_close: "Close",
		hint_move: "Choose",
		hint_ok: "OK",
		hint_back: "List",
		hint_zap: "Zap",
		hint_info: "Info",
	},
};

let spoken = "fr";

export const language = () => spoken;
export const words = () => WORDS[spoken];

export function speak(wish) {
	spoken = String(wish).toLowerCase().startsWith("fr") ? "fr" : "en";
	document.documentElement.lang = spoken;
}

export function say(name, ...values) {
	return values.reduce((text, value, index) => text.replace(`{${index}}`, value), words()[name]);
}

// Times of the day by the TV's clock; further away with the day.
export function moment(seconds) {
	const when = new Date(seconds * 1000);
	const isSoon = Math.abs(when - Date.now()) < 12 * 3600 * 1000;
	const day = isSoon ? {} : { weekday: "long" };
	return when.toLocaleString(words().locale, { ...day, hour: "2-digit", minute: "2-digit" });
}

export function countdown(seconds) {
	const left = Math.max(0, Math.ceil(seconds));
	return `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
}
