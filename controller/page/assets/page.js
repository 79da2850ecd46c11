// SPDX-License-Identifier: Apache-2.0

// The page of a manager. It makes each element by itself and sets texts only, never HTML.
"use strict";

const shown = 100; // rows of a list, before the rest is asked for
const open = new Set(); // lists of which all rows are shown
let last = null; // the last snapshot
let paused = false;
let story = null; // the stories that are shown
const saved = document.getElementById("saved"); // the data of a page that was saved as one file

const byId = (id) => document.getElementById(id);

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// rows makes the children of a list those of items. Children whose key is there already are kept, with their
// focus.
function rows(parent, items, keyOf, create, update) {
  const known = new Map();
  for (const child of parent.children) known.set(child.dataset.key, child);
  let at = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let row = known.get(key);
    if (row) {
      known.delete(key);
    } else {
      row = create(item);
      row.dataset.key = key;
    }
    update(row, item);
    if (row === at) at = at.nextElementSibling;
    else parent.insertBefore(row, at);
  }
  for (const child of known.values()) child.remove();
}

// capped shows the first rows of a list and says how many more there are.
function capped(list, name, items, total, keyOf, create, update) {
  const all = open.has(name);
  rows(list, all ? items : items.slice(0, shown), keyOf, create, update);
  let more = list.nextElementSibling;
  if (!more || !more.classList.contains("more")) {
    more = make("button", "more");
    more.type = "button";
    more.addEventListener("click", () => {
      if (open.has(name)) open.delete(name); else open.add(name);
      render();
    });
    list.after(more);
  }
  const rest = total - Math.min(total, all ? items.length : shown);
  more.hidden = total <= shown && !all;
  setText(more, all ? "Show fewer" + (rest > 0 ? " (and " + rest + " more)" : "") : "and " + rest + " more");
}

function seconds(s) {
  if (s < 0) return "-" + seconds(-s);
  if (s < 1) return Math.round(s * 1000) + " ms";
  if (s < 10) return s.toFixed(1) + " s";
  if (s < 120) return Math.round(s) + " s";
  if (s < 7200) return Math.round(s / 60) + " min";
  return Math.round(s / 3600) + " h";
}

const clock = (moment) => new Date(moment).toLocaleTimeString([], { hour12: false });
const nameOf = (o) => (o.namespace ? o.namespace + "/" + o.name : o.name);
const counted = (n, noun) => n + " " + noun + (n === 1 ? "" : "s");

function why(w) {
  const reason = w.reason.replaceAll("_", " ");
  if (!w.by) return reason;
  const who = w.by.self ? "itself" : w.by.kind + " " + nameOf(w.by);
  return who + " " + (w.by.change === "spec" || w.by.change === "status" ? "changed its " + w.by.change
    : w.by.change === "content" ? "changed" : w.by.change) +
    (w.events > 1 ? ", and " + (w.events - 1) + " more" : "");
}

const phases = {
  waiting: "waiting for a connection", throttled: "throttled", fenced: "waiting for the fence", preparing: "preparing",
  sent: "sent, no answer yet", reading: "reading the answer",
};

function callText(c) {
  const what = c.verb ? [c.verb, c.path || c.resource, c.name ? nameOf(c) : c.namespace ? "in " + c.namespace : ""]
    .filter(Boolean).join(" ") : "a call";
  return what + " (" + phases[c.phase] + ", " + seconds(c.age) + ")";
}

function objectButton(item) {
  const button = make("button", "object", nameOf(item));
  button.type = "button";
  button.title = "Tell the story of " + nameOf(item);
  button.addEventListener("click", () => tell(item.namespace || "", item.name));
  return button;
}

function objectRow(item) {
  const row = make("li");
  row.append(objectButton(item), make("span", "number"), make("span", "note"), make("span", "calls"));
  return row;
}

function updateItem(row, item) {
  row.className = item.stuck ? "bad" : "";
  const [, time, note, calls] = row.children;
  setText(time, item.stuck ? "STUCK for " + seconds(-item.left) + " after its time"
    : seconds(item.age) + ", " + seconds(item.left) + " left");
  setText(note, (item.attempt > 1 ? "attempt " + item.attempt + ", " : "") + why(item.why));
  setText(calls, item.calls.length ? "in " + item.calls.map(callText).join(" and ") : "");
}

