// What the pages of the dashboard have in common: they say that they are there, are handed what is seen, and know which act is under way.
import { token } from "/static/words.js";

export default {
  props: { frame: Object, start: String, live: Boolean },
  emits: ["hello", "rest"],
  data: () => ({ seen: null, away: false, acting: {}, now: Date.now() / 1000 }),
  mounted() {
    setTimeout(() => this.$emit("hello", this.start ? { server: this.start } : {}));
    this.ticking = setInterval(() => (this.now = Date.now() / 1000), 1000);
    if (this.live) document.addEventListener("visibilitychange", this.looked);
  },
  beforeUnmount() {
    clearInterval(this.ticking);
    document.removeEventListener("visibilitychange", this.looked);
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
    // What nobody looks at is told nothing; it asks anew as soon as somebody does.
    looked() {
      this.$emit(document.hidden ? "rest" : "hello", {});
    },
    // Sends an act once, until something new is seen or it is refused, or for so many seconds: what is always answered may take long.
    act(event, given, patience = 8) {
      const nonce = token();
      this.acting[nonce] = event;
      this.$emit(event, { ...given, nonce });
      setTimeout(() => delete this.acting[nonce], patience * 1000);
    },
    busy() {
      return Object.keys(this.acting).length > 0;
    },
    // Once the one that was told to end is gone, the next one shows the page.
    async back(gone = false) {
      const up = await fetch("/healthz", { cache: "no-store" }).then((answer) => answer.ok, () => false);
      if (up && gone) location.reload();
      else setTimeout(() => this.back(gone || !up), 300);
    },
  },
};
