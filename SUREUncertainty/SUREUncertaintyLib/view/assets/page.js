// What the page's template cannot say: uploads, downloads, the clipboard, colours. Talks to this machine's server only.
(() => {
  const utils = (window.trame.utils = window.trame.utils || {});
  const state = window.trame.state;
  const THEMES = ["auto", "light", "dark"];
  const remembered = () => THEMES.find((name) => name === localStorage.getItem("sure-theme")) || "auto";
  const say = (text, kind = "error") => state.set("message", { text, kind });

  // one call at a time; of the values that come meanwhile only the last one is sent
  const latest = (act) => {
    const waiting = [];
    let busy = false;
    return async (value) => {
      waiting.splice(0, 1, value);
      if (busy) return;
      busy = true;
      while (waiting.length) await act(waiting.pop());
      busy = false;
    };
  };

  const send = async (files) => {
    const form = new FormData();
    for (const file of files) form.append("file", file, file.name);
    state.set("busy", "Uploading ...");
    try {
      const answer = await window.sureAsk("sure/upload", { method: "POST", body: form });
      if (!answer.ok) {
        state.set("busy", "");
        say((await answer.json().catch(() => ({}))).error || "The upload was refused.");
      }
    } catch {
      state.set("busy", "");
      say("The upload broke off. Try again.");
    }
  };

  utils.sure = {
    tab: window.sureTab,
    themeName: remembered(),
    theme() {
      const next = THEMES[(THEMES.indexOf(remembered()) + 1) % THEMES.length];
      localStorage.setItem("sure-theme", next);
      utils.sure.themeName = next;
      document.documentElement.dataset.theme = next;
    },
    pick() {
      const input = document.createElement("input");
      input.type = "file";
      input.multiple = true;
      input.accept = ".nii,.gz,.nrrd,.mha,.dcm,.ima,.mrb";
      input.onchange = () => input.files.length && send([...input.files]);
      input.click();
    },
    async save(what) {
      try {
        const answer = await window.sureAsk("sure/save/" + what, { method: "POST" });
        if (!answer.ok) return say((await answer.json().catch(() => ({}))).error || "The download was refused.");
        const name = decodeURIComponent((answer.headers.get("Content-Disposition") || "").split("''")[1] || what);
        const link = document.createElement("a");
        link.href = URL.createObjectURL(await answer.blob());
        link.download = name;
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 60000);
      } catch {
        say("The download broke off. Try again.");
      }
    },
    async copy() {
      const text = await window.trame.trigger("copy");
      try {
        await navigator.clipboard.writeText(text);
        say("The table is on the clipboard.", "info");
      } catch {
        say("This browser does not let the page use the clipboard. Use CSV instead.");
      }
    },
    box(bounds, place, value) {
      window.trame.trigger("move_box", [bounds.map((old, n) => (n === place ? value : old))]);
    },
    fold(closed = !("folded" in document.documentElement.dataset)) {
      document.documentElement.toggleAttribute("data-folded", closed);
      document.querySelector("#fold")?.setAttribute("aria-expanded", String(!closed));
    },
    // from a word of the page to its meaning
    word(key) {
      document.querySelector("#words").open = true;
      const term = document.querySelector("#word-" + key);
      term?.scrollIntoView({ block: "center" });
      term?.focus();
    },
    // slices by keys and wheel; a page is ten slices
    step(view, count) {
      const bar = state.get("bars")[view];
      if (!bar) return;
      const wanted = state.get("slice_" + view) + count * bar.step;
      state.set("slice_" + view, Math.min(Math.max(wanted, bar.low), bar.high));
    },
    scroll(event, view) {
      const count = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 10, PageDown: -10 }[event.key];
      if (!count || view === "ThreeD") return;
      event.preventDefault();
      utils.sure.step(view, count);
    },
    turn(event, view) {
      utils.sure.step(view, event.deltaY < 0 ? 1 : -1);
    },
    // the mouse in a slice, when it does something else than look around; places are shares of the picture
    press(event, view, tool) {
      const pad = event.currentTarget;
      const image = pad.parentElement.querySelector(".picture img");
      const box = image.getBoundingClientRect();
      const scale = Math.min(box.width / image.naturalWidth, box.height / image.naturalHeight);
      const [width, height] = [image.naturalWidth * scale, image.naturalHeight * scale];
      const [left, top] = [box.left + (box.width - width) / 2, box.top + (box.height - height) / 2];
      const place = (e) => [(e.clientX - left) / width, (e.clientY - top) / height];
      const start = place(event);
      let sent = start;
      const tell = latest(async (now) => {
        if (tool === "cross") return window.trame.trigger("look_at", [view, now]);
        const [wider, higher] = [now[0] - sent[0], sent[1] - now[1]];
        sent = now;
        await window.trame.trigger("shift_window", [wider, higher]);
      });
      const line = pad.querySelector("line");
      const draw = (e) => {
        const around = pad.getBoundingClientRect();
        const ends = { x1: event.clientX, x2: e.clientX, y1: event.clientY, y2: e.clientY };
        for (const [name, value] of Object.entries(ends)) {
          line.setAttribute(name, value - (name[0] === "x" ? around.left : around.top));
        }
      };
      const move = (e) => (tool === "measure" ? draw(e) : tell(place(e)));
      const end = (e) => {
        pad.removeEventListener("pointermove", move);
        if (tool !== "measure") return;
        for (const name of ["x1", "x2", "y1", "y2"]) line.removeAttribute(name);
        window.trame.trigger("measure", [view, [...start, ...place(e)]]);
      };
      pad.setPointerCapture(event.pointerId);
      pad.addEventListener("pointermove", move);
      pad.addEventListener("pointerup", end, { once: true });
      if (tool === "cross") tell(start);
    },
    focus(element) {
      if (element && !element.contains(document.activeElement)) element.focus();
    },
  };
  document.documentElement.dataset.theme = remembered();

  // a narrow and low window, as at a zoom of 200 %: the views first, the panel on demand
  utils.sure.fold(matchMedia("(max-width: 899px) and (max-height: 560px)").matches);
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && state.get("large") && !state.get("browser")) state.set("large", "");
  });

  // the pictures come without a name; what they show is the name of the view around them
  const name = () => {
    for (const image of document.querySelectorAll(".picture img:not([alt])")) image.alt = "";
    const button = document.querySelector("#fold:not([aria-expanded])");
    if (button) utils.sure.fold("folded" in document.documentElement.dataset);
  };
  new MutationObserver(name).observe(document.body, { childList: true, subtree: true });

  // files may be dropped anywhere on the page
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) send([...event.dataTransfer.files]);
  });

  const greet = () => (window.trame.client?.getConnection?.() ? window.trame.trigger("greet", [window.sureTab]) : setTimeout(greet, 100));
  greet();
})();
