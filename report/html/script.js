"use strict";
(() => {
  const tools = document.getElementById("tools");
  const search = document.getElementById("search");
  const shown = document.getElementById("shown");
  const all = document.getElementById("all");
  if (!tools) return;
  tools.hidden = false;
  const rules = [...document.querySelectorAll(".rule")];
  const places = [...document.querySelectorAll(".place")];
  const off = (id) => { const box = document.getElementById("f-" + id); return box !== null && !box.checked; };
  const text = new Map();
  const textOf = (el) => {
    if (!text.has(el)) text.set(el, el.textContent.toLowerCase());
    return text.get(el);
  };
  const apply = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let n = 0;
    for (const rule of rules) {
      const head = words.length ? textOf(rule.querySelector(".about")) : "";
      let left = 0;
      for (const place of rule.querySelectorAll(".place")) {
        const hit = words.every((w) => head.includes(w) || textOf(place).includes(w));
        place.hidden = !hit;
        if (hit && !off(place.dataset.drift)) left++;
      }
      if (off(rule.dataset.severity)) left = 0;
      rule.hidden = left === 0;
      n += left;
    }
    shown.textContent = n + " of " + places.length + " shown";
  };
  search.addEventListener("input", apply);
  for (const box of document.querySelectorAll(".filters input[type=checkbox]")) box.addEventListener("change", apply);
  all.addEventListener("click", () => {
    const open = all.getAttribute("aria-pressed") !== "true";
    for (const d of document.querySelectorAll(".rule details")) d.open = open;
    all.setAttribute("aria-pressed", String(open));
    all.textContent = open ? "Fold all evidence" : "Unfold all evidence";
  });
  window.addEventListener("beforeprint", () => { for (const d of document.querySelectorAll("details")) d.open = true; });
  apply();
})();
