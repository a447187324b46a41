/* The page of live traffic: takes the events of the server and draws its bars anew. Without this script the page shows the moment
 * at which it was loaded. */
(function () {
	"use strict";

	var script = document.getElementById("live-script"), state = document.getElementById("live-state");
	var svg = document.querySelector("#plot-calls svg"), source;

	function rect(of, x, width, height) {
		var r = document.createElementNS("http://www.w3.org/2000/svg", "rect");

		r.setAttribute("class", of);
		r.setAttribute("x", x);
		r.setAttribute("y", 160 - height);
		r.setAttribute("width", width);
		r.setAttribute("height", height);
		return r;
	}

	function draw(rows) {
		var most = Math.max.apply(null, rows.map(function (row) { return row.calls; }).concat(1)), width = 960 / rows.length, all = 0;

		svg.textContent = "";
		rows.forEach(function (row, i) {
			var bad = row.refused + row.gatewayErrors + row.backendErrors;

			all += row.calls;
			svg.appendChild(rect("bar", i * width, width - 1, row.calls * 160 / most));
			svg.appendChild(rect("bar-bad", i * width, width - 1, bad * 160 / most));
		});
		state.textContent = all.toLocaleString("en") + (all === 1 ? " call, " : " calls, ") + rows[rows.length - 1].calls.toLocaleString("en") + " in this minute.";
	}

	if (!script || !svg || !window.EventSource)
		return;
	source = new EventSource(script.dataset.source);
	source.addEventListener("traffic", function (e) { draw(JSON.parse(e.data)); });
}());
