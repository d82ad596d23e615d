#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# page.py: the page of vpio replay --report, in a headless Chromium.
#
#   tests/page.py VPIO MODEL BASE DIRECTORY [SCREENSHOT]
#
# BASE is a trace that was imported for MODEL (ne2k-pci); from it others are
# made in DIRECTORY.  A line a test: "ok NAME" or "not ok NAME: why".
# Environment: EVENTS (1000000) of the long one, SLACK (1): how many times
# slower than its bounds this machine may be.
import json, os, statistics, struct, subprocess, sys, time
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

vpio, model, base, where = sys.argv[1:5]
EVENTS = int(os.environ.get("EVENTS", "1000000"))
SLACK = float(os.environ.get("SLACK", "1"))
failed = 0


# ---- traces: the blocks of one, made into another ----

def blocks(data):
    at = 0
    while at < len(data):
        kind, size = struct.unpack_from("<II", data, at)
        yield kind, data[at:at + size]
        at += size


def packet(block, ns, body):
    interface = struct.unpack_from("<I", block, 8)[0]
    body_len = len(body)
    body += bytes(-body_len % 4)
    size = 32 + len(body)
    return struct.pack("<IIIIIII", 6, size, interface, ns >> 32, ns & 0xffffffff,
                       body_len, body_len) + body + struct.pack("<I", size)


def split(path):
    """Blocks before the first record, the model's record, accesses."""
    before, first, accesses = [], None, []
    for kind, block in blocks(open(path, "rb").read()):
        if kind != 6:
            before.append(block)
            continue
        high, low, length = struct.unpack_from("<III", block, 12)
        body = block[28:28 + length]
        if body[1] == 1:
            first = (block, body)
        elif body[1] == 2:
            accesses.append((block, high << 32 | low, body))
    return before, first, accesses


def access(off, value, width=1, write=1, guest=0):
    """A record without its sequence."""
    data = value.to_bytes(width, "little")
    body = struct.pack("<QQIIBBBBBB2xI4x", off, 0, 1, 1, 0, width, write, 0, 1,
                       0, 0) + data
    return struct.pack("<BBBBI", 1, 2, 0, guest, len(body)), body


def write_trace(path, before, first, records):
    """(records): (block, ns, head without sequence, body)."""
    with open(path, "wb") as out:
        for block in before:
            out.write(block)
        block, body = first
        out.write(packet(block, records[0][1], body))
        for sequence, (block, ns, head, rest) in enumerate(records, 1):
            out.write(packet(block, ns, head + struct.pack("<Q", sequence) + rest))


def long_trace(path, events):
    before, first, accesses = split(base)
    span = accesses[-1][1] - accesses[0][1] + 1000
    records, turn = [], 0
    while len(records) < events:
        for block, ns, body in accesses[:events - len(records)]:
            records.append((block, ns + turn * span, body[:8], body[16:]))
        turn += 1
    write_trace(path, before, first, records)


def bad_trace(path):
    """The driver's first 2,000 accesses, then a read of what is nobody's."""
    before, first, accesses = split(base)
    records = [(b, ns, body[:8], body[16:]) for b, ns, body in accesses[:2000]]
    block, ns = records[-1][0], records[-1][1]
    for off, value in ((0, 0x22), (8, 0), (9, 0x80), (10, 0xff), (11, 0xff),
                       (0, 0x0a)):
        ns += 1000
        records.append((block, ns, *access(off, value)))
    write_trace(path, before, first, records)


