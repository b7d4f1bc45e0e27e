"use strict";
(() => {
  const list = document.getElementById("cases");
  const cases = [...list.querySelectorAll(".case")];
  const key = list.dataset.key;
  const lost = document.getElementById("lost"), none = document.getElementById("none");
  const read = () => {
    try { return JSON.parse(localStorage.getItem(key)) || {}; } catch { return {}; }
  };
  let ticks = read();
  const store = () => {
    try { localStorage.setItem(key, JSON.stringify(ticks)); } catch { /* a browser that keeps nothing */ }
  };
  const wanted = () => new Set([...document.querySelectorAll("[data-status][type=checkbox]")]
    .filter((box) => box.checked).map((box) => box.dataset.status));

  function show() {
    const chosen = wanted(), text = document.getElementById("search").value.toLowerCase();
    const openOnly = document.getElementById("open-only").checked, firstOnly = document.getElementById("first-only").checked;
    for (const one of cases) {
      const done = Boolean(ticks[one.dataset.id]);
      one.querySelector(".tick").checked = done;
      one.classList.toggle("reviewed", done);
      one.hidden = !chosen.has(one.dataset.status) || !one.dataset.id.toLowerCase().includes(text)
        || (openOnly && done) || (firstOnly && !one.dataset.first);
    }
    const known = new Set(cases.map((one) => one.dataset.id));
    none.hidden = cases.some((one) => !one.hidden);
    const gone = Object.keys(ticks).filter((id) => !known.has(id));
    const done = cases.filter((one) => ticks[one.dataset.id]).length;
    document.getElementById("progress").textContent = `${done} of ${cases.length} reviewed`;
    lost.hidden = !gone.length;
    lost.textContent = gone.length ? `Ticked, and no longer on the list (ticks are kept): ${gone.join(", ")}.` : "";
  }

  function tick(one, done) {
    ticks = read();  // another window of the same list may have written meanwhile
    if (done) ticks[one.dataset.id] = new Date().toISOString(); else delete ticks[one.dataset.id];
    store();
    show();
  }

  for (const one of cases) {
    one.tabIndex = 0;
    one.querySelector(".tick").addEventListener("change", (event) => tick(one, event.target.checked));
  }
  for (const button of list.querySelectorAll(".copy")) {
    button.addEventListener("click", async () => {
      try { await navigator.clipboard.writeText(button.dataset.copy); button.textContent = "Copied"; }
      catch { window.prompt("Copy this command", button.dataset.copy); }
    });
  }
  document.querySelectorAll("[data-status][type=checkbox], #open-only, #first-only").forEach((box) => box.addEventListener("change", show));
  document.getElementById("search").addEventListener("input", show);
  window.addEventListener("storage", () => { ticks = read(); show(); });

  document.getElementById("export").addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify({ list: key, reviewed: ticks }, null, 1)], { type: "application/json" }));
    link.download = "reviewed.json";
    link.click();
    URL.revokeObjectURL(link.href);
  });
  document.getElementById("import").addEventListener("change", async (event) => {
    try {
      const found = JSON.parse(await event.target.files[0].text()).reviewed;
      if (typeof found !== "object" || found === null) throw new Error();
      ticks = { ...read(), ...Object.fromEntries(Object.entries(found).filter(([, when]) => typeof when === "string")) };
      store();
      show();
    } catch { window.alert("This file holds no ticks. Choose a file that 'Export the ticks' wrote."); }
  });
  // Where a key goes: along the list, or, from nowhere, to the first case that is on the screen.
  function goal(seen, at, step) {
    if (at >= 0) return seen[Math.max(0, Math.min(seen.length - 1, at + step))];
    const top = document.querySelector(".filters").getBoundingClientRect().bottom;
    return seen.find((one) => one.getBoundingClientRect().bottom > top);
  }

  // A tick may take the case out of sight; the one that takes its place goes on.
  function tickAt(seen, at) {
    const one = seen[at];
    tick(one, !ticks[one.dataset.id]);
    if (one.hidden) (seen[at + 1] || seen[at - 1])?.focus();
  }

  document.addEventListener("keydown", (event) => {
    if (event.target.matches("input[type=search]") || event.ctrlKey || event.metaKey || event.altKey) return;
    const seen = cases.filter((one) => !one.hidden), at = seen.indexOf(document.activeElement.closest(".case"));
    const step = { j: 1, k: -1 }[event.key];
    if (step) goal(seen, at, step)?.focus();
    else if (event.key === "x" && at >= 0) tickAt(seen, at);
    else if (event.key === "Enter" && at >= 0 && document.activeElement === seen[at]) seen[at].querySelector("a")?.click();
  });
  show();
})();
