"use strict";
(function () {
  const source = document.getElementById("timeline-data");
  if (!source) return;
  const data = JSON.parse(source.textContent);
  const tip = document.getElementById("tip"), idle = tip.textContent;
  const rowHeight = 22, labels = 140, head = 24, edge = 8;
  // Time 0 of the picture is where both part, or their starts.
  const origin = t => Math.max(t.parting, 0);
  const from0 = Math.min(...data.map(t => -origin(t)));
  const to0 = Math.max(...data.map(t => t.end - origin(t)));
  const margin = (to0 - from0) * 0.02;
  let from = from0 - margin, to = to0 + margin;
  // The cursor is a moment of the picture, and the row of one track; null for none.
  let cursor = null;
  const views = data.map((track, i) => ({ track, canvas: document.getElementById("track" + i) }));
  const color = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const time = us => Math.abs(us) < 1000 ? us.toFixed(0) + " µs" : Math.abs(us) < 1e6 ? (us / 1000).toFixed(2) + " ms" : (us / 1e6).toFixed(3) + " s";
  const seen = p => p.source !== "tracer" && p.source !== "runtime";

  // ticks are round moments in view, about eight of them, and how they read.
  function ticks() {
    const raw = (to - from) / 8, power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map(n => n * power).find(s => s >= raw), list = [];
    const [unit, per] = step >= 1e5 ? [" s", 1e6] : step >= 100 ? [" ms", 1e3] : [" µs", 1];
    const digits = Math.max(0, -Math.floor(Math.log10(step / per) + 1e-9));
    for (let n = Math.ceil(from / step); n * step <= to; n++) list.push([n * step, n === 0 ? "0" : (n > 0 ? "+" : "−") + (Math.abs(n * step) / per).toFixed(digits) + unit]);
    return list;
  }

  function draw(v) {
    const { track, canvas } = v, scale = window.devicePixelRatio || 1;
    const width = canvas.clientWidth, height = head + track.rows.length * rowHeight;
    canvas.width = width * scale; canvas.height = height * scale; canvas.style.height = height + "px";
    const g = canvas.getContext("2d");
    g.scale(scale, scale); g.font = "12px system-ui, sans-serif"; g.textBaseline = "middle";
    v.x = us => labels + (us - origin(track) - from) / (to - from) * (width - labels - edge);
    const x = v.x, y = row => head + row * rowHeight, right = width - edge;
    const inView = (a, b) => x(b) >= labels && x(a) <= right;
    g.textAlign = "center";
    for (const [t, name] of ticks()) {
      const at = x(t + origin(track));
      g.fillStyle = color("--grid"); g.fillRect(at, head - 4, 1, height);
      if (at > labels + 16 && at < right - 20) { g.fillStyle = color("--muted"); g.fillText(name, at, 10); }
    }
    g.textAlign = "left";
    track.rows.forEach((name, r) => {
      g.fillStyle = color("--ink");
      let text = name;
      while (text.length > 1 && g.measureText(text).width > labels - 12) text = text.slice(0, -2) + "…";
      g.fillText(text, 2, y(r) + rowHeight / 2);
      g.fillStyle = color("--grid"); g.fillRect(0, y(r) + rowHeight - 1, right, 1);
    });
    g.save(); g.beginPath(); g.rect(labels, 0, width - labels, height); g.clip();
    g.fillStyle = color("--pass");
    for (const [row, a, b] of track.spans) if (inView(a, b)) g.fillRect(x(a), y(row) + 7, Math.max(x(b) - x(a), 0.8), rowHeight - 14);
    g.fillStyle = color("--hold");
    for (const h of track.holds) if (inView(h.from, h.to)) g.fillRect(x(h.from), y(h.row) + 3, Math.max(x(h.to) - x(h.from), 1.5), 4);
    for (const p of track.points) {
      if (!inView(p.at, p.at)) continue;
      g.fillStyle = color(seen(p) ? "--mark" : "--muted");
      if (seen(p)) g.fillRect(x(p.at) - 1, y(p.row) + 2, 2, rowHeight - 5);
      else g.fillRect(x(p.at) - 0.5, y(p.row) + 5, 1, rowHeight - 11);
    }
    if (cursor) {
      g.fillStyle = color("--ink"); g.fillRect(x(cursor.at + origin(track)) - 0.5, head - 6, 1, height);
      if (cursor.view === v) { g.strokeStyle = color("--ink"); g.strokeRect(labels + 0.5, y(cursor.row) + 0.5, right - labels - 1, rowHeight - 2); }
    }
    if (track.parting >= 0) { g.fillStyle = color("--fail"); g.fillRect(x(track.parting) - 1, head - 6, 2, height); }
    g.restore();
    canvas.dataset.from = from; canvas.dataset.to = to; // what is in view, in microseconds from where both part
  }
  const drawAll = () => views.forEach(draw);

  function show(a, b) {
    const width = Math.min(Math.max(b - a, 5), (to0 - from0) * 1.2), middle = (a + b) / 2;
    from = middle - width / 2; to = middle + width / 2;
    drawAll();
  }
  function zoom(factor, at) { const share = (at - from) / (to - from), width = (to - from) * factor; show(at - share * width, at - share * width + width); }
  const pan = share => { const d = (to - from) * share; show(from + d, to + d); };
  const reset = () => show(from0 - margin, to0 + margin);
  const parting = () => { const w = (to0 - from0) / 10; show(-w / 2, w / 2); };
  const moment = (v, e) => from + (e.offsetX - labels) / (v.canvas.clientWidth - labels - edge) * (to - from);

  // tell says what is at the cursor: in its row, within a few pixels.
  function tell() {
    const { view, row, at } = cursor, track = view.track, t = at + origin(track), near = (to - from) / view.canvas.clientWidth * 4;
    const found = [];
    for (const p of track.points) if (p.row === row && Math.abs(p.at - t) <= near && found.length < 5) found.push(time(p.at) + " " + p.source + ": " + p.text);
    for (const h of track.holds) if (h.row === row && h.from - near <= t && t <= h.to + near && found.length < 6) found.push("held " + time(h.to - h.from) + " from " + time(h.from) + ": " + h.text);
    for (const s of track.spans) if (s[0] === row && s[1] - near / 4 <= t && t <= s[2] + near / 4 && found.length < 7) found.push("on CPU " + s[3] + " for " + time(s[2] - s[1]) + " from " + time(s[1]));
    tip.textContent = (track.rows[row] || "") + ", " + time(t) + " after the start\n" + found.join("\n");
  }
  function put(view, row, at) { cursor = { view, row: Math.min(Math.max(row, 0), view.track.rows.length - 1), at }; drawAll(); tell(); }
  function leave() { cursor = null; tip.textContent = idle; drawAll(); }

  // step puts the cursor on the next thing of its row, forwards or backwards, and brings it into view.
  function step(v, way) {
    const t = v.track, here = cursor && cursor.view === v ? cursor : { row: 0, at: way > 0 ? -Infinity : Infinity };
    const all = [...t.points.filter(p => p.row === here.row).map(p => p.at), ...t.holds.filter(h => h.row === here.row).map(h => h.from),
      ...t.spans.filter(s => s[0] === here.row).map(s => s[1])].map(at => at - origin(t)).filter(at => way > 0 ? at > here.at : at < here.at);
    if (!all.length) return;
    const at = way > 0 ? all.reduce((a, b) => Math.min(a, b)) : all.reduce((a, b) => Math.max(a, b));
    if (at < from || at > to) { const w = to - from; from = at - w / 2; to = at + w / 2; }
    put(v, here.row, at);
  }
  function row(v, way) {
    const here = cursor && cursor.view === v ? cursor : { row: way > 0 ? -1 : 0, at: (from + to) / 2 };
    put(v, here.row + way, here.at);
  }

  let drag = null;
  for (const v of views) {
    const c = v.canvas;
    c.addEventListener("wheel", e => { if (!e.ctrlKey && !e.shiftKey) return; e.preventDefault(); zoom(e.deltaY + e.deltaX > 0 ? 1.25 : 0.8, moment(v, e)); }, { passive: false });
    c.addEventListener("pointerdown", e => { drag = e.clientX; c.setPointerCapture(e.pointerId); });
    for (const over of ["pointerup", "pointercancel"]) c.addEventListener(over, () => { drag = null; });
    c.addEventListener("pointermove", e => {
      if (drag === null) return put(v, Math.floor((e.offsetY - head) / rowHeight), moment(v, e));
      pan((drag - e.clientX) / (c.clientWidth - labels - edge)); drag = e.clientX;
    });
    c.addEventListener("pointerleave", leave);
    c.addEventListener("dblclick", e => zoom(0.4, moment(v, e)));
    c.addEventListener("keydown", e => {
      if (e.ctrlKey || e.altKey || e.metaKey) return;
      const middle = cursor ? cursor.at : (from + to) / 2;
      const act = { ArrowLeft: () => pan(-0.1), ArrowRight: () => pan(0.1), ArrowUp: () => row(v, -1), ArrowDown: () => row(v, 1), "+": () => zoom(0.7, middle),
        "=": () => zoom(0.7, middle), "-": () => zoom(1 / 0.7, middle), "0": reset, n: () => step(v, 1), p: () => step(v, -1), d: parting, Escape: leave }[e.key];
      if (act) { e.preventDefault(); act(); }
    });
  }
  const click = (id, act) => { const b = document.getElementById(id); if (b) b.addEventListener("click", act); };
  click("zoom-in", () => zoom(0.5, (from + to) / 2));
  click("zoom-out", () => zoom(2, (from + to) / 2));
  click("zoom-reset", reset);
  click("zoom-parting", parting);
  window.addEventListener("resize", drawAll);
  for (const kind of ["(prefers-color-scheme: dark)", "print"]) window.matchMedia(kind).addEventListener("change", drawAll);
  drawAll();
  document.documentElement.dataset.timeline = "drawn";
})();
