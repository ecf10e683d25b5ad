"use strict";
// What is signed is kept on this device until the portal has answered. Without a connection it waits and is sent again
// under the same key, as often as it takes: the portal takes it once.
(() => {
  const PREFIX = "handover:";
  const KEPT = ["code", "typed_name", "witness_name", "witness_typed", "signature", "witness_signature"];
  const RETRY_MS = 5000;
  const PROBLEM = "application/json";

  // A browser may keep nothing (a private window): then the page itself, as long as it is open.
  const memory = {};
  const store = {
    get(name) { try { return localStorage.getItem(name) ?? memory[name]; } catch { return memory[name]; } },
    set(name, text) {
      memory[name] = text;
      try { localStorage.setItem(name, text); } catch { /* kept in memory */ }
    },
    remove(name) {
      delete memory[name];
      try { localStorage.removeItem(name); } catch { /* nothing was kept */ }
    },
  };

  for (const closed of document.querySelectorAll("[data-handover-done]")) {
    store.remove(PREFIX + closed.dataset.handoverDone);
  }
  const form = document.querySelector("form[data-handover]");
  if (!form) return;
  const words = form.dataset;
  const key = PREFIX + words.handover;
  const state = document.querySelector("[data-handover-state]");
  const codeForm = document.querySelector("[data-code-form]");
  let timer = 0;
  let busy = false;

  const read = () => {
    try {
      return JSON.parse(store.get(key) || "{}");
    } catch {
      return {};
    }
  };
  const keep = (more) => {
    const values = Object.fromEntries(KEPT.filter((name) => form.elements[name])
      .map((name) => [name, form.elements[name].value]));
    store.set(key, JSON.stringify({ ...read(), ...values, ...more }));
  };

  const say = (name, text, link) => {
    state.hidden = false;
    state.dataset.handoverState = name;
    state.textContent = text;
    if (link) {
      const anchor = document.createElement("a");
      [anchor.href, anchor.textContent, anchor.className] = [...link, "btn btn-outline-secondary ms-2"];
      state.append(anchor);
    }
    state.scrollIntoView({ block: "nearest" });
  };

  const waitForConnection = () => {
    say("kept", words.kept);
    clearTimeout(timer);
    timer = setTimeout(send, RETRY_MS);
  };

  const problemOf = async (answer) => {
    try {
      return await answer.json();
    } catch {
      return { code: `http-${answer.status}`, detail: `HTTP ${answer.status}` };
    }
  };

  const post = (one) => fetch(one.action, {
    method: "POST",
    body: new URLSearchParams(new FormData(one)),
    headers: { Accept: PROBLEM },
    credentials: "same-origin",
  });

  const take = async (answer) => {
    if (answer.ok) {
      store.remove(key);
      location.assign(answer.url);
      return;
    }
    const problem = await problemOf(answer);
    if (answer.status === 401 || problem.code === "form-expired") {
      say("sign-in", words.signIn, [location.pathname, words.signInLabel]);
    } else if (answer.status >= 500 || answer.status === 429) {
      waitForConnection();
    } else if (problem.code.startsWith("code-")) {
      keep({ pending: false });
      form.elements.code.value = "";
      say(problem.code, `${problem.detail} ${words.newCode}`);
      form.elements.code.focus();
    } else {
      keep({ pending: false });
      say(problem.code, problem.detail, answer.status === 409 ? [words.actPage, words.actLabel] : null);
    }
  };

  const send = async () => {
    if (busy) return;
    busy = true;
    clearTimeout(timer);
    say("sending", words.sending);
    try {
      await take(await post(form));
    } catch {
      waitForConnection();
    } finally {
      busy = false;
    }
  };

  form.addEventListener("input", () => {
    keep({});
    if (["signature-empty", "code-none"].includes(state.dataset.handoverState)) state.hidden = true;
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!form.elements.signature.value && !form.elements.typed_name.value.trim()) {
      say("signature-empty", words.empty);
    } else if (!form.elements.code.value.trim()) {
      say("code-none", words.noCode);
      form.elements.code.focus();
    } else {
      keep({ pending: true });
      send();
    }
  });
  window.addEventListener("online", () => { if (read().pending) send(); });

  // A new code is asked for without leaving the page: what was drawn stays where it is.
  codeForm.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const answer = await post(codeForm);
      if (answer.ok) {
        location.assign(location.pathname);
      } else {
        const problem = await problemOf(answer);
        if (answer.status === 401 || problem.code === "form-expired") {
          say("sign-in", words.signIn, [location.pathname, words.signInLabel]);
        } else {
          say(problem.code, problem.detail);
        }
      }
    } catch {
      say("cut", words.cut);
    }
  });

  const before = read();
  for (const name of KEPT) {
    if (before[name] && form.elements[name] && !form.elements[name].value) form.elements[name].value = before[name];
  }
  for (const pad of form.querySelectorAll("[data-pad]")) {
    const picture = before[pad.dataset.pad];
    if (picture) pad.dispatchEvent(new CustomEvent("signature:restore", { detail: picture }));
  }
  if (before.pending) send();
  else if (before.signature) say("restored", words.restored);
})();
