"use strict";
// Who calls: found while one types, chosen with the arrows, taken with Enter. Without this the form asks in two steps.
{
  const form = document.querySelector("[data-callers]");
  if (form) {
    const input = form.querySelector("input[name=q]");
    const list = form.querySelector("[role=listbox]");
    const status = form.querySelector("[data-status]");
    let chosen = -1;
    let asked = 0;
    let waiting = 0;
    form.querySelector("[data-help]").hidden = false;
    for (const plain of document.querySelectorAll("[data-plain]")) plain.hidden = true;

    const choose = (place) => {
      const options = [...list.children];
      chosen = options.length ? (place + options.length) % options.length : -1;
      options.forEach((option, at) => option.setAttribute("aria-selected", String(at === chosen)));
      if (chosen >= 0) {
        input.setAttribute("aria-activedescendant", options[chosen].id);
        options[chosen].scrollIntoView({ block: "nearest" });
      } else {
        input.removeAttribute("aria-activedescendant");
      }
    };

    const show = (callers) => {
      list.replaceChildren(...callers.map((caller, place) => {
        const option = document.createElement("li");
        option.id = `caller-${place}`;
        option.setAttribute("role", "option");
        option.dataset.address = caller.address;
        const name = document.createElement("strong");
        name.textContent = caller.name;
        const rest = document.createElement("span");
        rest.textContent = [caller.customer, caller.phones, caller.role].filter(Boolean).join(" · ");
        option.append(name, " ", rest);
        option.addEventListener("click", () => { location.assign(caller.address); });
        return option;
      }));
      list.hidden = callers.length === 0;
      input.setAttribute("aria-expanded", String(callers.length > 0));
      status.textContent = callers.length ? String(callers.length) : status.dataset.none;
      choose(0);
    };

    const ask = async () => {
      const mine = ++asked;
      const text = input.value.trim();
      if (text.length < 2) { show([]); status.textContent = ""; return; }
      const answer = await fetch(`${form.dataset.callers}?q=${encodeURIComponent(text)}`);
      if (mine === asked && answer.ok) show((await answer.json()).callers);
    };

    input.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(ask, 120); });
    input.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step && list.children.length) { event.preventDefault(); choose(chosen + step); }
      if (event.key === "Escape") show([]);
    });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      clearTimeout(waiting);
      if (chosen < 0) await ask();
      if (chosen >= 0) location.assign(list.children[chosen].dataset.address);
    });
    if (input.value) ask();
  }
}
// What impact and urgency give, while they are chosen.
{
  const form = document.querySelector("[data-severities]");
  if (form) {
    const severities = JSON.parse(form.dataset.severities);
    const said = form.querySelector("[data-severity]");
    const say = () => {
      const words = severities[`${form.elements.impact.value}/${form.elements.urgency.value}`];
      said.textContent = `${said.dataset.words} ${words}`;
    };
    form.elements.impact.addEventListener("change", say);
    form.elements.urgency.addEventListener("change", say);
    say();
  }
}
