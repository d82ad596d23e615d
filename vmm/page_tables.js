// SPDX-License-Identifier: MIT
// page_tables.js: the tables below the timeline: violations, registers, exits,
// states, events.

const ROW = 20, TALLEST = 8e6; // pixels: of a row of events, of all of them

// (columns): [title, is a number]; (rows): { cells, event, sort }.
function put_table(columns, rows) {
	const table = make("table"), head = make("tr"), body = make("tbody");
	columns.forEach(([title, is_number], k) => {
		const th = make("th", null, is_number ? { class: "n" } : {});
		const button = make("button", title, { title: `Sort by ${title}` });
		button.onclick = () => {
			rows.sort((a, b) => is_number ? b.sort[k] - a.sort[k] :
				String(a.sort[k]).localeCompare(String(b.sort[k])));
			rows.forEach((row) => body.append(row.element));
		};
		th.append(button);
		head.append(th);
	});
	for (const row of rows) {
		row.element = make("tr", null, { tabindex: 0 });
		row.cells.forEach((cell, k) => {
			const td = make("td", null, columns[k][1] ? { class: "n" } : {});
			td.append(cell);
			row.element.append(td);
		});
		if (row.event !== undefined) {
			row.element.dataset.event = row.event;
			row.element.onclick = () => go_to(row.event);
		} else if (row.search) {
			row.element.onclick = () => set_search(row.search);
		}
		row.element.onkeydown = (e) => {
			if (e.key === "Enter")
				row.element.click();
		};
		body.append(row.element);
	}
	const top = make("thead");
	top.append(head);
	table.append(top, body);
	$("panel").append(table);
}

function note(text) {
	$("panel").append(make("p", text));
}

function show_violations() {
	const rows = Array.from(dev.violations, (i) => {
		const v = dev.meta.violations[dev.ev.what[i]];
		const place = v.line ? `${dev.meta.model_file} line ${v.line}` : "";
		const range = v.length === "0x0" ? "" : `[${v.address}, +${v.length})`;
		const cells = [at_text(dev.ev.time[i]), number(v.packet), who(v.guest),
			v.offence, v.name, v.rule, range, place];
		return { cells, event: i, sort: [dev.ev.time[i], v.packet, ...cells.slice(2)] };
	});
	if (!rows.length)
		note("Nothing was refused, denied or forced.");
	else
		put_table([["time", true], ["packet", true], ["guest"], ["offence"],
			["where"], ["rule"], ["range"], ["in the model"]], rows);
}

// Counts of accesses: by register, guest, direction and path.
function count_registers() {
	const { ev } = dev, by = new Map();
	for (let i = 0; i < ev.n; i++) {
		if (ev.kind[i] !== ACCESS)
			continue;
		let row = by.get(ev.what[i]);
		if (!row)
			by.set(ev.what[i], row = { all: 0, reads: 0, writes: 0,
				paths: dev.meta.paths.map(() => 0) });
		row.all++;
		row[ev.how[i] & WRITE ? "writes" : "reads"]++;
		row.paths[ev.how[i] & 7]++;
	}
	return by;
}

function bar(paths, most) {
	const sum = paths.reduce((a, b) => a + b, 0), e = make("div", null,
		{ class: "bar", style: `width: ${Math.max(1, 240 * sum / most)}px` });
	paths.forEach((n, k) => {
		if (n)
			e.append(make("i", null, { title: `${dev.meta.paths[k]}: ${number(n)}`,
				style: `width: ${100 * n / sum}%; background: var(--${dev.meta.paths[k]})` }));
	});
	return e;
}

function legend() {
	const e = make("div", null, { class: "legend" });
	dev.meta.paths.forEach((name) => {
		const span = make("span");
		span.append(make("i", null, { style: `background: var(--${name})` }), name);
		e.append(span);
	});
	$("panel").append(e);
}

function show_registers() {
	const by = count_registers();
	const most = Math.max(1, ...Array.from(by.values(), (r) => r.all));
	const rows = Array.from(by, ([reg, r]) => ({
		cells: [register_name(reg), number(r.all), number(r.reads),
			number(r.writes), bar(r.paths, most)],
		sort: [register_name(reg), r.all, r.reads, r.writes, r.all],
		search: register_name(reg) }));
	rows.sort((a, b) => b.sort[1] - a.sort[1]);
	legend();
	put_table([["register"], ["accesses", true], ["reads", true],
		["writes", true], ["by path"]], rows);
}

