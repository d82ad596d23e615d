// SPDX-License-Identifier: MIT
// page.js: the page: what is shown, search, the pointer, keys.  All that comes
// from the trace is put in as text, never as HTML.

const $ = (id) => document.getElementById(id);
const meta = JSON.parse($("meta").textContent);
const SHORTEST = 200;
const TABS = [["Violations", show_violations], ["Registers", show_registers],
	["Exits", show_exits], ["States", show_states], ["Events", show_events]];

let dev = null, tab = 0, picked = -1, marks = new Uint32Array(0), mark = -1;
let matches = null; // of the search; null: there is none
const view = { from: 0, to: 1 };
const devices = [];

function make(tag, text, attributes) {
	const e = document.createElement(tag);
	if (text !== undefined && text !== null)
		e.textContent = text;
	for (const [key, value] of Object.entries(attributes || {}))
		e.setAttribute(key, value);
	return e;
}

const number = (n) => n.toLocaleString("en-US");
const hex = (v) => "0x" + v.toString(16);
const at_text = (ns) => (ns / 1e9).toFixed(9) + " s";

// ---- an event in words ----

function register_name(i) {
	return dev.meta.registers[i] || "no register";
}

function who(guest) {
	return guest === NOBODY ? "nobody" : dev.meta.guests[guest] || `guest ${guest}`;
}

function state_name(machine, state) {
	const s = (dev.meta.machines[machine] || { states: [] }).states
		.find((one) => one.number === state);
	return s ? s.name : String(state);
}

function access_text(i) {
	const { ev } = dev, how = ev.how[i];
	return `${register_name(ev.what[i])} ${how & WRITE ? "write" : "read"} ` +
		`${hex(ev.value[i])}${how & STRING ? " …" : ""} ` +
		dev.meta.paths[how & 7] + (how & HELD ? ", held" : "");
}

function event_text(i) {
	const { ev } = dev, what = ev.what[i];
	switch (ev.kind[i]) {
	case ACCESS: return access_text(i);
	case LINE: return `interrupt line ${what}`;
	case STATE: return `${dev.meta.machines[ev.how[i]].name}: ` +
		`${state_name(ev.how[i], ev.value[i])} to ${state_name(ev.how[i], what)}`;
	case OWNER: return `from ${who(ev.guest[i])} to ${who(what)} in ` +
		`${number(ev.value[i])} ns${ev.how[i] ? ", forced" : ""}`;
	case WINDOW: return what ? "reusable" : "not reusable";
	case VIOLATION: return violation_text(dev.meta.violations[what]);
	}
	return "";
}

function violation_text(v) {
	return `violation: ${v.offence}: ${v.name}: ${v.rule}`;
}

// ---- what is shown ----

let due = false;
function redraw() {
	if (due || !dev)
		return;
	due = true;
	requestAnimationFrame(() => {
		due = false;
		draw();
	});
}

function draw() {
	draw_overview($("overview"), dev, view, marks, matches ? "--accent" : "--bad");
	draw_timeline($("timeline"), dev, view, picked);
	const step = (view.to - view.from) / 1000;
	$("range").textContent = `${time_text(view.from, step)} + ` +
		span_text(view.to - view.from);
}

function show_range(from, to) {
	const span = Math.min(Math.max(to - from, SHORTEST), dev.whole);
	view.from = Math.min(Math.max(from, 0), dev.whole - span);
	view.to = view.from + span;
	redraw();
}

function zoom(factor, at) {
	const span = (view.to - view.from) * factor;
	const middle = at === undefined ? (view.from + view.to) / 2 : at;
	const left = (middle - view.from) / (view.to - view.from);
	show_range(middle - span * left, middle + span * (1 - left));
}

function move(share) {
	const by = (view.to - view.from) * share;
	show_range(view.from + by, view.to + by);
}

// Choose event (i): seen in the timeline and in the table of events.
function pick(i) {
	picked = i;
	if (i >= 0) {
		const t = dev.ev.time[i], span = view.to - view.from;
		if (t < view.from || t > view.to)
			show_range(t - span / 2, t + span / 2);
	}
	if (tab === 4)
		show_tab(4);
	else
		for (const row of document.querySelectorAll("#panel tr"))
			row.classList.toggle("picked", Number(row.dataset.event) === i);
	redraw();
}

function go_to(i) {
	const span = Math.min(view.to - view.from, dev.whole / 50);
	const head = dev.lanes.findIndex((lane) => lane.guest === dev.ev.guest[i]);
	const box = $("lanes"), top = AXIS + LANE * head;
	if (head >= 0 && (top < box.scrollTop || top + 4 * LANE > box.scrollTop +
		box.clientHeight))
		box.scrollTop = top - 3 * LANE;
	show_range(dev.ev.time[i] - span / 2, dev.ev.time[i] + span / 2);
	pick(i);
}

