// The review pages' own script: keys, the clock, marking words, and a verdict that survives a lost connection.
"use strict";
(() => {
  const $ = (selector) => document.querySelector(selector);
  const words = JSON.parse(document.body.dataset.words);
  const say = (key, values = {}) => words[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const csrf = $("meta[name=csrf]").content;
  const me = document.body.dataset.name;
  const element = (tag, text, attributes = {}) => {
    const made = Object.assign(document.createElement(tag), attributes);
    made.textContent = text;
    return made;
  };

  // What was chosen in this browser, and what could not be sent. Storage may be off: then nothing is remembered.
  const kept = (storage, key, otherwise) => {
    try { return JSON.parse(storage.getItem(key)) ?? otherwise; } catch { return otherwise; }
  };
  const keep = (storage, key, value) => {
    try { storage.setItem(key, JSON.stringify(value)); return true; } catch { return false; }
  };

  // ---- notices: fixed in a corner, so that nothing moves
  const notices = new Map();
  const notice = (id, text, look) => {
    const before = notices.get(id);
    if (before?.isConnected && before.firstChild.textContent === text) return;  // said already
    before?.remove();
    const box = element("div", "");
    box.append(element("p", text));
    if (look) box.append(element("a", say("look"), { href: look }));
    const shut = element("button", say("dismiss"), { type: "button", className: "quiet" });
    shut.addEventListener("click", () => box.remove());
    box.append(shut);
    notices.set(id, box);
    $("#notices").append(box);
  };

  // ---- the clock
  const span = (seconds) => {
    const all = Math.floor(Math.abs(seconds) / 60);
    const days = Math.floor(all / 1440), hours = Math.floor(all / 60) % 24, minutes = all % 60;
    if (days) return `${days} d ${hours} h`;
    return hours ? `${hours} h ${String(minutes).padStart(2, "0")} min` : `${minutes} min`;
  };
  const tick = () => document.querySelectorAll("[data-clock]").forEach((clock) => {
    const left = (new Date(clock.dateTime) - Date.now()) / 1000;
    const state = left <= 0 ? "late" : left <= 1800 ? "soon" : "fine";
    const text = say(state === "late" ? "late" : "left", { span: span(left) });
    if (clock.textContent !== text) clock.textContent = text;
    clock.className = `clock ${state}`;
  });
  setInterval(tick, 5000);

  // ---- a verdict that could not be sent: kept without a word of the report, sent when that is possible
  const STORE = "riskmodel.verdicts";
  const pending = () => kept(localStorage, STORE, []);
  const send = async (verdict) => {
    const body = new URLSearchParams(verdict.body);
    body.set("csrf", csrf);
    const answer = await fetch(verdict.action, {
      method: "POST", body, redirect: "error", headers: { Accept: "application/json" }, signal: AbortSignal.timeout(10000),
    });
    const type = answer.headers.get("content-type") ?? "";
    return { status: answer.status, said: type.includes("json") ? await answer.json() : {} };
  };
  const later = (verdict, why) => {
    const others = pending().filter((other) => other.body !== verdict.body);
    if (keep(localStorage, STORE, [...others, verdict])) notice(verdict.case, say(why, { number: verdict.case }));
  };
  // Nobody logged in (401), or a page older than the login (403): whoever reloads has what it takes.
  const mayWork = (status) => status === 401 || status === 403 || status === 429 || status >= 500;
  const reason = (status) => (status === 401 || status === 403 ? "login" : "kept");
  let flushing = false;
  const flush = async () => {
    if (flushing || !me) return;
    flushing = true;
    for (const verdict of pending().filter((one) => one.name === me)) {
      let answer;
      try { answer = await send(verdict); } catch { break; }
      if (mayWork(answer.status)) { notice(verdict.case, say(reason(answer.status), { number: verdict.case })); break; }
      keep(localStorage, STORE, pending().filter((other) => other.body !== verdict.body));
      const here = form?.dataset.case === verdict.case;
      if (answer.status < 300) {
        forget(verdict.case);
        notice(verdict.case, say("sent", { number: verdict.case }));
        if (here) location.assign(answer.said.go);
      } else {
        notice(verdict.case, say("refused", { number: verdict.case }), `/review/cases/${verdict.case}`);
        if (here) refuse(answer);
      }
    }
    flushing = false;
  };

  // ---- the case
  const form = $("#verdict"), text = $("#text");
  const mine = Boolean(form && !$("#verdict > fieldset").disabled);
  const cells = () => [...form.querySelectorAll("[name=cell]")];
  const chosen = () => cells().find((cell) => cell.checked);
  const lifts = () => $("#lifted")?.checked ?? false;
  const DRAFT = (number) => `riskmodel.draft.${number}`;
  const forget = (number) => { try { sessionStorage.removeItem(DRAFT(number)); } catch { /* off */ } };
  let order = [], marks = [], suggested = "";

  const preview = () => {
    const cell = chosen(), lifted = lifts();
    const rating = lifted ? cell.dataset.lifted : cell.dataset.rating;
    const shown = $("#decide-rating .rating");
    shown.className = `rating ${rating}`;
    shown.textContent = words_of(rating);
    const now = `${cell.value} ${lifted}`;
    suggested ||= now;
    $("#decide-words").textContent = say(now === suggested ? "confirm" : "change");
    $("#chosen").textContent = order.map((name) => form.querySelector(`[value="${name}"] + span`).textContent).join(", ");
    draft();
  };
  const words_of = (rating) => say(`rating_${rating}`);
  const draft = () => mine && keep(sessionStorage, DRAFT(form.dataset.case), {
    cell: chosen().value, lifted: lifts(), order, marks, note: $("#note").value, seconds,
  });
  const restore = () => {
    const was = kept(sessionStorage, DRAFT(form.dataset.case), null);
    if (!was) return;
    const cell = cells().find((one) => one.value === was.cell);
    if (cell) cell.checked = true;
    if ($("#lifted")) $("#lifted").checked = was.lifted;
    $("#note").value = was.note;
    seconds = was.seconds ?? 0;
    order = was.order;
    marks = was.marks;
    form.querySelectorAll("[name=category]").forEach((box) => { box.checked = order.includes(box.value); });
  };
  const chose = (box) => {
    order = order.filter((name) => name !== box.value && (!box.checked || (name !== "none" && box.value !== "none")));
    if (box.checked) order.push(box.value);
    form.querySelectorAll("[name=category]").forEach((one) => { one.checked = order.includes(one.value); });
    preview();
  };
  const select = (severity, proximity) => {
    const [s, p] = chosen().value.split("/");
    cells().find((cell) => cell.value === `${severity ?? s}/${proximity ?? p}`).checked = true;
    preview();
  };

  // Seconds spent: while the page is seen and somebody moves.
  let seconds = 0, moved = Date.now();
  for (const event of ["keydown", "pointermove", "scroll", "pointerdown"]) addEventListener(event, () => { moved = Date.now(); }, { passive: true });
  setInterval(() => { if (document.visibilityState === "visible" && Date.now() - moved < 60000) seconds += 1; }, 1000);

  const refuse = (answer) => {
    if (answer.said.html) {
      $("#conflict").innerHTML = answer.said.html;  // a page's own fragment, escaped like any
      $("#conflict > *").focus();
    } else $("#refused").textContent = say("invalid", { why: answer.said.why ?? answer.status });
  };
  const decide = async (event) => {
    event.preventDefault();
    $("#refused").textContent = "";
    if (!order.length) { $("#refused").textContent = say("category"); openCategories(); return; }
    form.elements.seconds.value = seconds;
    form.elements.evidence.value = JSON.stringify(marks);
    const body = new URLSearchParams(new FormData(form));
    body.delete("csrf");
    body.delete("category");
    order.forEach((name) => body.append("category", name));
    const verdict = { action: form.getAttribute("action"), body: body.toString(), name: me, case: form.dataset.case };
    $("#decide").setAttribute("aria-disabled", "true");
    try {
      const answer = await send(verdict);
      if (answer.status < 300) { forget(verdict.case); location.assign(answer.said.go); return; }
      if (mayWork(answer.status)) later(verdict, reason(answer.status));
      else refuse(answer);
    } catch { later(verdict, "kept"); }
    $("#decide").removeAttribute("aria-disabled");
  };
  const arm = () => { $("#decide").focus(); $("#decide-words").textContent = say("again"); };
  const openCategories = () => { $("#categories").open = true; $("#categories input").focus(); };

  // ---- the text: offsets in code points, words, marks
  const points = (string) => [...string].length;
  const parts = () => {
    const found = [];
    let at = 0;
    const walk = document.createTreeWalker(text, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
      const stands = node.nodeType === 1 ? Number(node.dataset.n ?? 0) : 0;
      if (node.nodeType === 1 && !stands) continue;
      if (node.nodeType === 3 && node.parentElement.closest("[data-n]")) continue;
      const length = stands || points(node.data);
      found.push({ node, at, length, stands });
      at += length;
    }
    return found;
  };
  const offset = (node, inside) => {
    const range = document.createRange();
    range.setStart(text, 0);
    range.setEnd(node, inside);
    let length = 0;
    const walk = document.createTreeWalker(range.cloneContents(), NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    for (let one = walk.nextNode(); one; one = walk.nextNode()) {
      if (one.nodeType === 1 && one.dataset.n) length += Number(one.dataset.n);
      else if (one.nodeType === 3 && !one.parentElement?.closest("[data-n]")) length += points(one.data);
    }
    return length;
  };
  const range = ([start, end]) => {
    const made = document.createRange();
    for (const part of parts()) {
      const last = part.at + part.length;
      const utf16 = (at) => [...part.node.data].slice(0, at - part.at).join("").length;
      if (part.at <= start && start < last) part.stands ? made.setStartBefore(part.node) : made.setStart(part.node, utf16(start));
      if (part.at < end && end <= last) part.stands ? made.setEndAfter(part.node) : made.setEnd(part.node, utf16(end));
    }
    return made;
  };
  const plain = () => parts().map((part) => part.stands ? "\ufffc".repeat(part.stands) : part.node.data).join("");
  const paint = (name, spans) => {
    if (!globalThis.Highlight) return;
    CSS.highlights.set(name, new Highlight(...spans.map(range)));
  };
  const showMarks = () => {
    paint("own", marks);
    const letters = [...plain()];
    $("#marks").replaceChildren(...marks.map((span, at) => {
      const quoted = letters.slice(...span).join("");
      const item = element("li", "");
      const button = element("button", `× ${quoted}`, { type: "button" });
      button.setAttribute("aria-label", say("remove", { words: quoted }));
      button.addEventListener("click", () => { marks.splice(at, 1); showMarks(); ($("#marks button") ?? $("#mark")).focus(); });
      item.append(button);
      return item;
    }));
    draft();
  };
  const addMark = ([start, end]) => {
    const letters = [...plain()];
    while (start < end && /\s/.test(letters[start])) start += 1;
    while (end > start && /\s/.test(letters[end - 1])) end -= 1;
    if (start >= end) return;
    const apart = marks.filter(([s, e]) => e < start || end < s), touched = marks.filter(([s, e]) => !(e < start || end < s));
    marks = [...apart, [Math.min(start, ...touched.map(([s]) => s)), Math.max(end, ...touched.map(([, e]) => e))]].sort((a, b) => a[0] - b[0]);
    showMarks();
  };
  let walking = null;
  const wordList = () => {
    const string = plain(), found = [];
    let units = 0, at = 0;
    for (const one of new Intl.Segmenter(text.lang || undefined, { granularity: "word" }).segment(string)) {
      at += points(string.slice(units, one.index));
      units = one.index;
      if (one.isWordLike) found.push([at, at + points(one.segment)]);
    }
    return found;
  };
  const walked = () => [walking.words[Math.min(walking.from, walking.to)][0], walking.words[Math.max(walking.from, walking.to)][1]];
  const showWalk = () => {
    paint("at", walking ? [walked()] : []);
    if (!walking) return;
    const box = range(walked()).getBoundingClientRect();
    if (box.top < 60 || box.bottom > innerHeight - 60) scrollBy(0, box.top - innerHeight / 2);
    $("#said").textContent = [...plain()].slice(...walked()).join("");
  };
  const mark = () => {
    if (!mine || !text || text.inert) return;
    const chosenText = getSelection();
    if (chosenText.rangeCount && !chosenText.isCollapsed) {
      const picked = chosenText.getRangeAt(0);
      if (text.contains(picked.startContainer) && text.contains(picked.endContainer)) {
        addMark([offset(picked.startContainer, picked.startOffset), offset(picked.endContainer, picked.endOffset)]);
        chosenText.removeAllRanges();
        return;
      }
    }
    const list = wordList();
    if (!list.length) return;
    walking = { words: list, from: 0, to: 0 };
    text.focus();
    $("#said").textContent = say("marking");
    showWalk();
  };
  const walk = (event) => {
    const step = { ArrowRight: 1, ArrowDown: 8, ArrowLeft: -1, ArrowUp: -8 }[event.key];
    if (step) {
      walking.to = Math.max(0, Math.min(walking.words.length - 1, walking.to + step));
      if (!event.shiftKey) walking.from = walking.to;
    } else if (event.key === "Enter" || event.key === " ") { addMark(walked()); walking.from = walking.to; }
    else if (event.key === "z") { marks.pop(); showMarks(); }
    else if (event.key === "Escape") walking = null;
    else return;
    event.preventDefault();
    showWalk();
  };
  const veil = () => {
    const note = $("#note-before");
    if (!note) return;
    const show = text.inert;
    text.inert = !show;
    text.classList.toggle("veiled", !show);
    document.querySelectorAll("[data-veil]").forEach((one) => one.classList.toggle("veiled", !show));
    note.classList.toggle("gone", show);
    show ? text.focus({ preventScroll: true }) : $("#reveal").focus();
  };

  // ---- keys
  const press = (selector) => { const found = $(selector); if (found && !found.disabled) found.click(); };
  const rows = () => [...document.querySelectorAll("[data-row]")];
  const move = (by) => {
    const all = rows(), at = all.indexOf(document.activeElement);
    (all[at < 0 ? 0 : Math.max(0, Math.min(all.length - 1, at + by))])?.focus();
  };
  const everywhere = { "?": () => $("#keys").showModal(), u: () => press("#undo"), g: () => location.assign($("#back")?.href ?? "/review") };
  const inQueue = {
    n: () => press("#next"), j: () => move(1), k: () => move(-1), "/": () => $("#filters select").focus(),
    t: () => document.activeElement.closest("[data-case]")?.querySelector("[data-take]")?.click(),
  };
  const inCase = {
    v: veil, h: () => press("#hold"), x: () => press("#release"), o: () => press("#hand"), t: () => press("#take"), m: mark,
    ...(mine ? {
      1: () => select("minor"), 2: () => select("moderate"), 3: () => select("serious"), 4: () => select("severe"),
      q: () => select(null, "contained"), w: () => select(null, "plausible"), e: () => select(null, "active"),
      f: () => press("#lifted"), c: openCategories, i: () => $("#note").focus(),
      Enter: arm,
    } : {}),
  };
  const keys = { ...everywhere, ...(form ? inCase : $("#filters") ? inQueue : {}) };
  const single = $("#shortcuts");
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || $("dialog[open]")) return;
    const on = document.activeElement;
    if (walking && on === text) { walk(event); if (event.defaultPrevented) return; }
    if (event.key === "Escape") {
      document.querySelectorAll(".why").forEach((why) => why.classList.add("shut"));
      if (on.matches("textarea, input, select, summary")) on.blur();
      return;
    }
    if (on.matches("textarea, select, input:not([type=radio], [type=checkbox])")) return;
    if (event.key === "Enter" ? on.matches("a, button, summary") : !(single?.checked ?? true)) return;
    const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  document.addEventListener("mouseover", (event) => event.target.closest?.(".why")?.classList.remove("shut"));
  document.addEventListener("focusin", (event) => event.target.closest?.(".why")?.classList.remove("shut"));
  document.addEventListener("click", (event) => {
    const opens = event.target.closest("[data-open]"), closes = event.target.closest("[data-close]");
    if (opens) document.getElementById(opens.dataset.open).showModal();
    if (closes) closes.closest("dialog").close();
  });
  if (single) {
    single.checked = kept(localStorage, "riskmodel.shortcuts", true);
    single.addEventListener("change", () => keep(localStorage, "riskmodel.shortcuts", single.checked));
  }

  // ---- htmx: the token on every request; more rows keep the focus; a case that is lost cannot be decided
  document.addEventListener("htmx:config:request", (event) => { event.detail.ctx.request.headers["X-CSRF-Token"] = csrf; });
  document.addEventListener("htmx:before:swap", () => { if (document.activeElement?.id === "more") moreFrom = rows().length; });
  let moreFrom = -1;
  document.addEventListener("htmx:after:swap", () => {
    if (moreFrom >= 0) { rows()[moreFrom]?.focus(); moreFrom = -1; }
    if (form && $("[data-lost]")) $("#verdict > fieldset").disabled = true;
  });

  if (form) {
    order = [...form.querySelectorAll("[name=category]:checked")].map((box) => box.value);
    suggested = `${chosen().value} ${lifts()}`;
    if (mine) restore();
    preview();
    showMarks();
    form.addEventListener("submit", decide);
    form.addEventListener("change", (event) => (event.target.name === "category" ? chose(event.target) : preview()));
    $("#note").addEventListener("input", draft);
    $("#decide").addEventListener("blur", preview);
    $("#reveal")?.addEventListener("click", veil);
    $("#mark").addEventListener("click", mark);
    $("#mark").addEventListener("mousedown", (event) => event.preventDefault());  // keeps the selection
    text.addEventListener("blur", () => { walking = null; paint("at", []); });
  }
  addEventListener("online", flush);
  setInterval(() => { if (pending().length) flush(); }, 5000);
  flush();
})();
