"use strict";
// Keeps a served page up to date; stream.go says what the events are.
(function () {
  const line = document.getElementById("live");
  const events = new EventSource("/events" + location.search);
  let lost = false, ended = false;
  events.addEventListener("part", e => {
    const part = JSON.parse(e.data), old = document.getElementById(part.ID), marked = getSelection();
    // What somebody is marking to copy stays until the next time.
    if (!marked.isCollapsed && old.contains(marked.anchorNode)) return;
    old.outerHTML = part.HTML;
    document.dispatchEvent(new CustomEvent("part", { detail: part.ID }));
  });
  events.addEventListener("line", e => { lost = false; line.textContent = JSON.parse(e.data); });
  events.addEventListener("drawn", e => { if (JSON.parse(e.data) !== line.dataset.drawn) location.reload(); });
  events.addEventListener("end", e => { ended = true; events.close(); line.textContent = JSON.parse(e.data); });
  events.addEventListener("error", () => {
    if (ended || lost) return;
    lost = true;
    line.textContent += events.readyState === EventSource.CLOSED
      ? " (not kept up to date: heisen has ended, or too many are watching)" : " (connection lost; trying again)";
  });
  document.documentElement.dataset.live = "kept";
})();
