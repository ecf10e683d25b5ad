"use strict";
// Counts every promise on the page down by the server's clock: [data-now] says what it was when the page was made.
const clock = (() => {
  let offset = 0;
  const day = () => document.querySelector("[data-day]")?.dataset.day || "d";
  const two = (number) => String(number).padStart(2, "0");
  const set = (instant) => { if (instant) offset = Date.parse(instant) - Date.now(); };
  const words = (milliseconds) => {
    const seconds = Math.floor(Math.abs(milliseconds) / 1000);
    const days = Math.floor(seconds / 86400);
    const clock = `${two(Math.floor(seconds / 3600) % 24)}:${two(Math.floor(seconds / 60) % 60)}`;
    return (milliseconds < 0 ? "−" : "") + (days ? `${days}${day()} ${clock}` : `${clock}:${two(seconds % 60)}`);
  };
  const tick = () => {
    const now = Date.now() + offset;
    for (const place of document.querySelectorAll("[data-due]")) {
      const left = Date.parse(place.dataset.due) - now;
      const text = words(left);
      if (place.textContent !== text) place.textContent = text;
      place.classList.toggle("countdown-late", left < 0);
      place.classList.toggle("countdown-near", left >= 0 && now >= Date.parse(place.dataset.warn));
      place.closest("[data-card]")?.classList.toggle("card-late", left < 0);
    }
  };
  set(document.querySelector("[data-now]")?.dataset.now);
  tick();
  setInterval(tick, 1000);
  return { set, tick };
})();
