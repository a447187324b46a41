/* Charts of analytics that can be zoomed, with uPlot, from the same figures as the table below them. Without this script the
 * pictures that the server drew stay. Selecting a range zooms; a double click shows all again. */
(function () {
	"use strict";

	var script = document.getElementById("analytics-script");
	var drawn = [], figures = [];

	function colour(name) {
		var probe = document.createElement("span"), value;

		probe.style.color = "var(--" + name + ")";
		document.body.appendChild(probe);
		value = getComputedStyle(probe).color;
		probe.remove();
		return value;
	}

	function column(rows, name) {
		return rows.map(function (row) { return row[name]; });
	}

	/* as the page writes them, in whatever language the browser is */
	function number(v) {
		return v === null || v === undefined ? "--" : v.toLocaleString("en");
	}

	function value(u, v) {
		return number(v);
	}

	function bars(label, name) {
		return { label: label, value: value, stroke: colour(name), fill: colour(name), paths: window.uPlot.paths.bars({ size: [0.9, 60] }), points: { show: false } };
	}

	/* of a line without points: those that no line leads to, which would not be seen */
	function lone(u, i, shown) {
		var v = u.data[i], missing = function (k) { return v[k] === null || v[k] === undefined; };

		return shown ? null : v.map(function (_, k) { return k; }).filter(function (k) { return !missing(k) && missing(k - 1) && missing(k + 1); });
	}

	function line(label, name) {
		return { label: label, value: value, stroke: colour(name), width: 2, spanGaps: false, points: { filter: lone } };
	}

	/* uPlot's own are those of the United States */
	function hours(narrow) {
		var day = narrow ? "\n{D} {MMM}" : "\n{D} {MMM} {YYYY}";

		return [[86400, "{D} {MMM}", "\n{YYYY}", null, null, null, null, null, 1], [60, "{HH}:{mm}", day, null, day, null, null, null, 1],
			[1, "{HH}:{mm}:{ss}", day, null, day, null, null, null, 1]];
	}

	function plot(id, data, series) {
		var box = document.getElementById(id), half = (data[0][1] - data[0][0]) / 2;       /* a bar is as wide as a step */
		var axis = { stroke: colour("text-soft"), grid: { stroke: colour("line"), width: 1 }, ticks: { stroke: colour("line") } };

		box.textContent = "";
		drawn.push({ box: box, plot: new window.uPlot({
			width: box.clientWidth, height: 220, cursor: { sync: { key: "traffic" } }, tzDate: function (s) { return window.uPlot.tzDate(new Date(s * 1000), "Etc/UTC"); },
			scales: { x: { range: function (u, least, most) { return [least - half, most + half]; } }, y: { range: function (u, least, most) { return [0, most > 0 ? most * 1.05 : 1]; } } },
			series: [{ value: "{YYYY}-{MM}-{DD} {HH}:{mm}" }].concat(series), axes: [Object.assign({ values: hours(box.clientWidth < 480) }, axis), Object.assign({ size: 60, values: function (u, ticks) { return ticks.map(number); } }, axis)],
		}, data, box) });
	}

	function draw(rows) {
		var times = rows.map(function (row) { return Date.parse(row.time) / 1000; });
		var bad = rows.map(function (row) { return row.calls ? row.refused + row.gatewayErrors + row.backendErrors : null; });
		var calls = [times, column(rows, "calls"), bad], series = [bars("Calls", "accent"), bars("Refused or failed", "bad")];

		if (rows.length < 2)
			return;
		if ("callsBefore" in rows[0]) {
			calls.push(column(rows, "callsBefore"));
			series.push(line("Calls before", "violet"));
		}
		plot("plot-calls", calls, series);
		plot("plot-times", [times, column(rows, "p50Ms"), column(rows, "p95Ms"), column(rows, "gatewayAverageMs"), column(rows, "backendAverageMs")],
			[line("p50, ms", "accent"), line("p95, ms", "violet"), line("Gateway, ms", "blue"), line("Backend, ms", "warn")]);
	}

	function address() {
		var url = new URL(script.dataset.source, location.href);

		url.searchParams.delete("group");
		url.searchParams.set("step", script.dataset.step + "s");
		return url;
	}

	if (!script || !window.uPlot || !document.getElementById("plot-calls"))
		return;
	fetch(address(), { headers: { Accept: "application/json" } }).then(function (r) {
		return r.ok ? r.json() : { rows: [] };
	}).then(function (answer) { figures = answer.rows; draw(figures); }).catch(function () { /* the server's picture stays */ });
	window.addEventListener("resize", function () {
		drawn.forEach(function (d) { d.plot.setSize({ width: d.box.clientWidth, height: 220 }); });
	});
	/* colours are those of the scheme that they were drawn in */
	window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", function () {
		drawn.splice(0).forEach(function (d) { d.plot.destroy(); });
		draw(figures);
	});
}());
