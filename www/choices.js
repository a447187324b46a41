/* What scripts do for every page of the dashboard; each works without them too.
 * Fields that name something which is there: what fits is offered while one types, from the same lists that the management API
 * gives. data-choices names the list ("users") or a dimension of traffic ("traffic/operation"). Without this script the field
 * takes the id. A field of a form shows the name and sends the id; a filter shows and sends what data-take says ("id", "email"). */
(function () {
	"use strict";

	var base = document.currentScript.dataset.base, WAIT_MS = 150, MOST = 20, count = 0;

	function name_of(doc) {
		return doc.email || doc.name || "";
	}

	/* as the server writes it: known_as() of portal/admin/resource_form.c */
	function label_of(doc) {
		var name = name_of(doc);

		return name && name !== doc.id ? name + " (" + doc.id + ")" : doc.id;
	}

	function address(source, text) {
		var dimension = /^traffic\/(.*)$/.exec(source);

		return base + "api/v1/" + (dimension ? "analytics/traffic?range=30d&limit=100&group=" + encodeURIComponent(dimension[1])
			: source + "?limit=" + MOST + "&search=" + encodeURIComponent(text));
	}

	function found(source, answer) {
		var dimension = /^traffic\/(.*)$/.exec(source);

		if (!dimension)
			return answer.items || [];
		return (answer.rows || []).filter(function (row) { return row[dimension[1]]; }).map(function (row) { return { id: String(row[dimension[1]]) }; });
	}

	/* Offers below `field` (a combobox with a list, WAI-ARIA 1.2): pick(document) when one is chosen. With `first` Enter takes the
	 * first one that fits; else it means what was typed. */
	function offer(field, first, pick) {
		var box = document.createElement("span"), list = document.createElement("ul"), asked = null, docs = [], active = -1, timer;
		var label = field.labels[0], name = label ? label.textContent.trim() : "";

		box.className = "choices-box";
		field.replaceWith(box);
		box.append(field, list);
		list.id = "choices-" + (++count);
		list.className = "choices-list";
		list.setAttribute("role", "listbox");
		list.setAttribute("aria-label", "Choices for " + name);
		if (label && label.contains(box))
			field.setAttribute("aria-label", name);      /* the list is no part of its name */
		list.hidden = true;
		field.autocomplete = "off";
		field.setAttribute("role", "combobox");
		field.setAttribute("aria-autocomplete", "list");
		field.setAttribute("aria-controls", list.id);
		field.setAttribute("aria-expanded", "false");

		function open(yes) {
			list.hidden = !yes || !docs.length;
			field.setAttribute("aria-expanded", String(!list.hidden));
			if (list.hidden)
				mark(-1);
		}

		function mark(i) {
			active = i;
			Array.prototype.forEach.call(list.children, function (li, at) { li.setAttribute("aria-selected", String(at === i)); });
			if (i < 0)
				return field.removeAttribute("aria-activedescendant");
			field.setAttribute("aria-activedescendant", list.children[i].id);
			list.children[i].scrollIntoView({ block: "nearest" });
		}

		function choose(i) {
			var doc = docs[i];

			open(false);
			pick(doc);
		}

		function show(answer, text) {
			var wanted = text.toLowerCase();

			docs = found(field.dataset.choices, answer).filter(function (doc) { return label_of(doc).toLowerCase().includes(wanted) || !/^traffic\//.test(field.dataset.choices); }).slice(0, MOST);
			list.textContent = "";
			docs.forEach(function (doc, i) {
				var li = document.createElement("li"), name = name_of(doc);

				li.id = list.id + "-" + i;
				li.setAttribute("role", "option");
				li.textContent = name && name !== doc.id ? name + " " : doc.id;
				if (name && name !== doc.id)
					li.appendChild(Object.assign(document.createElement("code"), { className: "soft small", textContent: doc.id }));
				li.addEventListener("mousedown", function (e) {
					e.preventDefault();          /* the field keeps the focus */
					choose(i);
				});
				list.appendChild(li);
			});
			open(document.activeElement === field);
			if (!list.hidden)
				list.scrollIntoView({ block: "nearest" });
			mark(first && text && docs.length ? 0 : -1);
		}

		function typed() {
			return field.dataset.shown === field.value ? "" : field.value.trim();
		}

		function ask() {
			var text = typed();

			if (asked === text)
				return open(true);
			asked = text;
			fetch(address(field.dataset.choices, text), { headers: { Accept: "application/json" }, credentials: "same-origin" }).then(function (r) {
				return r.ok ? r.json() : {};
			}).then(function (answer) {
				if (text !== asked)                  /* what was typed since then is asked for already */
					return;
				if (text === typed())
					show(answer, text);
				else                                 /* or will be: Enter must not take what fits another text */
					asked = null;
			}).catch(function () { asked = null; });
		}

		field.addEventListener("click", ask);
		field.addEventListener("input", function () {
			clearTimeout(timer);
			mark(-1);                                    /* what is offered is not yet about this text */
			timer = setTimeout(ask, WAIT_MS);
		});
		field.addEventListener("blur", function () {
			clearTimeout(timer);
			open(false);
		});
		field.addEventListener("keydown", function (e) {
			if (e.key === "ArrowDown" && list.hidden)
				ask();
			else if (e.key === "ArrowDown" || (e.key === "ArrowUp" && !list.hidden))
				mark((active + (e.key === "ArrowDown" ? 1 : docs.length - (active < 0 ? 0 : 1))) % docs.length);
			else if (e.key === "Enter" && active >= 0)
				choose(active);
			else if (e.key === "Escape" && !list.hidden)
				open(false);
			else
				return;
			e.preventDefault();
			e.stopImmediatePropagation();
		});
	}

	/* A text that was not chosen is an id, or a label that ends with one. */
	function id_of(text) {
		var end = /\(([^()\s]+)\)$/.exec(text);

		return end ? end[1] : text;
	}

	/* One: the field shows the name, a hidden one sends the id. */
	function one(field) {
		var hidden = document.createElement("input");

		hidden.type = "hidden";
		hidden.name = field.name;
		hidden.value = field.value;
		field.removeAttribute("name");
		field.placeholder = "Type to search";
		field.value = field.dataset.shown = field.dataset.label || field.value;
		field.after(hidden);
		field.addEventListener("input", function () { hidden.value = id_of(field.value.trim()); });
		offer(field, true, function (doc) {
			hidden.value = doc.id;
			field.value = field.dataset.shown = label_of(doc);
		});
	}

	/* Several: each that is chosen becomes a tick above the field. */
	function several(area) {
		var field = document.createElement("input"), ticks = area.closest("fieldset").querySelector(".ticks");

		function add(id, text) {
			var label, box = Array.prototype.find.call(ticks.querySelectorAll("input"), function (b) { return b.value === id; });

			field.value = "";
			if (!box) {
				label = document.createElement("label");
				label.className = "check";
				box = document.createElement("input");
				box.type = "checkbox";
				box.name = area.dataset.name;
				box.value = id;
				label.append(box, Object.assign(document.createElement("span"), { textContent: text }));
				ticks.appendChild(label);
			}
			box.checked = true;
		}

		function add_typed() {
			if (field.value.trim())
				add(id_of(field.value.trim()), field.value.trim());
		}

		field.type = "text";
		field.id = area.id;
		field.placeholder = "Type to search";
		field.dataset.choices = area.dataset.choices;
		field.setAttribute("aria-describedby", area.getAttribute("aria-describedby"));
		area.closest(".field").querySelector("label .soft").textContent = "by name or id";
		area.replaceWith(field);
		offer(field, true, function (doc) { add(doc.id, label_of(doc)); });
		field.addEventListener("keydown", function (e) {
			if (e.key !== "Enter" || !field.value.trim())
				return;
			e.preventDefault();                  /* it adds; it does not send the form */
			add_typed();
		});
		field.form.addEventListener("submit", add_typed);
	}

	/* A filter: what is chosen is written into it. */
	function filter(field) {
		offer(field, false, function (doc) { field.value = field.dataset.shown = doc[field.dataset.take] || doc.id; });
	}

	/* Of a form with kinds ("/kind") only what the chosen one has: its secrets, its hints. Hidden fields are empty ones, as in the
	 * form without script. */
	function kinds(select) {
		function show() {
			select.form.querySelectorAll("[data-kind]").forEach(function (part) { part.hidden = part.dataset.kind !== select.value; });
			select.form.querySelectorAll("[data-of-kinds]").forEach(function (group) {
				var of = group.dataset.ofKinds.trim().split(" "), shown = 0;

				Array.prototype.forEach.call(group.children, function (part) {
					var field = part.querySelector("[name]"), name = field ? field.name.replace(/^.*\//, "") : "";

					if (!field)
						return;
					part.hidden = !of.includes(select.value + ":" + name) && !part.querySelector(".field-error");
					shown += part.hidden ? 0 : 1;
				});
				group.hidden = !shown;
			});
		}

		select.addEventListener("change", show);
		show();
	}

	/* A long menu shows where one is. */
	function menu() {
		var here = document.querySelector(".rail nav [aria-current]"), nav = here && here.closest("nav");

		if (here && here.offsetTop + here.offsetHeight > nav.offsetTop + nav.clientHeight)
			nav.scrollTop = here.offsetTop - nav.offsetTop - nav.clientHeight / 2;
	}

	/* A box above those of the rows ticks them all. */
	function ticks() {
		var head = document.querySelector("th.tick"), boxes = document.querySelectorAll("td.tick input"), all;

		if (!head || !boxes.length)
			return;
		all = document.createElement("input");
		all.type = "checkbox";
		all.setAttribute("aria-label", "Pick all of this page");
		all.addEventListener("change", function () {
			boxes.forEach(function (box) { box.checked = all.checked; });
		});
		head.replaceChildren(all);
	}

	menu();
	ticks();
	document.querySelectorAll("select[name='/kind']").forEach(kinds);
	document.querySelectorAll("[data-choices]").forEach(function (field) {
		(field.tagName === "TEXTAREA" ? several : field.dataset.take ? filter : one)(field);
	});
}());
