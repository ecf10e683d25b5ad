"use strict";
// A signature is drawn with finger, pen or mouse on a transparent canvas as dense as the screen. After each stroke its
// PNG stands in the form's hidden field of the pad's name, and an `input` event says so.
(() => {
  const MOST_CHARS = 200 * 1024; // what the portal takes as a data address
  const MOST_SIDE = 2400;
  const PEN = 2.4; // CSS pixels

  const install = (pad) => {
    const canvas = pad.querySelector("canvas");
    const field = pad.closest("form").elements[pad.dataset.pad];
    const context = canvas.getContext("2d");
    let strokes = [];
    let kept = null; // a picture that was drawn before this page was loaded
    let current = null;

    const fit = () => {
      const box = canvas.getBoundingClientRect();
      if (!box.width) return; // inside something that is closed
      const dense = Math.min(window.devicePixelRatio || 1, 3, MOST_SIDE / Math.max(box.width, box.height));
      canvas.width = Math.round(box.width * dense);
      canvas.height = Math.round(box.height * dense);
      draw();
    };

    const trace = (stroke) => {
      const across = canvas.width;
      context.beginPath();
      context.lineWidth = Math.max(1, PEN * across / (canvas.clientWidth || across));
      context.lineCap = context.lineJoin = "round";
      context.strokeStyle = "#14213d";
      const [first, ...rest] = stroke;
      context.moveTo(first[0] * across, first[1] * across);
      if (!rest.length) context.lineTo(first[0] * across + 0.1, first[1] * across);
      for (const [x, y] of rest) context.lineTo(x * across, y * across);
      context.stroke();
    };

    // Points are shares of the width, so that turning the tablet loses nothing.
    const draw = () => {
      context.clearRect(0, 0, canvas.width, canvas.height);
      if (kept) {
        const scale = Math.min(canvas.width / kept.width, canvas.height / kept.height);
        context.drawImage(kept, 0, 0, kept.width * scale, kept.height * scale);
      }
      strokes.forEach(trace);
    };

    const packed = () => {
      if (!strokes.length && !kept) return "";
      let picture = canvas.toDataURL("image/png");
      const smaller = document.createElement("canvas");
      for (let share = 0.7; picture.length > MOST_CHARS && share > 0.2; share -= 0.2) {
        smaller.width = Math.round(canvas.width * share);
        smaller.height = Math.round(canvas.height * share);
        smaller.getContext("2d").drawImage(canvas, 0, 0, smaller.width, smaller.height);
        picture = smaller.toDataURL("image/png");
      }
      return picture;
    };

    const note = () => {
      field.value = packed();
      field.dispatchEvent(new Event("input", { bubbles: true }));
    };

    const point = (event) => {
      const box = canvas.getBoundingClientRect();
      return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.width];
    };

    canvas.addEventListener("pointerdown", (event) => {
      if (!event.isPrimary || event.button) return;
      event.preventDefault();
      canvas.setPointerCapture(event.pointerId);
      current = [point(event)];
      strokes.push(current);
      draw();
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!current || !event.isPrimary) return;
      const steps = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
      for (const step of steps.length ? steps : [event]) current.push(point(step));
      draw();
    });
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, () => {
        if (!current) return;
        current = null;
        note();
      });
    }
    pad.querySelector("[data-clear]").addEventListener("click", () => {
      strokes = [];
      kept = null;
      draw();
      note();
    });
    pad.addEventListener("signature:restore", (event) => {
      const picture = new Image();
      picture.addEventListener("load", () => {
        kept = picture;
        strokes = [];
        draw();
      });
      picture.src = event.detail;
    });
    new ResizeObserver(fit).observe(canvas);
    fit();
    // Drawn before a form that was sent before came back with a word to mend.
    if (field.value.startsWith("data:image/png;base64,")) {
      pad.dispatchEvent(new CustomEvent("signature:restore", { detail: field.value }));
    }
  };

  document.querySelectorAll("[data-pad]").forEach(install);
})();
