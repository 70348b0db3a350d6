// How one reads in the room: at the newest line as it grows, or further up, where older messages come by themselves. Methods of room.js.
import { put } from "/static/places.js";
import { tr } from "/static/texts.js";

const NEAR = 400; // pixels below the top from which on older messages are asked for

export const reading = {
  // What is older stands above what one reads, which does not move.
  on_older({ where, changes, whole }) {
    const place = this.at(where);
    for (const change of changes) put(place, change);
    Object.assign(place, { whole, asked: false });
    if (where !== this.where) return;
    const list = this.$refs.list;
    const below = list.scrollHeight - list.scrollTop;
    this.$nextTick(() => (list.scrollTop = list.scrollHeight - below));
  },
  jump(id) {
    const element = document.getElementById(`m${id}`);
    if (!element) return this.sorry(tr("That message is further up than this page goes."));
    element.scrollIntoView({ block: "center" });
    element.focus({ preventScroll: true });
  },
  scrolled() {
    const list = this.$refs.list;
    const away = list.scrollHeight - list.scrollTop - list.clientHeight;
    if (away < 80) this.below = true;
    else if (list.scrollTop < this.top) this.below = false; // a person went up; growth alone does not count
    this.top = list.scrollTop;
    const place = this.at(this.where);
    if (list.scrollTop > NEAR || place.whole || place.asked || !place.messages.length) return;
    place.asked = true;
    this.$emit("older", { where: this.where, before: place.messages[0].id });
  },
  // Stays at the newest line as it grows, unless somebody reads further up.
  stick() {
    if (this.below) this.bottom();
  },
  bottom(smooth = false) {
    this.below = true;
    this.$nextTick(() => this.$refs.list?.scrollTo({ top: this.$refs.list.scrollHeight, behavior: smooth ? "smooth" : "instant" }));
  },
};
