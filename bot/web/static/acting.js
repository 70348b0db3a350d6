// What the pages of the dashboard have in common: they say that they are there, are handed what is seen, and know which act is under way.
import { token } from "/static/words.js";

export default {
  props: { frame: Object, start: String },
  emits: ["hello"],
  data: () => ({ seen: null, away: false, acting: {}, now: Date.now() / 1000 }),
  mounted() {
    setTimeout(() => this.$emit("hello", this.start ? { server: this.start } : {}));
    this.ticking = setInterval(() => (this.now = Date.now() / 1000), 1000);
  },
  beforeUnmount() {
    clearInterval(this.ticking);
  },
  methods: {
    // What the server hands over.
    take(given) {
      this[`on_${given.kind}`](given);
    },
    on_seen({ seen }) {
      if (seen.away) this.away = true;
      else Object.assign(this, { seen, away: false, acting: {} });
    },
    on_sorry({ text, nonce }) {
      delete this.acting[nonce];
      this.$refs.frame.sorry(text);
    },
    // Sends an act once, until something new is seen or it is refused.
    act(event, given) {
      const nonce = token();
      this.acting[nonce] = event;
      this.$emit(event, { ...given, nonce });
      setTimeout(() => delete this.acting[nonce], 8000);
    },
    busy() {
      return Object.keys(this.acting).length > 0;
    },
  },
};
