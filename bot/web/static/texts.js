// What a page says in the language of its reader; values stand for the names in braces. The page brings along what is translated.
const brought = document.getElementById("texts");
const texts = brought ? JSON.parse(brought.textContent) : {};

export const tr = (text, values = {}) => (texts[text] ?? text).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

// From now on pages are in the language that this person has chosen, "" for whatever the browser asks for; whether this one has to be loaded anew.
// Where the browser keeps no cookies that would change nothing, and is tried once.
export const speak = (tag) => {
  if (sessionStorage.hobnobLanguage === tag) return false;
  sessionStorage.hobnobLanguage = tag;
  document.cookie = `hobnob-language=${tag}; path=/; samesite=lax; max-age=${tag ? 31_536_000 : 0}`;
  return true;
};
