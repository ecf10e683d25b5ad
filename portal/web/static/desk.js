"use strict";
// Keeps the board as it is on the server: asks every ten seconds while somebody looks, and draws only what changed.
(() => {
  const lanes = document.getElementById("desk-lanes");
  const head = document.getElementById("desk-head");
  const state = document.getElementById("desk-state");
  let etag = "", asking = false, drawn = {};

  // What is being pressed or read by keyboard stays under the same finger: focus returns to the same address.
  const draw = (place, html) => {
    if (drawn[place.id] === html) return;
    drawn[place.id] = html;
    const held = place.contains(document.activeElement) ? document.activeElement : null;
    const mark = held && (held.getAttribute("formaction") || held.getAttribute("href"));
    place.innerHTML = html;
    if (mark) place.querySelector(`[formaction="${CSS.escape(mark)}"], [href="${CSS.escape(mark)}"]`)?.focus();
  };

  const ask = async () => {
    if (document.hidden || asking) return;
    asking = true;
    try {
      const answer = await fetch(lanes.dataset.state, {
        headers: { Accept: "application/json", ...(etag ? { "If-None-Match": etag } : {}) },
        cache: "no-store", credentials: "same-origin", signal: AbortSignal.timeout(8000),
      });
      if (answer.status === 401 || answer.status === 403) { location.reload(); return; }
      clock.set(answer.headers.get("Portal-Now"));
      if (answer.status === 200) {
        const parts = await answer.json();
        draw(head, parts.head);
        draw(lanes, parts.lanes);
        etag = answer.headers.get("ETag") || "";
      } else if (answer.status !== 304) throw new Error(String(answer.status));
      state.textContent = "";
      clock.tick();
    } catch {
      state.textContent = state.dataset.lost;
    } finally {
      asking = false;
    }
  };

  setInterval(ask, Number(lanes.dataset.seconds) * 1000);
  document.addEventListener("visibilitychange", ask);
})();
