// A recording and what was said in it: the times of a transcript move its player, and what is heard now stands out.
const TIME = /^(?:(\d+):)?(\d{1,2}):(\d\d)$/;

const bus = new EventTarget();

// A player hears where it is to go on; returns what ends that.
export const heard = (url, act) => {
  const listen = (event) => event.detail.url === url && act(event.detail.at);
  bus.addEventListener("go", listen);
  return () => bus.removeEventListener("go", listen);
};

// A player says where it is.
export const tell = (url, at) => bus.dispatchEvent(new CustomEvent("at", { detail: { url, at } }));

const seconds = ([, hours, minutes, rest]) => Number(hours || 0) * 3600 + Number(minutes) * 60 + Number(rest);

// Makes the times in these words buttons of the recording; returns what ends that.
export const follow = (words, url) => {
  const marks = [...words.querySelectorAll("code")].map((mark) => ({ mark, found: TIME.exec(mark.textContent) })).filter((one) => one.found);
  for (const one of marks) {
    Object.assign(one, { at: seconds(one.found) });
    one.mark.classList.add("moment");
    one.mark.role = "button";
    one.mark.tabIndex = 0;
    const go = () => bus.dispatchEvent(new CustomEvent("go", { detail: { url, at: one.at } }));
    one.mark.onclick = go;
    one.mark.onkeydown = (event) => (event.key === "Enter" || event.key === " ") && (event.preventDefault(), go());
  }
  const listen = ({ detail }) => {
    if (detail.url !== url) return;
    const now = marks.findLast((one) => one.at <= detail.at + 0.05);
    for (const one of marks) one.mark.classList.toggle("now", one === now);
  };
  bus.addEventListener("at", listen);
  return () => bus.removeEventListener("at", listen);
};
