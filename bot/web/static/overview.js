// The first look for whoever runs the bot: what was done, what runs, what needs attention.
import acting from "/static/acting.js";
import Bars from "/static/bars.js";
import Frame from "/static/frame.js";
import { gigabytes, number } from "/static/words.js";

const SPANS = [
  { id: "hour", label: "Last hour" },
  { id: "day", label: "Last day" },
];

export default {
  mixins: [acting],
  components: { Bars, Frame },
  data: () => ({ span: "hour" }),
  template: `
    <Frame ref="frame" :frame="frame" title="Overview" :about="about" :away="away" :loaded="!!seen">
      <ul v-if="alarms.length" class="alarms"><li v-for="one in alarms" :key="one.words"><a :href="one.path">{{ one.words }}</a></li></ul>
      <div class="tabs" role="group" aria-label="How long"><button v-for="one in spans" :key="one.id" type="button" :aria-pressed="span === one.id" @click="span = one.id">{{ one.label }}</button></div>
      <ul class="cards">
        <li v-for="one in tiles" :key="one.label" class="panel figure"><h2>{{ one.label }}</h2><p class="big">{{ one.shown }} <small>{{ one.unit }}</small></p>
          <Bars :values="one.values" :moments="figures.at" :label="one.label" :unit="one.unit" :bad="one.bad" :daily="span === 'day'" /></li>
      </ul>
      <div class="cards wide">
        <section class="panel"><h2>Servers</h2><p class="quiet">{{ seen.servers.count }} asked something in the last day. Platforms: {{ seen.platforms.join(", ") }}.</p>
          <ul class="facts"><li v-for="one in seen.servers.most" :key="one.id"><b>{{ one.id }}</b><span>{{ number(one.requests) }}</span></li></ul></section>
        <section class="panel"><h2>Memory of models</h2><p v-if="!seen.workers.length" class="quiet">No worker is here, so nothing is answered.</p>
          <ul class="facts"><li v-for="one in seen.workers" :key="one.name"><b>{{ one.name }}</b><span>{{ one.off ? "off duty" : one.models.length ? gigabytes(one.bytes) + ": " + one.models.join(", ") : "nothing loaded" }}</span></li></ul></section>
      </div>
    </Frame>`,
  computed: {
    spans: () => SPANS,
    figures() {
      return this.seen[this.span];
    },
    about() {
      return this.seen ? `${this.seen.waiting} waiting, ${this.seen.running} running` : "";
    },
    alarms() {
      const found = [];
      if (!this.seen.workers.length) found.push({ words: "No worker is here, so nothing is answered.", path: "/operator/queue" });
      else if (this.seen.workers.every((one) => one.off)) found.push({ words: "Every worker is off duty.", path: "/operator/queue" });
      if (this.seen.dead) found.push({ words: `Given up: ${this.seen.dead}. Have them asked again, or forget them.`, path: "/operator/queue" });
      if (this.seen.applicants) found.push({ words: `Waiting to be let in: ${this.seen.applicants}.`, path: "/operator/servers" });
      return found;
    },
    tiles() {
      const { requests, wait, tokens, pictures, audio, failed } = this.figures;
      const sum = (values) => values.reduce((total, value) => total + value, 0);
      const waited = wait.reduce((total, value, at) => total + (value || 0) * requests[at], 0);
      const minutes = audio.map((seconds) => seconds / 60);
      return [
        { label: "Requests", values: requests, shown: number(sum(requests)), unit: "" },
        { label: "Time to the answer", values: wait, shown: sum(requests) ? (waited / sum(requests)).toFixed(1) : "–", unit: sum(requests) ? "s" : "" },
        { label: "Tokens written", values: tokens, shown: number(sum(tokens)), unit: "" },
        { label: "Pictures", values: pictures, shown: number(sum(pictures)), unit: "" },
        { label: "Sound heard", values: minutes, shown: sum(minutes) ? sum(minutes).toFixed(1) : "0", unit: "min" },
        { label: "Failed", values: failed, shown: number(sum(failed)), unit: "", bad: true },
      ];
    },
  },
  methods: { gigabytes, number },
};