function waiterRow(item) {
  const row = make("li");
  row.append(objectButton(item), make("span", "number"), make("span", "note"));
  return row;
}

const states = { ready: "ready", delayed: "waits until ", held: "held back until ", parked: "waits for caches, at most until " };

function updateWaiter(row, item) {
  const [, state, note] = row.children;
  setText(state, item.until ? states[item.state] + clock(item.until) : "ready since " + clock(item.since));
  setText(note, why(item.why));
}

function controllerBranch(c) {
  const branch = make("details", "controller");
  branch.open = true;
  const summary = make("summary");
  summary.append(make("span", "name", c.name), " ", make("span", "note"), " ", make("span", "number"));
  const items = make("ul", "rows");
  items.setAttribute("aria-label", "In flight of " + c.name);
  const queue = make("details");
  const waiting = make("ul", "rows");
  waiting.setAttribute("aria-label", "Queue of " + c.name);
  queue.append(make("summary", "queue"), waiting);
  const held = make("div");
  held.append(items);
  branch.append(summary, held, queue);
  return branch;
}

function updateController(branch, c) {
  const [summary, held, queue] = branch.children;
  const q = c.queue;
  const total = q.ready + q.delayed + q.parked;
  const stuck = c.inFlight.filter((item) => item.stuck).length;
  setText(summary.children[1], c.kind + (c.serving ? "" : ", not working"));
  setText(summary.children[2], c.inFlight.length + " of " + c.workers + " workers busy, " + total + " in the queue" +
    (stuck ? ", " + stuck + " STUCK" : ""));
  summary.children[2].className = "number " + (stuck ? "error" : c.serving ? "good" : "wait");
  capped(held.firstElementChild, "items " + c.name, c.inFlight, c.inFlight.length, nameOf, objectRow, updateItem);
  setText(queue.firstElementChild, "Queue: " + q.ready + " ready, " + q.delayed + " delayed, " + q.parked + " waiting for caches");
  queue.hidden = total === 0;
  if (queue.open && !queue.hidden) {
    capped(queue.children[1], "queue " + c.name, q.waiting, total, nameOf, waiterRow, updateWaiter);
  }
}

const scopes = [
  { key: "always", title: () => "Always" },
  { key: "term", title: (s) => "Term of the Lease " + (s.leadership ? s.leadership.lease : "") + ": " +
    (s.leadership && s.leadership.leads ? "this process leads, " + seconds(s.leadership.left) + " left" : "this process does not lead") },
  { key: "slots", title: (s) => "Slots: " + (s.shards ? s.shards.held.length + " of " + s.shards.total + " are this process's" +
    (s.shards.held.length ? " (" + ranges(s.shards.held) + "), " + seconds(s.shards.left) + " left" : "") +
    (s.shards.refused ? "; " + s.shards.refused : "") : "") },
];

function ranges(numbers) {
  const parts = [];
  for (const n of numbers) {
    const part = parts.at(-1);
    if (part && part[1] === n - 1) part[1] = n; else parts.push([n, n]);
  }
  return parts.map(([from, to]) => (from === to ? from : from + "-" + to)).join(", ");
}

function renderTree(s) {
  const branches = scopes.map((scope) => ({ ...scope, controllers: s.controllers.filter((c) => c.scope === scope.key) }))
    .filter((scope) => scope.controllers.length);
  rows(byId("tree"), branches, (b) => b.key, () => {
    const branch = make("details", "scope");
    branch.open = true;
    branch.append(make("summary", "name"), make("div"));
    return branch;
  }, (branch, b) => {
    setText(branch.firstElementChild, b.title(s));
    rows(branch.children[1], b.controllers, (c) => c.name, controllerBranch, updateController);
  });
}