// ---- search ----

// What a word can mean, looked up once; then events are compared by number.
function meaning(word) {
	const has = (text) => text.toLowerCase().includes(word);
	const registers = dev.meta.registers.map(has);
	const states = new Set(), kinds = new Set();
	dev.meta.machines.forEach((m) => m.states.forEach((s) => {
		if (has(m.name) || has(s.name))
			states.add(s.number);
	}));
	["", "access", "interrupt line", "state", "owner switch", "reusable",
		"violation"].forEach((name, k) => {
		if (k && word.length > 2 && name.split(" ").some((w) => w.startsWith(word)))
			kinds.add(k);
	});
	const violations = dev.meta.violations.map((v) => has(violation_text(v)));
	return { registers, states, kinds, violations,
		guests: new Set(dev.meta.guests.flatMap((n, g) => has(n) ? [g] : [])),
		paths: new Set(dev.meta.paths.flatMap((n, k) => n === word ? [k] : [])),
		write: word === "write" ? WRITE : word === "read" ? 0 : -1,
		held: word === "held",
		forced: word === "forced",
		value: /^(0x[0-9a-f]+|\d+)$/.test(word) ? Number(word) : -1,
		packet: /^\d+$/.test(word) ? Number(word) : -1 };
}

function is_meant(m, i) {
	const { ev } = dev, kind = ev.kind[i], what = ev.what[i];
	if (m.kinds.has(kind) || m.guests.has(ev.guest[i]) ||
		ev.number[i] === m.packet)
		return true;
	switch (kind) {
	case ACCESS:
		return m.registers[what] || m.paths.has(ev.how[i] & 7) ||
			(ev.how[i] & WRITE) === m.write || ev.value[i] === m.value ||
			(m.held && (ev.how[i] & HELD) !== 0);
	case STATE: return m.states.has(what);
	case OWNER: return m.guests.has(what) || (m.forced && ev.how[i] === 1);
	case VIOLATION: return m.violations[what];
	}
	return false;
}

function search(text) {
	const words = text.toLowerCase().split(/\s+/)
		.filter((w) => w && w !== "packet");
	const meant = words.map(meaning), found = [];
	matches = null;
	mark = -1;
	if (words.length) {
		for (let i = 0; i < dev.ev.n; i++)
			if (dev.ev.kind[i] !== GAP && meant.every((m) => is_meant(m, i)))
				found.push(i);
		matches = Uint32Array.from(found);
	}
	marks = matches || dev.violations;
	$("found").textContent = matches ? `${number(matches.length)} found` : "";
	if (tab === 4)
		show_tab(4);
	redraw();
}

function step_mark(by) {
	if (!marks.length)
		return;
	if (mark < 0) {
		mark = seek(dev.ev, marks, view.from);
		if (by < 0)
			mark -= 1;
	} else {
		mark += by;
	}
	mark = (mark + marks.length) % marks.length;
	$("found").textContent = `${number(mark + 1)} of ${number(marks.length)}`;
	go_to(marks[mark]);
}

function next_violation() {
	const list = dev.violations;
	if (list.length) {
		const from = picked >= 0 ? dev.ev.time[picked] : -1;
		let i = seek(dev.ev, list, from);
		while (i < list.length && list[i] <= picked)
			i++;
		go_to(list[i % list.length]);
	}
}

// ---- the table that is shown ----

function show_tab(k) {
	const panel = $("panel");
	tab = k;
	panel.textContent = "";
	panel.onscroll = null;
	panel.scrollTop = 0;
	[...$("tabs").children].forEach((b, i) => {
		b.setAttribute("aria-selected", i === k);
		b.tabIndex = i === k ? 0 : -1;
	});
	TABS[k][1]();
}

// ---- the pointer ----

function lane_at(y) {
	return dev.lanes[Math.floor((y - AXIS) / LANE)];
}

function segment_text(lane, t) {
	const { ev } = dev, i = seek(ev, lane.list, t);
	const from = i ? ev.time[lane.list[i - 1]] : 0;
	const to = i < lane.list.length ? ev.time[lane.list[i]] : dev.whole;
	const value = i ? ev.what[lane.list[i - 1]] : lane.start;
	return `${lane.name}: ${lane.names.get(value) || value}\n` +
		`for ${span_text(to - from)}, from ${at_text(from)}`;
}

function counts_text(lane, from, to) {
	const { ev } = dev, lines = [];
	let only = -1, sum = 0;
	for (const part of lane.parts) {
		const a = seek(ev, part.list, from), b = seek(ev, part.list, to);
		sum += b - a;
		if (b > a) {
			lines.push(`${part.name}: ${number(b - a)}`);
			only = part.list[a];
		}
	}
	if (sum === 1)
		return `${at_text(ev.time[only])}, packet ${ev.number[only]}\n` +
			event_text(only);
	return sum ? `${lane.name}, ${span_text(to - from)}\n` +
		lines.join("\n") : "";
}

