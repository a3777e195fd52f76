"use strict";

/* Panels over one time axis. Drag to zoom, double click for all; with the keyboard: arrows, plus, minus, 0. */
(() => {
  const data = JSON.parse(document.getElementById("payload").textContent);
  const host = document.getElementById("time");
  const GUTTER = 68, FOOT = 20, TOP = 24;
  const MINUTE = 60e3, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
  const STEPS = [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 4 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY];

  /* --- Time ---------------------------------------------------------------------------------------------------- */
  const columns = Object.values(data.times).concat(data.prices.map((price) => price.t));
  const first = Math.min(...columns.map((t) => t[0])), last = Math.max(...columns.map((t) => t[t.length - 1]));
  const shown = { from: first, to: last };

  function zoom(from, to) {
    const least = Math.min(5 * MINUTE * 10, last - first);
    const wide = Math.max(Math.min(to - from, last - first), least);
    shown.from = Math.min(Math.max(from, first), last - wide);
    shown.to = shown.from + wide;
    draw();
  }

  const scaled = (factor, at = (shown.from + shown.to) / 2) =>
    zoom(at - (at - shown.from) * factor, at + (shown.to - at) * factor);
  const moved = (share) => zoom(shown.from + share * (shown.to - shown.from), shown.to + share * (shown.to - shown.from));

  /* The row of the newest time that is not after `moment`. */
  function row(times, moment) {
    let low = 0, high = times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (times[middle] <= moment) low = middle + 1; else high = middle;
    }
    return low - 1;
  }

  /* First and last row to draw: one beyond each edge, so that lines leave the picture instead of ending in it. */
  const slice = (times) => [Math.max(row(times, shown.from), 0), Math.min(row(times, shown.to) + 1, times.length - 1)];

  function dates(width) {
    const wanted = (shown.to - shown.from) / Math.max(width / 88, 2);
    const step = STEPS.find((one) => one >= wanted);
    const found = [];
    if (step) {
      for (let t = Math.ceil(shown.from / step) * step; t <= shown.to; t += step) found.push(t);
      return found.map((t) => [t, t % DAY ? clock(t) : short(t)]);
    }
    const months = [1, 2, 3, 6, 12, 24].find((one) => one * 30 * DAY >= wanted) || 60;
    const start = new Date(shown.from);
    for (let at = start.getUTCFullYear() * 12 + Math.ceil(start.getUTCMonth() / months) * months; ; at += months) {
      const t = Date.UTC(Math.floor(at / 12), at % 12);
      if (t > shown.to) break;
      if (t >= shown.from) found.push([t, at % 12 ? new Date(t).toLocaleString("en-GB", { month: "short", timeZone: "UTC" }) + (months > 3 ? " " + Math.floor(at / 12) : "") : String(Math.floor(at / 12))]);
    }
    return found;
  }

  const iso = (t) => new Date(t).toISOString();
  const clock = (t) => iso(t).slice(11, 16);
  const short = (t) => new Date(t).toLocaleString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
  const whole = (t) => iso(t).slice(0, 10) + " " + clock(t);

  /* --- Numbers ------------------------------------------------------------------------------------------------- */
  const plain = (value, digits) => value.toLocaleString("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits }).replace("-", "\u2212");
  const WRITTEN = {
    money: (value) => plain(value, Math.abs(value) < 1000 ? 2 : 0),
    percent: (value) => plain(100 * value, value === 0 ? 0 : Math.abs(value) < 0.01 ? 2 : 1) + " %",
    ratio: (value) => plain(value, 2),
    price: (value) => plain(value, value >= 10_000 ? 0 : value >= 1000 ? 1 : Math.min(8, 4 - Math.floor(Math.log10(value)))),
  };

  function ticks(low, high, count) {
    const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= rough);
    const found = [];
    for (let value = Math.ceil(low / step) * step; value <= high; value += step) found.push(Math.abs(value) < step / 1e6 ? 0 : value);
    return found;
  }

  /* --- Drawing ------------------------------------------------------------------------------------------------- */
  const SVG = "http://www.w3.org/2000/svg";
  function make(name, attributes, parent, text) {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    parent.append(element);
    return element;
  }

  const panels = [];
  function frame(name, height) {
    const box = document.createElement("div"), legend = document.createElement("div");
    box.className = "panel";
    legend.className = "legend";
    const svg = make("svg", { role: "img", "aria-label": name }, box);
    box.append(legend);
    host.append(box);
    const panel = { box, legend, svg, name, height };
    listen(panel);
    panels.push(panel);
    return panel;
  }

  function scene(panel, low, high) {
    const width = panel.box.clientWidth, bottom = panel.height, right = Math.max(width - GUTTER, 60);
    const foot = panel === panels[panels.length - 1] || panel.dated ? FOOT : 0;
    if (!(high > low)) { const pad = Math.abs(low) * 0.01 || 1; low -= pad; high += pad; }
    const pad = (high - low) * 0.05;
    const x = (t) => (t - shown.from) / (shown.to - shown.from) * right;
    const y = (value) => TOP + (high + pad - value) / (high - low + 2 * pad) * (bottom - TOP - 4);
    panel.svg.replaceChildren();
    panel.svg.setAttribute("viewBox", `0 0 ${width} ${bottom + foot}`);
    panel.svg.style.height = `${bottom + foot}px`;
    for (const value of ticks(low, high, Math.max(Math.floor(bottom / 48), 2))) {
      make("line", { class: "grid", x1: 0, x2: right, y1: y(value), y2: y(value) }, panel.svg);
      make("text", { class: "tick", x: right + 6, y: y(value) + 4 }, panel.svg, panel.written(value));
    }
    for (const [t, text] of dates(right)) {
      make("line", { class: "grid", x1: x(t), x2: x(t), y1: TOP, y2: bottom }, panel.svg);
      if (foot) make("text", { class: "tick", x: x(t), y: bottom + 14, "text-anchor": x(t) < 20 ? "start" : "middle" }, panel.svg, text);
    }
    const id = `clip-${panels.indexOf(panel)}`;
    make("rect", { x: 0, y: TOP - 2, width: right, height: bottom - TOP + 2 }, make("clipPath", { id }, panel.svg));
    Object.assign(panel, { right, bottom, x, y });
    return make("g", { "clip-path": `url(#${id})` }, panel.svg);
  }

  function path(times, values, [from, to], x, y, stepped) {
    let text = "", pen = false;
    for (let at = from; at <= to; at++) {
      if (values[at] === null) { pen = false; continue; }
      const left = x(times[at]).toFixed(1);
      if (pen && stepped) text += `H${left}`;
      text += `${pen ? "L" : "M"}${left} ${y(values[at]).toFixed(1)}`;
      pen = true;
    }
    return text;
  }

  function extent(many) {
    let low = Infinity, high = -Infinity;
    for (const one of many) {
      const [from, to] = slice(data.times[one.t]);
      for (let at = from; at <= to; at++) {
        const value = one.v[at];
        if (value !== null) { low = Math.min(low, value); high = Math.max(high, value); }
      }
    }
    return [low, high];
  }

  /* What is only there to compare with may stretch the picture to twice its height, not flatten what it is about. */
  function range(series) {
    const [low, high] = extent(series.filter((one) => one.tone !== "quiet"));
    const [least, most] = extent(series), room = high - low || Math.abs(high) * 0.02;
    return [Math.max(Math.min(least, low), low - room / 2), Math.min(Math.max(most, high), high + room / 2)];
  }

  function drawLines(panel) {
    let [low, high] = range(panel.spec.series);
    if (panel.spec.kind === "area") { low = Math.min(low, 0); high = Math.max(high, 0); }
    if (!Number.isFinite(low)) { low = 0; high = 1; }
    const group = scene(panel, low, high), { x, y } = panel, base = panel.spec.reference;
    if (base >= low && base <= high) make("line", { class: "reference", x1: 0, x2: panel.right, y1: y(base), y2: y(base) }, group);
    for (const one of [...panel.spec.series].reverse()) {
      const times = data.times[one.t], [from, to] = slice(times), line = path(times, one.v, [from, to], x, y, panel.spec.stepped);
      if (!line) continue;
      if (panel.spec.kind === "area") {
        const closed = `${line}L${x(times[to]).toFixed(1)} ${y(0).toFixed(1)}L${x(times[from]).toFixed(1)} ${y(0).toFixed(1)}Z`;
        make("path", { class: `fill t-${one.tone}`, d: closed }, group);
      }
      make("path", { class: `stroke t-${one.tone}`, d: line }, group);
    }
  }

  function drawPrice(panel) {
    const price = data.prices[panel.chosen], [from, to] = slice(price.t);
    let low = Infinity, high = -Infinity;
    for (let at = from; at <= to; at++) { low = Math.min(low, price.l[at]); high = Math.max(high, price.h[at]); }
    const group = scene(panel, low, high), { x, y } = panel;
    const slot = x(price.t[from] + price.step) - x(price.t[from]);
    if (slot >= 3.5) candles(group, price, from, to, x, y, slot); else band(group, price, from, to, x, y);
    trades(group, price.name, x, y);
  }

  function candles(group, price, from, to, x, y, slot) {
    const bodies = { up: "", down: "" }, wide = Math.max(slot * 0.62, 1);
    for (let at = from; at <= to; at++) {
      const middle = x(price.t[at] + price.step / 2), up = price.c[at] >= price.o[at];
      const top = y(Math.max(price.o[at], price.c[at])), foot = Math.max(y(Math.min(price.o[at], price.c[at])), top + 0.8);
      bodies[up ? "up" : "down"] += `M${middle.toFixed(1)} ${y(price.h[at]).toFixed(1)}V${y(price.l[at]).toFixed(1)}` +
        `M${(middle - wide / 2).toFixed(1)} ${top.toFixed(1)}h${wide.toFixed(1)}V${foot.toFixed(1)}h${(-wide).toFixed(1)}Z`;
    }
    const all = make("g", { class: "candles" }, group);
    make("path", { class: "candle-up", d: bodies.up }, all);
    make("path", { class: "candle-down", d: bodies.down }, all);
  }

  function band(group, price, from, to, x, y) {
    let top = "", foot = "";
    for (let at = from; at <= to; at++) {
      const middle = x(price.t[at] + price.step / 2).toFixed(1);
      top += `${top ? "L" : "M"}${middle} ${y(price.h[at]).toFixed(1)}`;
      foot = `L${middle} ${y(price.l[at]).toFixed(1)}${foot}`;
    }
    make("path", { class: "band", d: `${top}${foot}Z` }, group);
    make("path", { class: "close", d: path(price.t, price.c, [from, to], (t) => x(t + price.step / 2), y) }, group);
  }

  function trades(group, name, x, y) {
    const visible = data.trades.filter((one) => one[0] === name && one[4] >= shown.from && one[2] <= shown.to);
    const lines = { won: "", lost: "" }, marks = { won: "", lost: "" };
    const size = visible.length > 600 ? 2 : visible.length > 150 ? 3.2 : 5;
    for (const [, side, entered, entry, exited, exit, net] of visible) {
      const how = net > 0 ? "won" : "lost", left = x(entered), at = y(entry), tip = at + side * 2, foot = tip + side * size * 1.7;
      lines[how] += `M${left.toFixed(1)} ${at.toFixed(1)}L${x(exited).toFixed(1)} ${y(exit).toFixed(1)}`;
      marks[how] += `M${left.toFixed(1)} ${tip.toFixed(1)}L${(left - size).toFixed(1)} ${foot.toFixed(1)}h${2 * size}Z`;
    }
    for (const how of ["lost", "won"]) {
      const look = visible.length > 150 ? `${how} many` : how;
      make("path", { class: `trade ${look}`, d: lines[how] }, group);
      make("path", { class: `entry ${look}`, d: marks[how] }, group);
    }
  }

  /* --- What the pointer is on ---------------------------------------------------------------------------------- */
  function readout(panel, moment) {
    const words = [`<b>${escaped(panel.title())}</b>`];
    if (panel.spec) {
      for (const one of panel.spec.series) {
        const at = row(data.times[one.t], moment), value = at < 0 ? null : one.v[at];
        const key = one.name ? `<i class="key t-${one.tone}"></i>${escaped(one.name)} ` : "";
        words.push(`${key}${value === null ? "\u2013" : panel.written(value)}`);
      }
    } else {
      const price = data.prices[panel.chosen], at = Math.max(row(price.t, moment), 0);
      words.push(WRITTEN.price(price.c[at]));
      const open = data.trades.find((one) => one[0] === price.name && one[2] <= moment && moment <= one[4]);
      if (open) words.push(`${open[1] > 0 ? "long" : "short"} from ${WRITTEN.price(open[3])} to ${WRITTEN.price(open[5])}, ` +
        `<span class="${open[6] > 0 ? "good" : "bad"}">${WRITTEN.money(open[6])} ${escaped(data.currency)}</span> (${escaped(open[7])})`);
    }
    panel.legend.innerHTML = words.map((one) => `<span>${one}</span>`).join("");
  }

  function escaped(text) {
    const box = document.createElement("i");
    box.textContent = text;
    return box.innerHTML;
  }

  function point(moment) {
    for (const panel of panels) {
      readout(panel, moment);
      panel.svg.querySelector(".hair")?.remove();
      make("line", { class: "hair", x1: panel.x(moment), x2: panel.x(moment), y1: 0, y2: panel.bottom }, panel.svg);
    }
    document.getElementById("moment").textContent = whole(moment);
  }

  function unpoint() {
    for (const panel of panels) { panel.svg.querySelector(".hair")?.remove(); readout(panel, shown.to); }
    document.getElementById("moment").textContent = `${whole(shown.from)} to ${whole(shown.to)} UTC`;
  }

  function listen(panel) {
    let began = null;
    const at = (event) => {
      const x = Math.min(Math.max(event.clientX - panel.svg.getBoundingClientRect().left, 0), panel.right);
      return shown.from + x / panel.right * (shown.to - shown.from);
    };
    panel.svg.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      began = at(event);
      panel.svg.setPointerCapture(event.pointerId);
    });
    panel.svg.addEventListener("pointermove", (event) => {
      point(at(event));
      for (const one of panels) {
        one.svg.querySelector(".selection")?.remove();
        if (began === null) continue;
        const [left, right] = [one.x(began), one.x(at(event))].sort((a, b) => a - b);
        make("rect", { class: "selection", x: left, y: 0, width: right - left, height: one.bottom }, one.svg);
      }
    });
    const end = (event) => {
      const start = began, stop = at(event);
      began = null;
      for (const one of panels) one.svg.querySelector(".selection")?.remove();
      if (start !== null && Math.abs(panel.x(stop) - panel.x(start)) > 6) zoom(Math.min(start, stop), Math.max(start, stop));
    };
    panel.svg.addEventListener("pointerup", end);
    panel.svg.addEventListener("pointercancel", () => { began = null; unpoint(); });
    panel.svg.addEventListener("pointerleave", () => { if (began === null) unpoint(); });
    panel.svg.addEventListener("dblclick", () => zoom(first, last));
    panel.svg.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey && !event.shiftKey) return;
      event.preventDefault();
      scaled((event.deltaY || event.deltaX) > 0 ? 1.25 : 0.8, at(event));
    }, { passive: false });
  }

  /* --- The page ------------------------------------------------------------------------------------------------ */
  function draw() {
    for (const panel of panels) panel.draw(panel);
    unpoint();
    for (const button of document.querySelectorAll("[data-days]")) {
      const days = Number(button.dataset.days), wide = shown.to - shown.from;
      button.setAttribute("aria-pressed", String(days ? Math.abs(wide - days * DAY) < MINUTE : wide >= last - first));
    }
  }

  if (data.prices.length) {
    const panel = frame("Price and trades", 320), choice = document.getElementById("instrument");
    Object.assign(panel, { draw: drawPrice, chosen: 0, written: WRITTEN.price, title: () => data.prices[panel.chosen].name, dated: true });
    if (choice) choice.addEventListener("change", () => { panel.chosen = Number(choice.value); draw(); });
  }
  for (const spec of data.panels) {
    const panel = frame(spec.name, spec.height);
    Object.assign(panel, { spec, draw: drawLines, written: WRITTEN[spec.unit], title: () => spec.name });
  }
  const DOES = { "in": () => scaled(0.5), "out": () => scaled(2), "left": () => moved(-0.5), "right": () => moved(0.5) };
  for (const button of document.querySelectorAll("[data-does]")) button.addEventListener("click", DOES[button.dataset.does]);
  for (const button of document.querySelectorAll("[data-days]")) {
    const days = Number(button.dataset.days);
    if (days * DAY >= last - first) button.hidden = true;
    button.addEventListener("click", () => (days ? zoom(shown.to - days * DAY, shown.to) : zoom(first, last)));
  }
  const KEYS = { ArrowLeft: () => moved(-0.2), ArrowRight: () => moved(0.2), "+": () => scaled(0.7), "=": () => scaled(0.7), "-": () => scaled(1.4), "0": () => zoom(first, last) };
  host.addEventListener("keydown", (event) => {
    if (!KEYS[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    KEYS[event.key]();
  });
  document.getElementById("theme").addEventListener("click", () => {
    const dark = getComputedStyle(document.documentElement).colorScheme === "dark";
    document.documentElement.dataset.theme = dark ? "light" : "dark";
  });
  new ResizeObserver(draw).observe(host);
  draw();
})();