function show_exits() {
	const { ev } = dev, by = new Map();
	let all = 0;
	for (let i = 0; i < ev.n; i++) {
		if (ev.kind[i] !== ACCESS)
			continue;
		const key = ev.guest[i] << 4 | (ev.how[i] & 15);
		by.set(key, (by.get(key) || 0) + 1);
		all++;
	}
	const most = Math.max(1, ...by.values());
	const rows = Array.from(by, ([key, n]) => {
		const path = dev.meta.paths[key & 7], paths = dev.meta.paths.map(() => 0);
		const way = key & WRITE ? "write" : "read";
		paths[key & 7] = n;
		return { cells: [who(key >> 4), path, way, number(n),
			(100 * n / all).toFixed(1) + " %", bar(paths, most)],
		sort: [who(key >> 4), path, way, n, n, n],
		search: `${who(key >> 4)} ${path} ${way}` };
	});
	rows.sort((a, b) => b.sort[3] - a.sort[3]);
	legend();
	put_table([["guest"], ["path"], ["direction"], ["exits", true],
		["share", true], ["of the most"]], rows);
}

// Times in states: of each segment lane, over all of the trace.
function show_states() {
	const rows = [];
	let guest = "the device";
	for (const lane of dev.lanes) {
		if (lane.kind === "head")
			guest = lane.name;
		if (lane.kind !== "segments")
			continue;
		const sum = new Map([[lane.start, { entered: 0, ns: 0 }]]);
		let value = lane.start, since = 0;
		const leave = (t) => {
			sum.get(value).ns += t - since;
			since = t;
		};
		for (const i of lane.list) {
			leave(dev.ev.time[i]);
			value = dev.ev.what[i];
			if (!sum.has(value))
				sum.set(value, { entered: 0, ns: 0 });
			sum.get(value).entered++;
		}
		leave(dev.whole);
		for (const [v, s] of sum)
			rows.push({ cells: [guest, lane.name, lane.names.get(v) || String(v),
				number(s.entered), span_text(s.ns),
				(100 * s.ns / dev.whole).toFixed(2) + " %"],
			sort: [guest, lane.name, lane.names.get(v), s.entered, s.ns, s.ns],
			search: lane.names.get(v) });
	}
	put_table([["guest"], ["machine"], ["state"], ["entered", true],
		["time", true], ["share", true]], rows);
}

// Only the rows that are seen exist.
function show_events() {
	const list = matches, n = list ? list.length : dev.ev.n;
	const event = (k) => list ? list[k] : k;
	const panel = $("panel"), tall = Math.min(n * ROW, TALLEST);
	const space = make("div", null, { style: `height: ${tall}px` });
	const rows = make("div", null, { class: "rows" });
	const fill = () => {
		const seen = Math.ceil(panel.clientHeight / ROW) + 1;
		const range = Math.max(1, tall - panel.clientHeight);
		const first = n * ROW <= TALLEST ? Math.floor(panel.scrollTop / ROW) :
			Math.round(panel.scrollTop / range * Math.max(0, n - seen + 1));
		rows.style.top = panel.scrollTop + "px";
		rows.textContent = "";
		for (let k = first; k < Math.min(n, first + seen); k++)
			rows.append(event_row(event(k)));
	};
	if (!n)
		note("No event is like this.");
	panel.append(space, rows);
	panel.onscroll = fill;
	if (picked >= 0) {
		const k = list ? seek(dev.ev, list, dev.ev.time[picked]) : picked;
		const top = Math.max(0, k - 3);
		panel.scrollTop = n * ROW <= TALLEST ? top * ROW : top / n * tall;
	}
	fill();
}

function event_row(i) {
	const { ev } = dev;
	const guest = ev.kind[i] === OWNER || ev.guest[i] === NOBODY ? "" :
		who(ev.guest[i]);
	const row = make("div", `${at_text(ev.time[i])}  ` +
		`${String(ev.number[i]).padStart(8)}  ${guest.padEnd(12)}  ` +
		event_text(i));
	if (ev.kind[i] === VIOLATION)
		row.classList.add("bad");
	if (i === picked)
		row.classList.add("picked");
	row.onclick = () => pick(i);
	return row;
}

