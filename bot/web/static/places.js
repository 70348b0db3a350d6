// What stands at each place as the page knows it: messages, how many of them are new, whether there are older ones.
import { day } from "/static/words.js";

const SOON = 300; // seconds within which lines of one person stand together

// `fresh` is the message with which the new ones begin, `behind` how many there were when somebody came, `whole` that none is older.
export const empty = () => ({ messages: [], unread: 0, fresh: "", behind: 0, whole: false, asked: false });

// Puts a change in its place; true for a message that was not there.
export const put = ({ messages }, change) => {
  const at = messages.findLastIndex((message) => Number(message.id) <= Number(change.id));
  const known = messages[at]?.id === change.id;
  if (change.gone) known && messages.splice(at, 1);
  else if (!known) messages.splice(at + 1, 0, change);
  else if (change.version >= messages[at].version) Object.assign(messages[at], change);
  return !change.gone && !known;
};

// The message with which the last `n` of others begin.
export const since = ({ messages }, n, me) => {
  const theirs = messages.filter((message) => message.author.id !== me);
  return (n && theirs.at(-Math.min(n, theirs.length))?.id) || "";
};

// Messages as they are drawn: which begin a day, which follow on the one before, where the new ones begin.
export const lines = (messages, fresh) => {
  let last = null;
  return messages.map((message) => {
    const today = day(message.at);
    const turn = !last || today !== day(last.at);
    const begins = message.id === fresh;
    const follows = !turn && !begins && last.author.id === message.author.id && message.at - last.at < SOON && !message.reply_to && !message.only;
    last = message;
    return { message, follows, day: turn ? today : "", begins };
  });
};