function tip_text(lane, x) {
	const scale = (view.to - view.from) / $("timeline").clientWidth;
	const t = view.from + x * scale;
	if (!lane)
		return "";
	if (lane.kind === "segments")
		return segment_text(lane, t);
	if (lane.kind === "counts")
		return counts_text(lane, t - scale, t + 2 * scale);
	const i = seek(dev.ev, lane.violations, t - 5 * scale);
	if (i < lane.violations.length && dev.ev.time[lane.violations[i]] < t + 5 * scale)
		return event_text(lane.violations[i]);
	return "";
}

function show_tip(e) {
	const text = tip_text(lane_at(e.offsetY), e.offsetX), tip = $("tip");
	tip.hidden = !text;
	tip.textContent = text;
	tip.style.left = Math.min(e.clientX + 14, innerWidth - tip.offsetWidth - 8) + "px";
	tip.style.top = Math.min(e.clientY + 16, innerHeight - tip.offsetHeight - 8) + "px";
}

// The event of a lane that is nearest to a click.
function nearest(lane, x) {
	const { ev } = dev, scale = (view.to - view.from) / $("timeline").clientWidth;
	const t = view.from + x * scale;
	const lists = lane.kind === "head" ? [lane.violations] :
		lane.kind === "counts" ? lane.parts.map((p) => p.list) : [lane.list];
	let best = -1, far = 8 * scale;
	for (const list of lists) {
		const i = seek(ev, list, t);
		for (const k of [i - 1, i]) {
			const d = k >= 0 && k < list.length ? Math.abs(ev.time[list[k]] - t) :
				Infinity;
			if (d < far) {
				best = list[k];
				far = d;
			}
		}
	}
	return best;
}

function listen_timeline() {
	const canvas = $("timeline");
	let drag = null;
	canvas.onpointerdown = (e) => {
		drag = { x: e.clientX, from: view.from, to: view.to, moved: false };
		canvas.setPointerCapture(e.pointerId);
	};
	canvas.onpointermove = (e) => {
		if (!drag) {
			show_tip(e);
			return;
		}
		const by = (drag.x - e.clientX) / canvas.clientWidth * (drag.to - drag.from);
		drag.moved = drag.moved || Math.abs(drag.x - e.clientX) > 3;
		show_range(drag.from + by, drag.to + by);
	};
	canvas.onpointerup = (e) => {
		const lane = lane_at(e.offsetY);
		if (drag && !drag.moved && lane)
			pick(nearest(lane, e.offsetX));
		drag = null;
	};
	canvas.onpointerleave = () => $("tip").hidden = true;
	canvas.addEventListener("wheel", (e) => {
		if (!e.ctrlKey && !e.metaKey && Math.abs(e.deltaX) <= Math.abs(e.deltaY))
			return; // the lanes scroll
		e.preventDefault();
		if (e.ctrlKey || e.metaKey)
			zoom(Math.exp(e.deltaY / 300), view.from + e.offsetX /
				canvas.clientWidth * (view.to - view.from));
		else
			move(e.deltaX / canvas.clientWidth);
	}, { passive: false });
	canvas.ondblclick = (e) => zoom(0.25, view.from + e.offsetX /
		canvas.clientWidth * (view.to - view.from));
}

function listen_overview() {
	const canvas = $("overview");
	let start = null;
	const at = (e) => e.offsetX / canvas.clientWidth * dev.whole;
	canvas.onpointerdown = (e) => {
		start = at(e);
		canvas.setPointerCapture(e.pointerId);
	};
	canvas.onpointermove = (e) => {
		if (start !== null && Math.abs(at(e) - start) > dev.whole / 200)
			show_range(Math.min(start, at(e)), Math.max(start, at(e)));
	};
	canvas.onpointerup = (e) => {
		const span = view.to - view.from;
		if (Math.abs(at(e) - start) <= dev.whole / 200)
			show_range(at(e) - span / 2, at(e) + span / 2);
		start = null;
	};
}

// ---- keys ----

const KEYS = {
	"+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2),
	"0": () => show_range(0, dev.whole), "ArrowLeft": () => move(-0.2),
	"ArrowRight": () => move(0.2), "/": () => $("search").focus(),
	"n": () => step_mark(1), "p": () => step_mark(-1), "v": next_violation,
	"t": change_theme, "?": () => $("help").showModal(),
	"Escape": () => pick(-1),
};
for (let k = 0; k < TABS.length; k++)
	KEYS[String(k + 1)] = () => show_tab(k);

