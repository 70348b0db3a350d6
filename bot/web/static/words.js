// Small pure functions of the page: names, times, sizes, colours.
import { tr } from "/static/texts.js";

// The page's language, as it is written where the browser's person lives, if that is theirs.
const tongue = document.documentElement.lang;
const here = navigator.languages.find((one) => one.split("-")[0] === tongue.split("-")[0]) ?? (tongue || []);

export const initials = (name) => {
  const words = name.trim().split(/\s+/);
  const letters = words.length > 1 ? [...words[0]][0] + [...words.at(-1)][0] : [...words[0]].slice(0, 2).join("");
  return letters.toUpperCase();
};

export const hue = (id) => ([...id].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 9973, 7) * 137.5) % 360;

export const clock = (at) => new Date(at * 1000).toLocaleTimeString(here, { timeStyle: "short" });

export const moment = (at) => new Date(at * 1000).toLocaleString(here, { dateStyle: "medium", timeStyle: "short" });

export const day = (at) => {
  const date = new Date(at * 1000);
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(date).setHours(0, 0, 0, 0)) / 86_400_000);
  if (days < 2) return days === 0 ? tr("Today") : tr("Yesterday");
  return date.toLocaleDateString(here, { weekday: "long", day: "numeric", month: "long" });
};

export const size = (bytes) => {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1024 * 1024 ? `${Math.round(bytes / 1024)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
};

export const number = (value) => value.toLocaleString(here);

export const time = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

export const token = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

// Puts new HTML in place and leaves alone what has not changed, so that a streamed answer neither flickers nor loses a selection.
export const settle = (element, html) => {
  const fresh = document.createElement("template");
  fresh.innerHTML = html;
  blend(element, fresh.content);
};

const blend = (old, fresh) => {
  const wanted = [...fresh.childNodes];
  wanted.forEach((node, at) => {
    const there = old.childNodes[at];
    if (!there) old.append(node);
    else if (!there.isEqualNode(node)) mend(there, node);
  });
  while (old.childNodes.length > wanted.length) old.lastChild.remove();
};

const mend = (old, fresh) => {
  const alike = old.nodeName === fresh.nodeName && old.className === fresh.className;
  if (alike && old.nodeType === Node.TEXT_NODE) old.data = fresh.data;
  else if (alike && ["P", "UL", "OL", "LI", "DIV", "PRE", "CODE", "BLOCKQUOTE"].includes(old.nodeName)) blend(old, fresh);
  else old.replaceWith(fresh);
};

export const megabytes = (bytes) => `${Math.round(bytes / 1e6)} MB`;

export const gigabytes = (bytes) => (bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(bytes < 1e10 ? 1 : 0)} GB`);

// A time that may be short.
export const seconds = (took) => (took < 10 ? tr("{n} s", { n: Math.round(took * 100) / 100 }) : span(took));

// How long something takes or has taken, in the two largest units.
export const span = (seconds) => {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return tr("{n} s", { n: whole });
  if (whole < 3600) return tr("{minutes} min {seconds} s", { minutes: Math.floor(whole / 60), seconds: whole % 60 });
  return tr("{hours} h {minutes} min", { hours: Math.floor(whole / 3600), minutes: Math.floor((whole % 3600) / 60) });
};

// A value of a configuration as people read it.
export const value = (given) => {
  if (given === null || given === "" || (Array.isArray(given) && !given.length)) return tr("nothing");
  if (typeof given === "boolean") return given ? tr("yes") : tr("no");
  if (Array.isArray(given) && given.every((one) => typeof one !== "object")) return given.join(", ");
  return typeof given === "object" ? JSON.stringify(given) : String(given);
};
