// SPDX-License-Identifier: MIT
// page_draw.js: a device's events out of the page's columns, lanes of them,
// and the lanes' drawing.  Every pixel costs a few binary searches, however
// many events there are.

const GAP = 0, ACCESS = 1, LINE = 2, STATE = 3, OWNER = 4, WINDOW = 5,
	VIOLATION = 6;
const WRITE = 8, HELD = 16, STRING = 32, NOBODY = 255, NO_REGISTER = 0xffff;
const LANE = 22, AXIS = 22, SAMPLES = 8;
const PALETTE = ["#4f8fd6", "#e08a1e", "#3fa66a", "#b564c4", "#d4574e",
	"#2aa7b0", "#a68a2b", "#7a6fe0", "#c95b96", "#6b9a2f", "#5a7f9e",
	"#d9793c", "#4ab58e", "#9a6b4f", "#8d8fd8", "#c2a23a"];

// ---- events ----

async function unpack(text) {
	const packed = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
	const stream = new Blob([packed]).stream()
		.pipeThrough(new DecompressionStream("deflate"));
	return new Response(stream).arrayBuffer();
}

// Columns of numbers; time is in nanoseconds since the first event.
function columns(bytes, n) {
	const step = new Uint32Array(bytes, 0, n);
	const ev = {
		n,
		time: new Float64Array(n),
		number: new Uint32Array(bytes, 4 * n, n),
		value: new Uint32Array(bytes, 8 * n, n),
		what: new Uint16Array(bytes, 12 * n, n),
		kind: new Uint8Array(bytes, 14 * n, n),
		guest: new Uint8Array(bytes, 15 * n, n),
		how: new Uint8Array(bytes, 16 * n, n),
	};
	for (let i = 0, t = 0; i < n; i++)
		ev.time[i] = t += step[i];
	ev.end = n ? ev.time[n - 1] : 0;
	return ev;
}

