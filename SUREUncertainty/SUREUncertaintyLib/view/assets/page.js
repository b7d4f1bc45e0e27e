// What the page's template cannot say: uploads, downloads, the clipboard, colours. Talks to this machine's server only.
(() => {
  const utils = (window.trame.utils = window.trame.utils || {});
  const state = window.trame.state;
  const THEMES = ["auto", "light", "dark"];
  const remembered = () => THEMES.find((name) => name === localStorage.getItem("sure-theme")) || "auto";
  const say = (text, kind = "error") => state.set("message", { text, kind });

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
        say("This browser does not let the page use the clipboard. Use Save as CSV instead.");
      }
    },
    box(bounds, place, value) {
      window.trame.trigger("move_box", [bounds.map((old, n) => (n === place ? value : old))]);
    },
    points(rows, name) {
      return rows.filter((r) => r[name] !== null).map((r) => `${34 + (290 * r.level) / 0.6},${160 - 140 * r[name]}`).join(" ");
    },
    focus(element) {
      if (element && !element.contains(document.activeElement)) element.focus();
    },
  };
  document.documentElement.dataset.theme = remembered();

  // files may be dropped anywhere on the page
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) send([...event.dataTransfer.files]);
  });

  const greet = () => (window.trame.client?.getConnection?.() ? window.trame.trigger("greet", [window.sureTab]) : setTimeout(greet, 100));
  greet();
})();