def page_of(trace, *options, status=(0,)):
    html = trace + ".html"
    r = subprocess.run([vpio, "replay", "--model", model, "--report", html,
                        "--json", trace + ".json", *options, trace],
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert r.returncode in status, (r.returncode, r.stderr)
    return html, json.load(open(trace + ".json"))


# ---- the browser ----

def browser():
    o = webdriver.ChromeOptions()
    o.binary_location = "/usr/bin/chromium"
    for a in ("--headless=new", "--no-sandbox", "--disable-gpu",
              "--window-size=1360,960", "--force-color-profile=srgb",
              "--disable-dev-shm-usage", f"--user-data-dir={where}/profile"):
        o.add_argument(a)
    o.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.chrome.service.Service("/usr/bin/chromedriver")
    d = webdriver.Chrome(service=service, options=o)
    d.set_page_load_timeout(120)
    d.set_script_timeout(120)
    return d


def open_page(d, html):
    begin = time.monotonic()
    d.get("file://" + os.path.abspath(html))
    while d.execute_script("return document.body.dataset.ready") is None:
        assert time.monotonic() - begin < 60 * SLACK, "never ready"
        time.sleep(0.02)
    assert d.execute_script("return document.body.dataset.ready") == "yes", \
        d.find_element(By.ID, "summary").text
    return time.monotonic() - begin


def js(d, code, *args):
    return d.execute_script(code, *args)


def keys(d, *what):
    ActionChains(d).send_keys(*what).perform()


def text(d, name):
    return d.find_element(By.ID, name).text


# ---- tests ----

def plain(d, trace, summary):
    """What the page says is what the replay counted."""
    n = summary["accesses"]
    assert js(d, "return dev.all.parts[0].list.length") == n, n
    keys(d, "3")
    shown = js(d, "return [...document.querySelectorAll('#panel tbody tr')]"
               ".map(r => Number(r.cells[3].textContent.replace(/,/g, '')))")
    assert sum(shown) == n, (sum(shown), n)
    paths = summary["devices"][0]["paths"]
    by_path = js(d, "return dev.meta.paths.map((_, k) => dev.lanes.filter("
                 "l => l.name === 'exits by path').flatMap(l => l.parts)"
                 ".filter(p => p.name === dev.meta.paths[k])"
                 ".reduce((a, p) => a + p.list.length, 0))")
    assert by_path == list(paths.values()), (by_path, paths)
    keys(d, "4")
    assert "running" in text(d, "panel")
    assert text(d, "verdict") == "no violation", text(d, "verdict")


def states_are_drawn(d, trace, summary):
    """Every lane that has events has pixels that are not the background's."""
    empty = js(d, """
        const c = document.getElementById('timeline'), g = c.getContext('2d');
        const r = devicePixelRatio, bad = [];
        dev.lanes.forEach((lane, k) => {
            const some = lane.kind === 'segments' ||
                (lane.kind === 'counts' && lane.parts.length > 0);
            const d = g.getImageData(0, (AXIS + LANE * k + 4) * r, c.width,
                                     (LANE - 8) * r).data;
            const seen = new Set();
            for (let i = 0; i < d.length; i += 4)
                if (d[i + 3])
                    seen.add(d[i] << 16 | d[i + 1] << 8 | d[i + 2]);
            if (some !== seen.size > 1)
                bad.push(lane.name);
        });
        return bad""")
    # the axis' lines are one colour; one owner all the time is another
    assert not empty, empty


def asks_for_nothing(d, trace, summary):
    assert js(d, "return performance.getEntriesByType('resource').length") == 0
    js(d, "const i = new Image(); i.src = 'http://127.0.0.1:9/x.png';"
       "document.body.append(i); i.remove()")
    time.sleep(0.2)
    log = [e["message"] for e in d.get_log("browser")
           if e["level"] == "SEVERE"]
    assert any("Content Security Policy" in m for m in log), log
    assert not [m for m in log if "Content Security Policy" not in m], log


def zoom_and_move(d, trace, summary):
    whole = js(d, "return dev.whole")
    d.find_element(By.ID, "lanes").click()
    keys(d, "0")
    keys(d, "+", "+")
    a = js(d, "return [view.from, view.to]")
    assert abs((a[1] - a[0]) - whole / 4) < whole / 100, (a, whole)
    keys(d, Keys.ARROW_RIGHT)
    b = js(d, "return [view.from, view.to]")
    assert b[0] > a[0] and abs(b[1] - b[0] - (a[1] - a[0])) < 1, (a, b)
    for _ in range(40):
        keys(d, "+")
    assert abs(js(d, "return view.to - view.from") - 200) < 1
    keys(d, "0")
    assert js(d, "return [view.from, view.to]") == [0, whole]
    canvas = d.find_element(By.ID, "timeline")
    keys(d, "+")
    ActionChains(d).drag_and_drop_by_offset(canvas, -200, 0).perform()
    assert js(d, "return view.from") > whole / 4
    keys(d, "0")


def find(d, trace, summary):
    keys(d, "/")
    keys(d, "isr write")
    n = js(d, "return matches.length")
    want = js(d, "return dev.all.parts[0].list.filter(i => (dev.ev.how[i] & 8) &&"
              "dev.meta.registers[dev.ev.what[i]].includes('ISR')).length")
    assert n == want > 10, (n, want)
    keys(d, Keys.ENTER)
    keys(d, Keys.ENTER)
    keys(d, Keys.ENTER)
    assert text(d, "found").startswith("3 of"), text(d, "found")
    assert js(d, "return picked === matches[2] && dev.ev.time[picked] >= view.from"
              " && dev.ev.time[picked] <= view.to")
    keys(d, Keys.ESCAPE)
    keys(d, "5")
    rows = js(d, "return [...document.querySelectorAll('.rows div')]"
              ".map(r => r.textContent)")
    assert rows and all("ISR write" in r for r in rows), rows
    assert d.find_elements(By.CSS_SELECTOR, ".rows .picked")
    js(d, "set_search('')")
    assert js(d, "return matches") is None


def light_and_dark(d, trace, summary):
    was = js(d, "return getComputedStyle(document.body).backgroundColor")
    keys(d, "t")
    now = js(d, "return getComputedStyle(document.body).backgroundColor")
    assert was != now, was
    keys(d, "t")
    keys(d, "?")
    assert js(d, "return document.getElementById('help').open")
    keys(d, Keys.ESCAPE)
    assert not js(d, "return document.getElementById('help').open")


def a_violation(d, trace, summary):
    assert summary["violations"] == 1, summary["violations"]
    v = summary["devices"][0]["first_violations"][0]
    assert text(d, "verdict") == "1 violations", text(d, "verdict")
    row = d.find_element(By.CSS_SELECTOR, "#panel tbody tr")
    for what in (f"{v['packet']:,}", v["rule"], f"line {v['line']}"):
        assert what in row.text, (what, row.text)
    row.click()
    assert js(d, "return dev.ev.kind[picked] === VIOLATION &&"
              "dev.ev.time[picked] >= view.from && dev.ev.time[picked] <= view.to")
    assert js(d, "return view.to - view.from < dev.whole / 10")
    keys(d, "0", "v", "5")
    assert "violation: refused" in js(
        d, "return document.querySelector('.rows .picked').textContent")


def stays_smooth(d, trace, summary):
    """A million events: every draw well below what an eye sees as a halt."""
    took = js(d, """
        const took = [];
        for (let k = 0; k < 60; k++) {
            const span = dev.whole * Math.pow(0.8, k % 30);
            view.from = (dev.whole - span) * (k / 60);
            view.to = view.from + span;
            const t = performance.now();
            draw();
            took.push(performance.now() - t);
        }
        return took""")
    middle, worst = statistics.median(took), max(took)
    begin = time.monotonic()
    js(d, "set_search('dcr')")
    looked = time.monotonic() - begin
    js(d, "set_search(''); show_tab(4); document.getElementById('panel')"
       ".scrollTop = 4e6")
    assert len(d.find_elements(By.CSS_SELECTOR, ".rows div")) > 5
    print(f"# {EVENTS} events: a draw {middle:.1f} ms median, {worst:.1f} ms at"
          f" most; a search {looked * 1e3:.0f} ms")
    assert middle < 16 * SLACK and worst < 60 * SLACK, (middle, worst)
    assert looked < 1.5 * SLACK, looked


def names_stay_text(d, trace, summary):
    assert js(d, "return document.title") == "vpio: replay"
    assert "<script>" in js(d, "return dev.meta.file")
    assert js(d, "return document.querySelectorAll('img').length") == 0


def run(name, test, *args):
    global failed
    try:
        test(*args)
        print("ok page-" + name, flush=True)
    except Exception as e:
        failed = 1
        print(f"not ok page-{name}: {type(e).__name__}: {e}"[:600].replace(
            "\n", " "), flush=True)


def main():
    d = browser()
    try:
        html, summary = page_of(base)
        run("opens", open_page, d, html)
        run("numbers", plain, d, base, summary)
        run("drawn", states_are_drawn, d, base, summary)
        run("zoom", zoom_and_move, d, base, summary)
        run("search", find, d, base, summary)
        run("theme", light_and_dark, d, base, summary)
        run("self-contained", asks_for_nothing, d, base, summary)
        bad = where + "/bad"
        bad_trace(bad)
        html, summary = page_of(bad, status=(1,))
        open_page(d, html)
        run("violation", a_violation, d, bad, summary)
        if len(sys.argv) > 5:
            d.save_screenshot(sys.argv[5])
        evil = where + "/<script>document.title=1<" + "\u2215script><img src=x>"
        bad_trace(evil)
        html, summary = page_of(evil, status=(1,))
        os.rename(html, where + "/evil.html")
        open_page(d, where + "/evil.html")
        run("hostile-names", names_stay_text, d, evil, summary)
        long = where + "/long"
        long_trace(long, EVENTS)
        html, summary = page_of(long)
        took = open_page(d, html)
        print(f"# {os.path.getsize(html) >> 10} KiB, shown in {took:.1f} s")
        run("million", stays_smooth, d, long, summary)
    finally:
        d.quit()
    sys.exit(failed)


main()
