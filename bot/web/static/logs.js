// The log of all processes, newest first: filtered here, so that looking costs nobody anything.
import acting from "/static/acting.js";
import Frame from "/static/frame.js";
import Icon from "/static/icons.js";
import { tr } from "/static/texts.js";
import { value } from "/static/words.js";

const KEPT = 5000;
const STEP = 200;
const LEVELS = ["debug", "info", "warning", "error", "critical"];
const PLAIN = ["message", "level", "timestamp", "process", "logger", "ref"];

const read = ([id, line]) => {
  let facts;
  try {
    facts = JSON.parse(line);
  } catch {
    facts = { message: line };
  }
  const rest = Object.entries(facts).filter(([name]) => !PLAIN.includes(name));
  return { id, ...facts, level: facts.level || "info", rest, text: line.toLowerCase() };
};

const larger = (one, other) => {
  const [a, b] = [one.split("-").map(Number), other.split("-").map(Number)];
  return a[0] - b[0] || a[1] - b[1];
};

export default {
  mixins: [acting],
  components: { Frame, Icon },
  data: () => {
    const asked = new URLSearchParams(location.search);
    return { lines: [], level: asked.get("level") || "debug", process: "", ref: asked.get("ref") || "", sought: "", still: 0, shown: STEP, open: {} };
  },
  template: `
    <Frame ref="frame" :frame="frame" :title="tr('Logs')" :about="about" :away="away" :loaded="!!seen">
      <div class="toolbar">
        <label class="grow"><span class="unseen">{{ tr("Search") }}</span><input v-model.trim="sought" type="search" :placeholder="tr('Search in {n} lines', { n: lines.length })" /></label>
        <label class="pick"><span class="unseen">{{ tr("Level") }}</span><select v-model="level"><option value="debug">{{ tr("every line") }}</option><option value="info">{{ tr("without debugging") }}</option>
          <option value="warning">{{ tr("warnings and errors") }}</option><option value="error">{{ tr("errors") }}</option></select></label>
        <label class="pick"><span class="unseen">{{ tr("Process") }}</span><select v-model="process"><option value="">{{ tr("every process") }}</option><option v-for="one in processes" :key="one">{{ one }}</option></select></label>
        <button type="button" class="plain" :aria-pressed="!!still" @click="still = still ? 0 : lines.length ? lines[0].id : '0-0'">{{ still ? tr("Go on") : tr("Hold still") }}</button>
      </div>
      <p v-if="ref" class="saved"><span>{{ tr("Only what belongs to") }} <code>{{ ref }}</code></span> <button type="button" class="link" @click="ref = ''">{{ tr("Everything again") }}</button>
        <a :href="'/operator/traces?of=' + ref">{{ tr("Its trace") }}</a></p>
      <p v-if="!found.length" class="quiet">{{ lines.length ? tr("No line is like that.") : tr("Nothing was written in the last day.") }}</p>
      <ul class="loglines" :aria-label="tr('Lines, the newest first')">
        <li v-for="one in found.slice(0, shown)" :key="one.id" :class="one.level">
          <time :datetime="one.timestamp" :title="one.timestamp">{{ at(one) }}</time><span class="tag" :class="grade(one)">{{ one.level }}</span><span class="process">{{ one.process }}</span>
          <div class="said"><button type="button" class="line" :aria-expanded="!!open[one.id]" @click="open[one.id] = !open[one.id]"><b>{{ one.message }}</b>
              <span v-if="!open[one.id]" class="dim">{{ brief(one) }}</span></button>
            <dl v-if="open[one.id]" class="pairs"><dt>{{ tr("From") }}</dt><dd>{{ one.logger }}</dd>
              <template v-for="[name, given] in one.rest" :key="name"><dt><code>{{ name }}</code></dt><dd><pre v-if="String(given).includes('\\n')">{{ given }}</pre><template v-else>{{ value(given) }}</template></dd></template></dl></div>
          <button v-if="one.ref && one.ref !== ref" type="button" class="link ref" :aria-label="tr('Follow {ref}', one)" :title="tr('Follow {ref}', one)" @click="ref = one.ref"><code>{{ one.ref }}</code></button>
        </li>
      </ul>
      <button v-if="found.length > shown" type="button" class="plain centre" @click="shown += 200">{{ tr("{n} more", { n: found.length - shown }) }}</button>
    </Frame>`,
  computed: {
    about() {
      return this.still && this.waiting ? tr("{n} new", { n: this.waiting }) : "";
    },
    waiting() {
      return this.lines.findIndex((one) => larger(one.id, this.still) <= 0);
    },
    processes() {
      return [...new Set(this.lines.map((one) => one.process).filter(Boolean))].sort();
    },
    found() {
      const word = this.sought.toLowerCase();
      const least = LEVELS.indexOf(this.level);
      const lines = this.still ? this.lines.filter((one) => larger(one.id, this.still) <= 0) : this.lines;
      return lines.filter(
        (one) =>
          LEVELS.indexOf(one.level) >= least && (!this.process || one.process === this.process) && (!this.ref || one.text.includes(this.ref.toLowerCase())) && one.text.includes(word),
      );
    },
  },
  watch: {
    ref(now) {
      history.replaceState(null, "", now ? `?ref=${encodeURIComponent(now)}` : location.pathname);
    },
  },
  methods: {
    tr,
    value,
    on_seen({ seen }) {
      this.away = !!seen.away;
      if (this.away) return;
      this.seen = true;
      if (seen.lines) this.lines = seen.lines.map(read).reverse();
      const last = this.lines.length ? this.lines[0].id : "0-0";
      const more = (seen.more || []).filter(([id]) => larger(id, last) > 0);
      if (more.length) this.lines = [...more.map(read).reverse(), ...this.lines].slice(0, KEPT);
    },
    at(one) {
      const date = new Date(one.timestamp || Number(one.id.split("-")[0]));
      return date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
    },
    grade: (one) => ({ off: one.level === "error" || one.level === "critical", warn: one.level === "warning", faint: one.level === "info" || one.level === "debug" }),
    brief: (one) => one.rest.map(([name, given]) => `${name} ${typeof given === "object" ? JSON.stringify(given) : given}`).join(" · ").replace(/\s+/g, " ").slice(0, 240),
  },
};
