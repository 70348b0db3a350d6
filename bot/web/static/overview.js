// The first look for whoever runs the bot: what was done, what runs, what needs attention.
import acting from "/static/acting.js";
import Bars from "/static/bars.js";
import Frame from "/static/frame.js";
import Memory from "/static/memory.js";
import { tr } from "/static/texts.js";
import { number, span } from "/static/words.js";

export default {
  mixins: [acting],
  components: { Bars, Frame, Memory },
  data: () => ({ reach: "hour" }),
  template: `
    <Frame ref="frame" :frame="frame" :title="tr('Overview')" :about="about" :away="away" :loaded="!!seen">
      <ul v-if="alarms.length" class="alarms"><li v-for="one in alarms" :key="one.words"><a :href="one.path">{{ one.words }}</a></li></ul>
      <div class="tabs" role="group" :aria-label="tr('How long')"><button v-for="one in spans" :key="one.id" type="button" :aria-pressed="reach === one.id" @click="reach = one.id">{{ one.label }}</button></div>
      <ul class="cards figures">
        <li v-for="one in tiles" :key="one.label" class="panel figure"><h2>{{ one.label }}</h2><p class="big">{{ one.shown }} <small>{{ one.unit }}</small></p><p class="note">{{ one.note }}</p>
          <Bars :values="one.values" :moments="figures.at" :label="one.label" :unit="one.measure || one.unit" :bad="one.bad" :daily="reach === 'day'" /></li>
      </ul>
      <div class="cards wide">
        <section class="panel"><h2>{{ tr("Where people talk") }}</h2>
          <ul class="facts"><li v-for="one in seen.platforms" :key="one.name"><b>{{ one.name }}</b><span class="tag" :class="{ off: one.state === 'waits' || one.state === 'stopped', faint: one.state === 'stands by' }">{{ states[one.state] }}</span><small v-if="one.fault">{{ one.fault }}</small></li></ul>
          <p class="quiet">{{ tr("Servers that asked something in the last day: {n}.", { n: seen.servers.count }) }}</p>
          <ul class="facts"><li v-for="one in seen.servers.most" :key="one.id"><a :href="'/operator/server?of=' + encodeURIComponent(one.id)">{{ one.id }}</a><span>{{ number(one.requests) }}</span></li></ul></section>
        <section class="panel"><h2>{{ tr("Devices") }}</h2><p v-if="!seen.workers.length" class="quiet">{{ tr("No worker is here, so nothing is answered.") }}</p>
          <div v-for="one in seen.workers" :key="one.name" class="device"><div class="head"><b>{{ one.name }}</b><span class="tag" :class="{ off: one.off, faint: !one.off && !one.running }">{{ one.off ? tr("off duty") : one.running ? tr("works on {n}", { n: one.running }) : tr("idle") }}</span></div>
            <Memory v-if="one.owns" :models="one.models" :room="one.room" />
            <p v-if="one.models.length" class="quiet fine">{{ one.models.map((model) => model.name).join(", ") }}</p></div></section>
      </div>
    </Frame>`,
  computed: {
    spans: () => [
      { id: "hour", label: tr("Last hour") },
      { id: "day", label: tr("Last day") },
    ],
    states: () => ({ receives: tr("connected"), "stands by": tr("stands by"), waits: tr("not connected"), stopped: tr("stopped") }),
    figures() {
      return this.seen[this.reach];
    },
    about() {
      return this.seen ? tr("{waiting} waiting, {running} running", this.seen) : "";
    },
    alarms() {
      const found = [];
      if (!this.seen.workers.length) found.push({ words: tr("No worker is here, so nothing is answered."), path: "/operator/queue" });
      else if (this.seen.workers.every((one) => one.off)) found.push({ words: tr("Every worker is off duty."), path: "/operator/queue" });
      for (const one of this.seen.platforms)
        if (one.state === "waits" || one.state === "stopped") found.push({ words: tr("{platform} is not connected.", { platform: one.name }), path: "/operator/logs?level=warning" });
      if (this.seen.troubles.length) found.push({ words: tr("These plugins rest or are left out: {plugins}.", { plugins: this.seen.troubles.join(", ") }), path: "/operator/plugins" });
      if (this.seen.dead) found.push({ words: tr("Given up: {n}. Have them asked again, or forget them.", { n: this.seen.dead }), path: "/operator/queue" });
      if (this.seen.applicants) found.push({ words: tr("Waiting to be let in: {n}.", { n: this.seen.applicants }), path: "/operator/servers" });
      return found;
    },
    tiles() {
      const { requests, wait, tokens, pictures, audio, failed, device, errors } = this.figures;
      const sum = (values) => values.reduce((total, value) => total + value, 0);
      const waited = wait.reduce((total, value, at) => total + (value || 0) * requests[at], 0);
      const minutes = audio.map((seconds) => seconds / 60);
      const devices = Math.max(1, this.seen.workers.filter((one) => one.owns).length);
      const pace = this.seen.hour.tokens.slice(-6, -1); // whole minutes
      const share = (sum(device) / devices / (this.reach === "hour" ? 3600 : 86400)) * 100;
      return [
        { label: tr("Requests"), values: requests, shown: number(sum(requests)), unit: "" },
        { label: tr("Time to the answer"), values: wait, shown: sum(requests) ? (waited / sum(requests)).toFixed(1) : "–", unit: sum(requests) ? tr("s") : "" },
        { label: tr("Tokens written"), values: tokens, shown: number(sum(tokens)), unit: "", note: tr("{n} a second, the last five minutes", { n: (sum(pace) / 300).toFixed(1) }) },
        { label: tr("Pictures"), values: pictures, shown: number(sum(pictures)), unit: "" },
        { label: tr("Sound heard"), values: minutes, shown: sum(minutes) ? sum(minutes).toFixed(1) : "0", unit: tr("min") },
        { label: tr("Devices at work"), values: device, shown: share > 0 && share < 1 ? "<1" : Math.min(100, Math.round(share)), unit: "%", measure: tr("s"), note: span(sum(device)) },
        { label: tr("Failed"), values: failed, shown: number(sum(failed)), unit: "", bad: true },
        { label: tr("Errors in the log"), values: errors, shown: number(sum(errors)), unit: "", bad: true },
      ];
    },
  },
  methods: { number, tr },
};