function renderSlow(s) {
  const calls = [];
  const add = (who, item, list) => list.filter((c) => c.verb !== "watch").forEach((c, i) => calls.push({ who, item, c, i }));
  for (const c of s.controllers) for (const item of c.inFlight) add(c.name, item, item.calls);
  for (const r of s.runnables) add(r.name, null, r.calls);
  calls.sort((a, b) => b.c.age - a.c.age);
  capped(byId("slow"), "slow", calls, calls.length, (x) => x.who + " " + (x.item ? nameOf(x.item) : "") + " " + x.i, (x) => {
    const row = make("li");
    row.append(x.item ? objectButton(x.item) : make("span", "name", x.who), make("span", "note"));
    return row;
  }, (row, x) => {
    row.className = x.c.age >= 10 ? "bad" : "";
    setText(row.children[1], callText(x.c) + (x.item ? ", " + x.who : ""));
  });
}

function renderRecent(s) {
  capped(byId("recent"), "recent", s.recent, s.recent.length, (r) => r.controller + " " + nameOf(r) + " " + r.began, (r) => {
    const row = make("li");
    row.append(make("span", "number", clock(r.began)), objectButton(r),
      make("span", r.error ? "error" : r.outcome === "cancelled" ? "wait" : "good", r.cause ? r.outcome + " (" + r.cause + ")" : r.outcome),
      make("span", "number", seconds(r.took)),
      make("span", "note", [r.error, why(r.why), (r.writes || []).map((w) => w.verb + " " + w.resource).join(", ")].filter(Boolean).join("; ")));
    return row;
  }, () => {});
}

function table(id, items, keyOf, cells) {
  rows(byId(id), items, keyOf, (item) => {
    const row = make("tr");
    for (const cell of cells(item)) row.append(make("td", typeof cell === "number" ? "number" : ""));
    return row;
  }, (row, item) => cells(item).forEach((cell, i) => setText(row.children[i], String(cell))));
}

function renderTables(s) {
  table("writers", s.writers, (w) => w.controller + w.verb + w.resource, (w) =>
    [w.controller, w.verb + " " + w.resource, w.writes, w.withoutEffect, nameOf(w.by) + ", " + clock(w.last)]);
  table("caches", s.caches.map((c, i) => ({ ...c, i })), (c) => c.kind + c.i, (c) =>
    [c.kind, c.objects < 0 ? "?" : c.objects, c.age < 0 ? "never" : seconds(c.age) + " ago",
      c.error || c.failing ? "not fed for " + seconds(c.failing) + (c.error ? ": " + c.error : "") : c.synced ? "synced" : "filling"]);
  table("connections", s.connections.map((c, i) => ({ ...c, i })), (c) => c.purpose + c.i, (c) =>
    [c.purpose, c.connections + (c.limit ? " of " + c.limit : ""), c.calls, c.waiting]);
  rows(byId("beside"), s.runnables, (r) => r.kind + r.name, (r) => {
    const row = make("li");
    row.append(make("span", "name", r.name), make("span", "note"));
    return row;
  }, (row, r) => setText(row.children[1], r.kind + ", " + seconds(r.age) + (r.calls.length ? ", in " + r.calls.map(callText).join(" and ") : "")));
}

function renderShutdown(s) {
  const d = s.shutdown;
  const parts = [counted(d.cancelled, "reconcile") + " would be cancelled"];
  if (d.writes) parts.push(counted(d.writes, "write") + " would be cut off and may have been applied");
  if (d.finishing) parts.push(counted(d.finishing, "reconcile") + " would have up to " + seconds(d.longest) + " to finish");
  parts.push(counted(d.notStarted, "waiting object") + " would not be started");
  setText(byId("shutdown"), parts.join("; ") + ".");
}

function stateText(s) {
  const parts = [{ setup: "not started", running: "running", ending: "ENDING", ended: "ENDED" }[s.state] + (s.cause ? ": " + s.cause : "")];
  if (s.leadership) parts.push(s.leadership.leads ? "leads " + s.leadership.lease : "does not lead " + s.leadership.lease);
  if (s.shards) parts.push(counted(s.shards.held.length, "slot"));
  parts.push(counted(s.controllers.reduce((n, c) => n + c.inFlight.length, 0), "reconcile") + " in flight");
  return parts.join(", ");
}

