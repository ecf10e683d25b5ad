"use strict";
// Files go one after another as raw bodies, so that neither side ever holds a whole file in memory. What can't succeed
// (a file over the limit) is refused here before a byte leaves; everything else the portal says, with its code.
(() => {
  const form = document.getElementById("upload");
  const { address, limit, token, tooLarge, cut, done, failed, cancelled } = form.dataset;
  const list = form.querySelector("[data-list]");
  const said = form.querySelector("[data-said]");
  const stop = form.elements.stop;
  const start = form.querySelector("button:not([name])");
  let current = null;

  const line = (file) => {
    const item = document.createElement("li");
    item.className = "file";
    const name = document.createElement("strong");
    name.textContent = file.name;
    const bar = document.createElement("progress");
    bar.max = Math.max(file.size, 1);
    bar.value = 0;
    bar.setAttribute("aria-label", file.name);
    const text = document.createElement("div");
    item.append(name, bar, text);
    list.append(item);
    return { item, bar, text };
  };

  const tell = (shown, file, words, code) => {
    shown.bar.remove();
    shown.text.textContent = words;
    if (code) {
      const mark = document.createElement("code");
      mark.textContent = code;
      shown.text.append(" ", mark);
      shown.item.dataset.code = code;
    }
    said.textContent = `${file.name}: ${words}`;
  };

  const problemOf = (request) => {
    try {
      const problem = JSON.parse(request.responseText);
      return [`${failed}: ${problem.detail}`, problem.code];
    } catch {
      return [`${failed}: HTTP ${request.status}`, `http-${request.status}`];
    }
  };

  const send = (file) => new Promise((resolve) => {
    const shown = line(file);
    if (file.size > Number(limit)) {
      tell(shown, file, `${failed}: ${tooLarge}`, "too-large");
      resolve(false);
      return;
    }
    const request = current = new XMLHttpRequest();
    const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => typeof value === "string"));
    request.open("PUT", `${address.replace("NAME", encodeURIComponent(file.name))}?${query}`);
    request.setRequestHeader("X-CSRFToken", token);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.addEventListener("progress", (event) => { shown.bar.value = event.loaded; });
    request.addEventListener("load", () => {
      if (request.status === 200 || request.status === 201) {
        const artifact = JSON.parse(request.responseText);
        tell(shown, file, `${done}, SHA-256 ${artifact.sha256}`);
        resolve(true);
      } else {
        tell(shown, file, ...problemOf(request));
        resolve(false);
      }
    });
    request.addEventListener("error", () => { tell(shown, file, `${failed}: ${cut}`, "upload-cut"); resolve(false); });
    request.addEventListener("abort", () => { tell(shown, file, `${failed}: ${cancelled}`, "stopped"); resolve(false); });
    request.send(file);
  });

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const files = [...form.elements.file.files];
    start.disabled = true;
    stop.hidden = false;
    let stopped = false;
    stop.onclick = () => { stopped = true; current?.abort(); };
    for (const file of files) {
      if (!stopped) await send(file);
    }
    stop.hidden = true;
    start.disabled = false;
    form.elements.file.value = "";
    form.querySelector("[data-after]").hidden = false;
  });

  window.addEventListener("beforeunload", (event) => { if (!stop.hidden) event.preventDefault(); });
})();
