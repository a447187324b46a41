/* Times in the zone of the browser, which is named. Pages carry them in UTC unless the account names a zone; then they are left alone. */
(function () {
	"use strict";

	var html = document.documentElement, zone = html.getAttribute("data-zone");
	var format = { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" };
	var lang = html.lang === "en" ? "en-GB" : html.lang;         /* as the server writes them: the day first, 24 hours */

	function words(at, more) {
		return new Intl.DateTimeFormat(lang, Object.assign({}, format, more)).format(at);
	}

	function times(root) {
		root.querySelectorAll("time[datetime]").forEach(function (time) {
			var at = new Date(time.dateTime);

			if (isNaN(at))
				return;
			if (time.dataset.exact)
				return;
			if (time.dataset.ago)
				time.title = words(at, zone ? { timeZone: zone } : { timeZoneName: "short" });
			else if (!zone)
				time.textContent = words(at, { timeZoneName: "short" });
		});
	}

	/* The zones that this browser knows, for the field of the account. */
	function zones() {
		var field = document.getElementById("zone"), list = document.createElement("datalist");

		if (!field || !Intl.supportedValuesOf)
			return;
		list.id = "zone-list";
		Intl.supportedValuesOf("timeZone").forEach(function (name) {
			list.appendChild(new Option(name, name));
		});
		field.after(list);
		field.setAttribute("list", list.id);
		field.placeholder = Intl.DateTimeFormat().resolvedOptions().timeZone;
	}

	times(document);
	zones();
})();
