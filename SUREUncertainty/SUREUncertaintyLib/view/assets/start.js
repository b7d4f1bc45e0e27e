// Before trame's program: keeps the token across reloads of this tab, checks it, and tells when the server is gone.
(() => {
  const KEY = "sure-token";
  const script = document.currentScript;
  const address = new URL(location);
  const token = address.searchParams.get("secret") || sessionStorage.getItem(KEY) || "";

  const lost = (title, text, button) => {
    const box = document.querySelector("#lost");
    box.replaceChildren();
    const card = document.createElement("div");
    card.className = "card";
    const heading = document.createElement("h1");
    heading.textContent = title;
    const words = document.createElement("p");
    words.textContent = text;
    card.append(heading, words);
    if (button) {
      const again = document.createElement("button");
      again.className = "primary";
      again.textContent = button;
      again.onclick = () => location.reload();
      card.append(again);
    }
    box.append(card);
    box.hidden = false;
  };

  const ask = (path, options = {}) =>
    fetch(path, { ...options, headers: { "X-SURE-Token": token, ...(options.headers || {}) } });

  window.sureAsk = ask;
  window.sureTab = Math.random().toString(36).slice(2, 10);

  // a connection that breaks: wait for the server to answer, then start anew
  let leaving = false;
  addEventListener("pagehide", () => (leaving = true));
  const wait = async () => {
    try {
      if ((await ask("sure/session")).ok) return location.reload();
      return lost("This address is no longer valid", "The program was started anew. Open the address that it printed.");
    } catch {
      setTimeout(wait, 1500);
    }
  };
  const Socket = window.WebSocket;
  window.WebSocket = class extends Socket {
    constructor(...args) {
      super(...args);
      this.addEventListener("close", () => {
        if (leaving) return;
        lost("The connection is lost", "The program behind this page has stopped or does not answer. The page goes on by itself when it is back.", "Try now");
        setTimeout(wait, 700);
      });
    }
  };

  const begin = () => {
    for (const [source, type] of [["vue.global.js", ""], [script.dataset.module, "module"]]) {
      const element = document.createElement("script");
      element.src = source;
      element.async = false;
      if (type) element.type = type;
      document.head.append(element);
    }
  };

  addEventListener("DOMContentLoaded", async () => {
    try {
      if (!token || !(await ask("sure/session")).ok) {
        sessionStorage.removeItem(KEY);
        history.replaceState({}, "", address.pathname);
        document.querySelector("#app").replaceChildren();
        return lost("This page is locked", "It opens only with the whole address that 'sure view' printed, which ends in a secret. Copy it from the terminal.");
      }
    } catch {
      return lost("The program does not answer", "Start 'sure view' again.", "Try again");
    }
    sessionStorage.setItem(KEY, token);
    // without an address of its own trame would first ask for one that does not exist
    address.searchParams.set("sessionURL", `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`);
    address.searchParams.set("secret", token); // trame reads it here and takes it out of the address bar
    history.replaceState({}, "", address);
    begin();
  });
})();