function on_key(e) {
	if (e.target === $("search")) {
		if (e.key === "Enter")
			step_mark(e.shiftKey ? -1 : 1);
		else if (e.key === "Escape")
			$("lanes").focus();
		return;
	}
	if (e.ctrlKey || e.metaKey || e.altKey || $("help").open || !KEYS[e.key] ||
		e.target.tagName === "SELECT")
		return;
	if (e.target.role === "tab" && e.key.startsWith("Arrow")) {
		const by = e.key === "ArrowRight" ? 1 : TABS.length - 1;
		show_tab((tab + by) % TABS.length);
		$("tabs").children[tab].focus();
	} else {
		KEYS[e.key]();
	}
	e.preventDefault();
}

function change_theme() {
	const root = document.documentElement;
	root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
	colours.clear();
	redraw();
}

function set_search(text) {
	$("search").value = text;
	search(text);
	if (marks.length)
		step_mark(1);
}

// ---- beginning ----

function put_names() {
	const names = $("names");
	names.textContent = "";
	for (const lane of dev.lanes) {
		const row = make("div", null, { title: lane.name });
		if (lane.kind === "head") {
			row.className = "head";
			row.append(make("i", null, { style:
				`background: ${PALETTE[lane.guest % PALETTE.length]}` }));
		}
		row.append(lane.name);
		names.append(row);
	}
}

function verdict(m) {
	if (m.difference.packet)
		return `different at packet ${number(m.difference.packet)}: expected ` +
			`${m.difference.expected}, came ${m.difference.came}`;
	if (m.lost)
		return `${number(m.lost)} records are missing`;
	if (m.violations_in_all)
		return `${number(m.violations_in_all)} violations`;
	return m.exact ? "identical to what was recorded" : "no violation";
}

function put_summary() {
	const m = dev.meta, bad = m.difference.packet || m.lost || m.violations_in_all;
	$("summary").textContent = `${m.file}: ${m.name || "device"}, ${m.model}, ` +
		`${m.guests.length} guest${m.guests.length === 1 ? "" : "s"}, ` +
		`${span_text(dev.whole)}, ${number(m.events)} events` +
		(m.left_out ? `; ${number(m.left_out)} more are not shown: ` +
			"vpio trace cut makes a shorter trace" : "");
	$("summary").title = $("summary").textContent;
	$("verdict").textContent = verdict(m);
	$("verdict").className = bad ? "bad" : "good";
}

async function load(k) {
	if (!devices[k]) {
		const node = $(`data${k}`), m = meta.devices[k];
		const one = { meta: m, ev: columns(await unpack(node.textContent), m.events) };
		node.remove();
		one.whole = Math.max(one.ev.end, SHORTEST);
		one.lanes = make_lanes(one);
		one.violations = Uint32Array.from(one.ev.kind.reduce((list, kind, i) => {
			if (kind === VIOLATION)
				list.push(i);
			return list;
		}, []));
		const accesses = [];
		for (let i = 0; i < one.ev.n; i++)
			if (one.ev.kind[i] === ACCESS)
				accesses.push(i);
		one.all = counts("accesses", [{ name: "accesses", colour: "--answer",
			list: Uint32Array.from(accesses) }]);
		devices[k] = one;
	}
	dev = devices[k];
	picked = -1;
	put_names();
	put_summary();
	search($("search").value);
	show_range(0, dev.whole);
	show_tab(dev.violations.length ? 0 : 1);
	draw();
}

async function start() {
	if (!window.DecompressionStream)
		throw new Error("This browser is too old: it has no DecompressionStream.");
	document.documentElement.dataset.theme =
		matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
	$("version").textContent = meta.version;
	meta.devices.forEach((m, k) => $("device").append(
		make("option", m.name || `device ${k}`, { value: k })));
	$("device").hidden = meta.devices.length < 2;
	$("device").onchange = () => load(Number($("device").value));
	TABS.forEach(([name], k) => {
		const b = make("button", name, { role: "tab", title: `${name} (${k + 1})` });
		b.onclick = () => show_tab(k);
		$("tabs").append(b);
	});
	$("fit").onclick = () => show_range(0, dev.whole);
	$("zoomin").onclick = () => zoom(0.5);
	$("zoomout").onclick = () => zoom(2);
	$("theme").onclick = change_theme;
	$("keys").onclick = () => $("help").showModal();
	$("next").onclick = () => step_mark(1);
	$("previous").onclick = () => step_mark(-1);
	$("search").oninput = () => search($("search").value);
	addEventListener("keydown", on_key);
	new ResizeObserver(redraw).observe($("lanes"));
	if (!meta.devices.length)
		throw new Error("There is no device in this trace.");
	await load(0);
	listen_timeline();
	listen_overview();
}

const ready = start().then(() => document.body.dataset.ready = "yes", (error) => {
	$("summary").textContent = String(error.message || error);
	$("verdict").textContent = "cannot be shown";
	$("verdict").className = "bad";
	document.body.dataset.ready = "no";
});
