// The first look for whoever runs the bot: what was done, what runs, what needs attention.
import acting from "/static/acting.js";
import Bars from "/static/bars.js";
import Frame from "/static/frame.js";
import { tr } from "/static/texts.js";
import { gigabytes, number } from "/static/words.js";

export default {
  mixins: [acting],
  components: { Bars, Frame },
  data: () => ({ span: "hour" }),
  template: `
    <Frame ref="frame" :frame="frame" :title="tr('Overview')" :about="about" :away="away" :loaded="!!seen">
      <ul v-if="alarms.length" class="alarms"><li v-for="one in alarms" :key="one.words"><a :href="one.path">{{ one.words }}</a></li></ul>
      <div class="tabs" role="group" :aria-label="tr('How long')"><button v-for="one in spans" :key="one.id" type="button" :aria-pressed="span === one.id" @click="span = one.id">{{ one.label }}</button></div>
      <ul class="cards">
        <li v-for="one in tiles" :key="one.label" class="panel figure"><h2>{{ one.label }}</h2><p class="big">{{ one.shown }} <small>{{ one.unit }}</small></p>
          <Bars :values="one.values" :moments="figures.at" :label="one.label" :unit="one.unit" :bad="one.bad" :daily="span === 'day'" /></li>
      </ul>
      <div class="cards wide">
        <section class="panel"><h2>{{ tr("Servers") }}</h2><p class="quiet">{{ tr("{n} asked something in the last day. Platforms: {platforms}.", { n: seen.servers.count, platforms: seen.platforms.join(", ") }) }}</p>
          <ul class="facts"><li v-for="one in seen.servers.most" :key="one.id"><b>{{ one.id }}</b><span>{{ number(one.requests) }}</span></li></ul></section>
        <section class="panel"><h2>{{ tr("Memory of models") }}</h2><p v-if="!seen.workers.length" class="quiet">{{ tr("No worker is here, so nothing is answered.") }}</p>
          <ul class="facts"><li v-for="one in seen.workers" :key="one.name"><b>{{ one.name }}</b><span>{{ one.off ? tr("off duty") : one.models.length ? gigabytes(one.bytes) + ": " + one.models.join(", ") : tr("nothing loaded") }}</span></li></ul></section>
      </div>
    </Frame>`,
  computed: {
    spans: () => [
      { id: "hour", label: tr("Last hour") },
      { id: "day", label: tr("Last day") },
    ],
    figures() {
      return this.seen[this.span];
    },
    about() {
      return this.seen ? tr("{waiting} waiting, {running} running", this.seen) : "";
    },
    alarms() {
      const found = [];
      if (!this.seen.workers.length) found.push({ words: tr("No worker is here, so nothing is answered."), path: "/operator/queue" });
      else if (this.seen.workers.every((one) => one.off)) found.push({ words: tr("Every worker is off duty."), path: "/operator/queue" });
      if (this.seen.dead) found.push({ words: tr("Given up: {n}. Have them asked again, or forget them.", { n: this.seen.dead }), path: "/operator/queue" });
      if (this.seen.applicants) found.push({ words: tr("Waiting to be let in: {n}.", { n: this.seen.applicants }), path: "/operator/servers" });
      return found;
    },
    tiles() {
      const { requests, wait, tokens, pictures, audio, failed } = this.figures;
      const sum = (values) => values.reduce((total, value) => total + value, 0);
      const waited = wait.reduce((total, value, at) => total + (value || 0) * requests[at], 0);
      const minutes = audio.map((seconds) => seconds / 60);
      return [
        { label: tr("Requests"), values: requests, shown: number(sum(requests)), unit: "" },
        { label: tr("Time to the answer"), values: wait, shown: sum(requests) ? (waited / sum(requests)).toFixed(1) : "–", unit: sum(requests) ? tr("s") : "" },
        { label: tr("Tokens written"), values: tokens, shown: number(sum(tokens)), unit: "" },
        { label: tr("Pictures"), values: pictures, shown: number(sum(pictures)), unit: "" },
        { label: tr("Sound heard"), values: minutes, shown: sum(minutes) ? sum(minutes).toFixed(1) : "0", unit: tr("min") },
        { label: tr("Failed"), values: failed, shown: number(sum(failed)), unit: "", bad: true },
      ];
    },
  },
  methods: { gigabytes, number, tr },
};
