// What a page says in the language of its reader; values stand for the names in braces. The page brings along what is translated.
const brought = document.getElementById("texts");
const texts = brought ? JSON.parse(brought.textContent) : {};

export const tr = (text, values = {}) => (texts[text] ?? text).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