function render() {
  const s = last;
  if (!s) return;
  const began = performance.now();
  document.title = s.name + " - Lanyard";
  setText(byId("name"), s.name);
  renderTree(s);
  renderSlow(s);
  renderShutdown(s);
  renderRecent(s);
  renderTables(s);
  document.body.dataset.rendered = (performance.now() - began).toFixed(1);
}

function setState(text, bad) {
  setText(byId("state"), text);
  byId("state").className = bad ? "bad" : "";
}

function suggest(s) {
  const names = new Set();
  for (const c of s.controllers) {
    for (const item of c.inFlight.slice(0, 100)) names.add(nameOf(item));
    for (const item of c.queue.waiting) names.add(nameOf(item));
  }
  for (const r of s.recent) names.add(nameOf(r));
  rows(byId("known"), [...names].sort(), (n) => n, (n) => {
    const option = make("option");
    option.value = n;
    return option;
  }, () => {});
}

async function storiesOf(namespace, name) {
  if (saved) return JSON.parse(saved.textContent).stories[namespace + "/" + name] || { stories: [], text: "" };
  const response = await fetch("stories?" + new URLSearchParams({ namespace, name }), { cache: "no-store" });
  if (!response.ok) throw new Error(response.status + " " + (await response.text()));
  return response.json();
}

let tells = 0; // only the story asked for last is shown

async function tell(namespace, name) {
  const number = ++tells;
  const object = nameOf({ namespace, name });
  byId("object").value = object;
  setText(byId("story-title"), "Story of " + object);
  setText(byId("copied"), "");
  setText(byId("story-text"), "Asking");
  byId("story").hidden = false;
  try {
    const told = await storiesOf(namespace, name);
    if (number !== tells) return;
    story = told;
    setText(byId("story-text"), told.text || "No controller of this process knows an object of this name. Is it namespace/name?");
  } catch (error) {
    story = null;
    setText(byId("story-text"), "It cannot be told: " + error.message);
  }
  byId("story-title").focus();
}

function closeStory() {
  byId("story").hidden = true;
  byId("object").focus();
}

async function copy(text) {
  if (!story) return;
  try {
    await navigator.clipboard.writeText(text);
    setText(byId("copied"), "Copied");
  } catch {
    getSelection().selectAllChildren(byId("story-text"));
    setText(byId("copied"), "Selected: copy it with the keyboard");
  }
}

function pause() {
  paused = !paused;
  byId("pause").setAttribute("aria-pressed", String(paused));
}

let events = null;

function listen() {
  events = new EventSource("events");
  events.onmessage = (event) => {
    if (paused) return;
    last = JSON.parse(event.data);
    setState(stateText(last), last.state === "ending" || last.state === "ended");
    render();
    suggest(last);
  };
  events.onerror = () => setState("No connection to the process, trying again" + (last ? "; this was at " + clock(last.at) : ""), true);
}

function lookedAt() { // while nobody looks the process need not tell
  if (document.hidden) events.close(); else if (events.readyState === EventSource.CLOSED) listen();
}

byId("search").addEventListener("submit", (event) => {
  event.preventDefault();
  const value = byId("object").value.trim();
  const slash = value.indexOf("/");
  if (value) tell(slash < 0 ? "" : value.slice(0, slash), value.slice(slash + 1));
});
byId("pause").addEventListener("click", pause);
byId("close").addEventListener("click", closeStory);
byId("copy-text").addEventListener("click", () => copy(story.text));
byId("copy-json").addEventListener("click", () => copy(JSON.stringify(story.stories, null, 2)));
byId("tree").addEventListener("toggle", () => render(), true);
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && !byId("story").hidden) return closeStory();
  if (event.target instanceof HTMLInputElement) return;
  if (event.key === "/") { event.preventDefault(); byId("object").focus(); }
  if (event.key === "p") pause();
});

if (saved) {
  last = JSON.parse(saved.textContent).snapshot;
  setState("Saved at " + new Date(last.at).toLocaleString() + ": " + stateText(last), false);
  byId("pause").hidden = true;
  byId("save").hidden = true;
  render();
  suggest(last);
} else {
  listen();
  document.addEventListener("visibilitychange", lookedAt);
}
