// The queue for whoever runs the bot: workers, requests under way, servers that wait, and what was given up.
import acting from "/static/acting.js";
import Frame from "/static/frame.js";
import { clock, gigabytes, moment, span } from "/static/words.js";

const PAUSES = [
  { label: "Until I say so", seconds: 0 },
  { label: "1 hour", seconds: 3600 },
  { label: "3 hours", seconds: 10800 },
  { label: "8 hours", seconds: 28800 },
];

export default {
  mixins: [acting],
  components: { Frame },
  emits: ["cancel", "bury", "order"],
  data: () => ({ pauses: PAUSES, pausing: 0 }),
  template: `
    <Frame ref="frame" :frame="frame" title="Queue" :about="about" :away="away" :loaded="!!seen">
      <section class="panel">
        <div class="head"><h2>Workers</h2>
          <div v-if="mine.length" class="group">
            <template v-if="!paused">
              <label class="pick"><span class="unseen">How long</span><select v-model.number="pausing">
                <option v-for="one in pauses" :key="one.seconds" :value="one.seconds">{{ one.label }}</option></select></label>
              <button type="button" class="plain" :disabled="busy()" @click="act('order', { name: '*', act: 'pause', seconds: pausing })">Pause all</button>
            </template>
            <button v-else type="button" class="go" :disabled="busy()" @click="act('order', { name: '*', act: 'resume' })">Resume</button>
          </div>
        </div>
        <p v-if="!seen.workers.length" class="quiet">No worker is here, so nothing is answered.</p>
        <ul class="cards">
          <li v-for="worker in seen.workers" :key="worker.name" class="tile">
            <div class="head"><h3>{{ worker.name }}</h3><span class="tag" :class="{ off: worker.off }">{{ duty(worker) }}</span></div>
            <ul class="facts">
              <li v-for="model in worker.models" :key="model.name"><b :class="{ dim: !model.bytes && worker.owns }">{{ model.name }}</b>
                <span>{{ model.bytes ? gigabytes(model.bytes) + " in memory" : worker.owns ? "not loaded" : "elsewhere" }}</span></li>
            </ul>
            <ul v-if="worker.runs.length" class="facts">
              <li v-for="(run, at) in worker.runs" :key="at"><b>{{ run.model }}</b><span>for {{ run.server }}, {{ span(now - run.since) }}{{ run.parked ? ", makes room" : "" }}</span></li>
            </ul>
            <div class="group">
              <button v-if="worker.off" type="button" class="plain" :disabled="busy()" @click="act('order', { name: worker.name, act: 'resume' })">Resume</button>
              <template v-else>
                <button type="button" class="plain" :disabled="busy()" @click="act('order', { name: worker.name, act: 'pause', seconds: 0 })">Pause</button>
                <button type="button" class="plain" :disabled="busy()" @click="act('order', { name: worker.name, act: 'drain' })">Drain</button>
              </template>
            </div>
          </li>
        </ul>
      </section>
      <section class="panel">
        <h2>Under way</h2>
        <p v-if="!seen.requests.length" class="quiet">Nothing is being answered right now.</p>
        <div v-else class="scroll" tabindex="0" role="region" aria-label="Requests under way"><table>
          <thead><tr><th>What</th><th>For</th><th>Server</th><th>State</th><th class="right">Since</th><th><span class="unseen">Acts</span></th></tr></thead>
          <tbody><tr v-for="one in seen.requests" :key="one.ticket">
            <td><b>{{ one.plugin || "hobnob" }}</b> <span class="dim">{{ one.route }}</span></td><td>{{ one.person }}</td><td>{{ one.server }}</td>
            <td><template v-if="one.total"><progress :value="one.done" :max="one.total" :aria-label="far(one)"></progress> {{ far(one) }}</template>
              <template v-else>{{ state(one) }}</template></td>
            <td class="right">{{ span(now - one.since) }}</td>
            <td class="right"><button type="button" class="plain" :aria-label="'Cancel the request of ' + one.person" :disabled="busy()" @click="act('cancel', { ticket: one.ticket })">Cancel</button></td>
          </tr></tbody></table></div>
      </section>
      <section v-if="seen.servers.length" class="panel">
        <h2>Waiting</h2>
        <div class="scroll" tabindex="0" role="region" aria-label="Servers that wait"><table>
          <thead><tr><th>Server</th><th>Waits for</th><th class="right">People</th><th class="right">Requests</th><th class="right">Oldest</th>
            <th class="right">Share</th><th class="right">Left of the round</th></tr></thead>
          <tbody><tr v-for="one in seen.servers" :key="one.server + one.wants"><td>{{ one.server }}</td><td>{{ one.wants }}</td>
            <td class="right">{{ one.people }}</td><td class="right">{{ one.jobs }}</td><td class="right">{{ span(now - one.since) }}</td>
            <td class="right">{{ one.share }}</td><td class="right">{{ one.left === null ? "all of it" : one.left + " s" }}</td></tr></tbody></table></div>
      </section>
      <section v-if="seen.dead.length" class="panel">
        <div class="head"><h2>Given up</h2><div class="group">
          <button type="button" class="plain" :disabled="busy()" @click="act('bury', { ids: ids, act: 'retry' })">Ask all again</button>
          <button type="button" class="plain danger" :disabled="busy()" @click="act('bury', { ids: ids, act: 'drop' })">Forget all</button></div></div>
        <p class="quiet">Each of these ended three workers. Who asked was told so; asked again, the answer comes as a reply to the question.</p>
        <div class="scroll" tabindex="0" role="region" aria-label="Requests that were given up"><table>
          <thead><tr><th>Wanted</th><th>Server</th><th>When</th><th>Reference</th><th><span class="unseen">Acts</span></th></tr></thead>
          <tbody><tr v-for="one in seen.dead" :key="one.id"><td>{{ one.wanted }}</td><td>{{ one.server }}</td><td>{{ moment(one.at) }}</td><td><code>{{ one.ref }}</code></td>
            <td class="right"><span v-if="one.retry" class="dim">is asked again</span>
              <button v-else type="button" class="plain" :disabled="busy()" @click="act('bury', { ids: [one.id], act: 'retry' })">Ask again</button>
              <button type="button" class="plain danger" :disabled="busy()" @click="act('bury', { ids: [one.id], act: 'drop' })">Forget</button></td></tr></tbody></table></div>
      </section>
    </Frame>`,
  computed: {
    about() {
      if (!this.seen) return "";
      const running = this.seen.workers.reduce((sum, worker) => sum + worker.runs.length, 0);
      return `${this.seen.waiting} waiting, ${running} running`;
    },
    mine() {
      return this.seen.workers.filter((worker) => worker.owns);
    },
    paused() {
      return this.mine.every((worker) => worker.off?.act === "pause");
    },
    ids() {
      return this.seen.dead.map((one) => one.id);
    },
  },
  methods: {
    gigabytes,
    moment,
    span,
    duty({ off }) {
      if (!off) return "works";
      if (off.act === "drain") return "drains";
      return off.until ? `paused until ${clock(off.until)}` : "paused";
    },
    state: (one) => (one.state === "waiting" ? `waits for ${one.model}` : one.model ? `runs on ${one.model}` : "is being worked on"),
    far: (one) => `${one.done} of ${one.total} ${one.unit}`,
  },
};
