"use strict";
// Chooses attempts by outcome, signature and strategy. All counts are those of the page's data; nothing is estimated. The
// part of the page that it works on may be put there anew at any time: it keeps what was chosen, and applies it again.
(function () {
  const anything = "?any", failing = "?failing";
  const all = { outcome: failing, signature: anything, strategy: anything };
  let chosen = { ...all };
  const el = id => document.getElementById(id);
  const count = n => n.toLocaleString("en");

  function matches(kind) {
    return (chosen.outcome === anything || (chosen.outcome === failing ? kind.failed : kind.outcome === chosen.outcome)) &&
      (chosen.signature === anything || kind.signature === chosen.signature) &&
      (chosen.strategy === anything || kind.strategy === chosen.strategy);
  }

  // sums adds the counts of each stretch of time over those kinds.
  function sums(data, kinds) {
    const list = new Array(data.bins).fill(0);
    for (const k of kinds) for (let i = 0; i < k.at.length; i += 2) list[k.at[i]] += k.at[i + 1];
    return list;
  }

  // bars is the outline of a bar chart as a path; most is the height of the picture.
  function bars(list, most) {
    const step = 640 / list.length;
    let d = "";
    list.forEach((n, i) => { if (n > 0) d += "M" + (i * step).toFixed(2) + " 70v-" + (n / most * 66).toFixed(2) + "h" + Math.max(step - 0.3, 0.8).toFixed(2) + "V70z"; });
    return d;
  }

  function apply() {
    const source = el("kinds-data");
    if (!source) return;
    const data = JSON.parse(source.textContent), form = el("filter");
    for (const name in chosen) {
      form.elements[name].value = chosen[name];
      if (form.elements[name].selectedIndex < 0) { chosen[name] = all[name]; form.elements[name].value = all[name]; }
    }
    const kinds = data.kinds.filter(matches), now = sums(data, kinds), failed = sums(data, data.kinds.filter(k => k.failed));
    const most = Math.max(1, ...now, ...failed), total = now.reduce((a, b) => a + b, 0);
    el("strip-all").setAttribute("d", bars(failed, most));
    el("strip-chosen").setAttribute("d", bars(now, most));
    const wanted = new Set(kinds.map(k => data.kinds.indexOf(k)));
    let shown = 0, listed = 0;
    for (const row of document.querySelectorAll("#failures tr")) {
      row.hidden = !wanted.has(Number(row.dataset.kind));
      listed++; if (!row.hidden) shown++;
    }
    const marked = sums(data, kinds.filter(k => k.failed));
    for (const tick of document.querySelectorAll("line.tick")) tick.classList.toggle("off", !marked[Number(tick.dataset.bin)]);
    const everything = data.kinds.reduce((n, k) => n + k.at.reduce((m, v, i) => i % 2 ? m + v : m, 0), 0);
    el("chosen").textContent = count(total) + " of " + count(everything) + " attempts" + (listed ? "; " + count(shown) + " of " + count(listed) + " listed" : "");
  }

  function choose(changes) { Object.assign(chosen, changes); apply(); }

  document.addEventListener("change", e => {
    const form = e.target.form;
    if (form && form.id === "filter") choose({ [e.target.name]: e.target.value });
  });
  document.addEventListener("reset", e => { if (e.target.id === "filter") { e.preventDefault(); choose(all); } });
  document.addEventListener("submit", e => { if (e.target.id === "filter") e.preventDefault(); });
  // A kind of failure or a strategy in a table of the page chooses its own attempts.
  document.addEventListener("click", e => {
    const pick = e.target.closest("button[data-filter]");
    if (!pick) return;
    choose({ ...all, outcome: pick.dataset.filter === "strategy" ? anything : failing, [pick.dataset.filter]: pick.dataset.value });
    el("attempts").scrollIntoView({ block: "nearest" });
    el("filter").elements[pick.dataset.filter].focus();
  });
  document.addEventListener("keydown", e => {
    if (e.ctrlKey || e.altKey || e.metaKey) return;
    const form = el("filter");
    if (!form) return;
    if (e.key === "Escape" && form.contains(e.target)) choose(all);
    else if (e.key === "f" && !e.target.closest("input, textarea, select")) { e.preventDefault(); form.elements.outcome.focus(); }
  });
  let last = null; // what of the filter had the focus; null for nothing
  document.addEventListener("focusin", e => { last = e.target.form && e.target.form.id === "filter" ? e.target.name : null; });
  const pictures = el("pictures");
  if (pictures) new MutationObserver(() => {
    apply();
    if (last && document.activeElement === document.body) el("filter").elements[last].focus({ preventScroll: true });
  }).observe(pictures, { childList: true });
  apply();
})();