// The first in (list) of events at (t) or later.
function seek(ev, list, t) {
	let low = 0, high = list.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (ev.time[list[middle]] < t)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

// ---- lanes ----

class Lists { // events by a key
	constructor() {
		this.by = new Map();
	}
	add(key, i) {
		let list = this.by.get(key);
		if (!list)
			this.by.set(key, list = []);
		list.push(i);
	}
	get(key) {
		return Uint32Array.from(this.by.get(key) || []);
	}
}

function sort_events(dev) {
	const { ev, meta } = dev, lists = new Lists();
	const bell = new Set(meta.doorbells);
	for (let i = 0; i < ev.n; i++) {
		const g = ev.guest[i], path = ev.how[i] & 7;
		switch (ev.kind[i]) {
		case ACCESS:
			lists.add(`path ${g} ${path}`, i);
			if (ev.how[i] & WRITE && bell.has(ev.what[i]))
				lists.add(`doorbell ${g}`, i);
			break;
		case LINE:
			if (ev.what[i])
				lists.add(`line ${g}`, i);
			break;
		case STATE: lists.add(`state ${g} ${ev.how[i]}`, i); break;
		case OWNER: lists.add("owner", i); break;
		case WINDOW: lists.add("window", i); break;
		case VIOLATION: lists.add(`violation ${g}`, i); break;
		}
	}
	return lists;
}

// A lane of segments: (start) is its value before the first of (list).
function segments(name, list, start, names, colour) {
	return { name, kind: "segments", list, start, names, colour };
}

// A lane of counts, stacked; each of (parts) has a list and a colour.
function counts(name, parts) {
	return { name, kind: "counts", parts: parts.filter((p) => p.list.length) };
}

function guest_lanes(dev, lists, g) {
	const { meta } = dev, lanes = [];
	const paths = meta.paths.map((name, k) => (
		{ name, list: lists.get(`path ${g} ${k}`), colour: `--${name}` }));
	const head = { name: meta.guests[g], kind: "head", guest: g,
		violations: lists.get(`violation ${g}`) };
	lanes.push(head);
	meta.machines.forEach((m, k) => {
		const names = new Map(m.states.map((s) => [s.number, s.name]));
		const order = m.states.map((s) => s.number);
		lanes.push(segments(m.name, lists.get(`state ${g} ${k}`), order[0],
			names, (v) => v === order[0] ? "--idle" :
				PALETTE[(order.indexOf(v) + k) % PALETTE.length]));
	});
	lanes.push(counts("doorbells",
		[{ name: "doorbell", list: lists.get(`doorbell ${g}`), colour: "--hook" }]));
	lanes.push(counts("interrupts",
		[{ name: "interrupt", list: lists.get(`line ${g}`), colour: "--accent" }]));
	lanes.push(counts("exits by path", paths));
	return lanes;
}

function make_lanes(dev) {
	const lists = sort_events(dev), { meta } = dev;
	const who = new Map(meta.guests.map((name, g) => [g, name]));
	who.set(NOBODY, "nobody");
	const lanes = [
		segments("owner", lists.get("owner"), meta.owner, who,
			(g) => g === NOBODY ? "--idle" : PALETTE[g % PALETTE.length]),
		segments("reusable", lists.get("window"), 0,
			new Map([[0, "not reusable"], [1, "reusable"]]),
			(v) => v ? "--rest" : "--lane"),
	];
	meta.guests.forEach((name, g) => lanes.push(...guest_lanes(dev, lists, g)));
	return lanes;
}

// ---- drawing ----

const colours = new Map(); // of the theme
function colour(name) {
	if (!name.startsWith("--"))
		return name;
	if (!colours.has(name))
		colours.set(name, getComputedStyle(document.documentElement)
			.getPropertyValue(name).trim());
	return colours.get(name);
}

function value_at(dev, lane, t) {
	const i = seek(dev.ev, lane.list, t);
	// what happens at (t) itself counts
	let last = i;
	while (last < lane.list.length && dev.ev.time[lane.list[last]] <= t)
		last++;
	return last ? dev.ev.what[lane.list[last - 1]] : lane.start;
}

// Several changes in one pixel: divided as a few looks into it say.
function draw_mixed(g, dev, lane, x, y, from, to) {
	const share = new Map();
	for (let k = 0; k < SAMPLES; k++) {
		const v = value_at(dev, lane, from + (to - from) * (k + 0.5) / SAMPLES);
		share.set(v, (share.get(v) || 0) + 1);
	}
	let top = y;
	for (const [v, n] of share) {
		const h = (LANE - 6) * n / SAMPLES;
		g.fillStyle = colour(lane.colour(v));
		g.fillRect(x, top, 1, h);
		top += h;
	}
}

function draw_segments(g, dev, lane, y, view, width) {
	const { ev } = dev, { list } = lane, scale = (view.to - view.from) / width;
	let i = seek(ev, list, view.from), x = 0;
	let value = i ? ev.what[list[i - 1]] : lane.start;
	while (x < width) {
		const end = view.from + (x + 1) * scale;
		const next = i < list.length ? ev.time[list[i]] : Infinity;
		if (next >= end) { // nothing changes up to (stop)
			const stop = Math.min(width, next === Infinity ? width :
				Math.max(x + 1, Math.floor((next - view.from) / scale)));
			g.fillStyle = colour(lane.colour(value));
			g.fillRect(x, y, stop - x, LANE - 6);
			draw_label(g, lane.names.get(value), x, stop, y,
				!lane.colour(value).startsWith("--"));
			x = stop;
			continue;
		}
		draw_mixed(g, dev, lane, x, y, end - scale, end);
		i = seek(ev, list, end);
		value = ev.what[list[i - 1]];
		x++;
	}
}

function draw_label(g, text, from, to, y, strong) {
	if (!text || to - from < 34)
		return;
	g.fillStyle = strong ? "#fff" : colour("--dim");
	const room = Math.floor((to - from - 8) / 6.2);
	g.fillText(text.length > room ? text.slice(0, room - 1) + "…" : text,
		from + 4, y + 11.5);
}

// Counts of a lane in each pixel: part by part.
function count_pixels(dev, lane, view, width) {
	const scale = (view.to - view.from) / width;
	const at = lane.parts.map(() => new Uint32Array(width));
	let most = 0;
	lane.parts.forEach((part, k) => {
		let before = seek(dev.ev, part.list, view.from);
		for (let x = 0; x < width; x++) {
			const i = seek(dev.ev, part.list, view.from + (x + 1) * scale);
			at[k][x] = i - before;
			before = i;
		}
	});
	for (let x = 0; x < width; x++) {
		let sum = 0;
		for (const part of at)
			sum += part[x];
		most = Math.max(most, sum);
	}
	return { at, most };
}

function draw_counts(g, dev, lane, y, view, width) {
	const { at, most } = count_pixels(dev, lane, view, width);
	const height = LANE - 6;
	for (let x = 0; x < width && most; x++) {
		let sum = 0, bottom = y + height;
		for (const part of at)
			sum += part[x];
		if (!sum)
			continue;
		// a single one is seen, too
		const h = Math.max(3, height * Math.sqrt(sum / most));
		lane.parts.forEach((part, k) => {
			if (!at[k][x])
				return;
			const piece = h * at[k][x] / sum;
			g.fillStyle = colour(part.colour);
			g.fillRect(x, bottom - piece, 1, piece);
			bottom -= piece;
		});
	}
}

function draw_violations(g, dev, lane, y, height, view, width) {
	const { ev } = dev, { violations } = lane;
	const scale = (view.to - view.from) / width;
	g.fillStyle = colour("--bad");
	for (let x = 0, i = seek(ev, violations, view.from);
		i < violations.length; i = Math.max(i + 1,
			seek(ev, violations, view.from + (x + 1) * scale))) {
		x = Math.floor((ev.time[violations[i]] - view.from) / scale);
		if (x >= width)
			return;
		g.beginPath();
		g.moveTo(x - 4, y + 3);
		g.lineTo(x + 5, y + 3);
		g.lineTo(x + 0.5, y + 12);
		g.fill();
		g.globalAlpha = 0.35;
		g.fillRect(x, y + 12, 1, height - 14);
		g.globalAlpha = 1;
	}
}

function time_text(ns, step) {
	const unit = step >= 1e9 ? ["s", 1e9] : step >= 1e6 ? ["ms", 1e6] :
		step >= 1e3 ? ["µs", 1e3] : ["ns", 1];
	const digits = Math.max(0, Math.ceil(-Math.log10(step / unit[1]) - 1e-9));
	return (ns / unit[1]).toFixed(Math.min(digits, 3)) + " " + unit[0];
}

// A length of time: four digits or so, in the unit that fits.
function span_text(ns) {
	const unit = ns >= 1e9 ? ["s", 1e9] : ns >= 1e6 ? ["ms", 1e6] :
		ns >= 1e3 ? ["µs", 1e3] : ["ns", 1];
	const v = ns / unit[1];
	return `${v.toFixed(ns < 1e3 || v >= 100 ? 0 : v >= 10 ? 1 : 2)} ${unit[0]}`;
}

function draw_axis(g, view, width, height) {
	const span = view.to - view.from, rough = span * 110 / width;
	const power = Math.pow(10, Math.floor(Math.log10(rough)));
	const step = power * [1, 2, 5, 10].find((m) => m * power >= rough);
	g.font = "11px system-ui, sans-serif";
	for (let t = Math.ceil(view.from / step) * step; t <= view.to; t += step) {
		const x = Math.round((t - view.from) / span * width);
		g.fillStyle = colour("--line");
		g.fillRect(x, AXIS - 6, 1, height);
		g.fillStyle = colour("--dim");
		g.fillText(time_text(t, step), x + 4, 14);
	}
}

function fit_canvas(canvas, width, height) {
	const ratio = window.devicePixelRatio || 1, g = canvas.getContext("2d");
	if (canvas.width !== Math.round(width * ratio) ||
		canvas.height !== Math.round(height * ratio)) {
		canvas.width = Math.round(width * ratio);
		canvas.height = Math.round(height * ratio);
		canvas.style.height = height + "px";
	}
	g.setTransform(ratio, 0, 0, ratio, 0, 0);
	g.clearRect(0, 0, width, height);
	return g;
}

function draw_timeline(canvas, dev, view, picked) {
	const width = canvas.clientWidth, { lanes } = dev;
	const height = AXIS + LANE * lanes.length;
	const g = fit_canvas(canvas, width, height);
	draw_axis(g, view, width, height);
	lanes.forEach((lane, k) => {
		const y = AXIS + LANE * k + 3;
		if (lane.kind === "segments")
			draw_segments(g, dev, lane, y, view, width);
		else if (lane.kind === "counts")
			draw_counts(g, dev, lane, y, view, width);
	});
	lanes.forEach((lane, k) => {
		if (lane.kind !== "head")
			return;
		let next = lanes.findIndex((l, i) => i > k && l.kind === "head");
		if (next < 0)
			next = lanes.length;
		draw_violations(g, dev, lane, AXIS + LANE * k, LANE * (next - k), view,
			width);
	});
	if (picked >= 0) {
		const x = (dev.ev.time[picked] - view.from) / (view.to - view.from);
		g.fillStyle = colour("--text");
		g.fillRect(Math.round(x * width), 0, 1, height);
	}
}

function draw_overview(canvas, dev, view, marks, mark_colour) {
	const width = canvas.clientWidth, all = { from: 0, to: dev.whole };
	const g = fit_canvas(canvas, width, 44), at = (t) => t / dev.whole * width;
	g.font = "11px system-ui, sans-serif";
	draw_segments(g, dev, Object.assign({}, dev.lanes[0], { names: new Map() }),
		3, all, width);
	draw_counts(g, dev, dev.all, 22, all, width);
	g.fillStyle = colour(mark_colour);
	for (let i = 0; i < marks.length;) {
		const x = Math.floor(at(dev.ev.time[marks[i]]));
		g.fillRect(x, 19, 1, 3);
		i = Math.max(i + 1, seek(dev.ev, marks, (x + 1) / width * dev.whole));
	}
	g.fillStyle = colour("--pick");
	g.fillRect(0, 0, at(view.from), 44);
	g.fillRect(at(view.to), 0, width, 44);
	g.strokeStyle = colour("--accent");
	g.strokeRect(at(view.from) + 0.5, 0.5,
		Math.max(2, at(view.to) - at(view.from) - 1), 43);
}
