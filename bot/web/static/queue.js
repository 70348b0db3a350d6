// The queue for whoever runs the bot: workers, requests under way, servers that wait, and what was given up.
import acting from "/static/acting.js";
import Frame from "/static/frame.js";
import { tr } from "/static/texts.js";
import { clock, gigabytes, moment, span } from "/static/words.js";

const PAUSES = [0, 1, 3, 8]; // hours, 0 until told otherwise

export default {
  mixins: [acting],
  components: { Frame },
  emits: ["cancel", "bury", "order"],
  data: () => ({ pausing: 0 }),
  template: `
    <Frame ref="frame" :frame="frame" :title="tr('Queue')" :about="about" :away="away" :loaded="!!seen">
      <section class="panel">
        <div class="head"><h2>{{ tr("Workers") }}</h2>
          <div v-if="mine.length" class="group">
            <template v-if="!paused">
              <label class="pick"><span class="unseen">{{ tr("How long") }}</span><select v-model.number="pausing">
                <option v-for="one in pauses" :key="one.seconds" :value="one.seconds">{{ one.label }}</option></select></label>
              <button type="button" class="plain" :disabled="busy()" @click="act('order', { name: '*', act: 'pause', seconds: pausing })">{{ tr("Pause all") }}</button>
            </template>
            <button v-else type="button" class="go" :disabled="busy()" @click="act('order', { name: '*', act: 'resume' })">{{ tr("Resume") }}</button>
          </div>
        </div>
        <p v-if="!seen.workers.length" class="quiet">{{ tr("No worker is here, so nothing is answered.") }}</p>
        <ul class="cards">
          <li v-for="worker in seen.workers" :key="worker.name" class="tile">
            <div class="head"><h3>{{ worker.name }}</h3><span class="tag" :class="{ off: worker.off }">{{ duty(worker) }}</span></div>
            <ul class="facts">
              <li v-for="model in worker.models" :key="model.name"><b :class="{ dim: !model.bytes && worker.owns }">{{ model.name }}</b>
                <span>{{ model.bytes ? tr("{size} in memory", { size: gigabytes(model.bytes) }) : worker.owns ? tr("not loaded") : tr("elsewhere") }}</span></li>
            </ul>
            <ul v-if="worker.runs.length" class="facts">
              <li v-for="(run, at) in worker.runs" :key="at"><b>{{ run.model }}</b><span>{{ tr("for {server}, {span}", { server: run.server, span: span(now - run.since) }) }}{{ run.parked ? tr(", makes room") : "" }}</span></li>
            </ul>
            <div class="group">
              <button v-if="worker.off" type="button" class="plain" :disabled="busy()" @click="act('order', { name: worker.name, act: 'resume' })">{{ tr("Resume") }}</button>
              <template v-else>
                <button type="button" class="plain" :disabled="busy()" @click="act('order', { name: worker.name, act: 'pause', seconds: 0 })">{{ tr("Pause") }}</button>
                <button type="button" class="plain" :disabled="busy()" @click="act('order', { name: worker.name, act: 'drain' })">{{ tr("Drain") }}</button>
              </template>
            </div>
          </li>
        </ul>
      </section>
      <section class="panel">
        <h2>{{ tr("Under way") }}</h2>
        <p v-if="!seen.requests.length" class="quiet">{{ tr("Nothing is being answered right now.") }}</p>
        <div v-else class="scroll" tabindex="0" role="region" :aria-label="tr('Requests under way')"><table>
          <thead><tr><th>{{ tr("What") }}</th><th>{{ tr("For") }}</th><th>{{ tr("Server") }}</th><th>{{ tr("State") }}</th><th class="right">{{ tr("Since") }}</th><th><span class="unseen">{{ tr("Acts") }}</span></th></tr></thead>
          <tbody><tr v-for="one in seen.requests" :key="one.ticket">
            <td><b>{{ one.plugin || "hobnob" }}</b> <span class="dim">{{ one.route }}</span></td><td>{{ one.person }}</td><td>{{ one.server }}</td>
            <td><template v-if="one.total"><progress :value="one.done" :max="one.total" :aria-label="far(one)"></progress> {{ far(one) }}</template>
              <template v-else>{{ state(one) }}</template></td>
            <td class="right">{{ span(now - one.since) }}</td>
            <td class="right"><button type="button" class="plain" :aria-label="tr('Cancel the request of {person}', one)" :disabled="busy()" @click="act('cancel', { ticket: one.ticket })">{{ tr("Cancel") }}</button></td>
          </tr></tbody></table></div>
      </section>
      <section v-if="seen.servers.length" class="panel">
        <h2>{{ tr("Waiting") }}</h2>
        <div class="scroll" tabindex="0" role="region" :aria-label="tr('Servers that wait')"><table>
          <thead><tr><th>{{ tr("Server") }}</th><th>{{ tr("Waits for") }}</th><th class="right">{{ tr("People") }}</th><th class="right">{{ tr("Requests") }}</th><th class="right">{{ tr("Oldest") }}</th>
            <th class="right">{{ tr("Share") }}</th><th class="right">{{ tr("Left of the round") }}</th></tr></thead>
          <tbody><tr v-for="one in seen.servers" :key="one.server + one.wants"><td>{{ one.server }}</td><td>{{ one.wants }}</td>
            <td class="right">{{ one.people }}</td><td class="right">{{ one.jobs }}</td><td class="right">{{ span(now - one.since) }}</td>
            <td class="right">{{ one.share }}</td><td class="right">{{ one.left === null ? tr("all of it") : tr("{n} s", { n: one.left }) }}</td></tr></tbody></table></div>
      </section>
      <section v-if="seen.dead.length" class="panel">
        <div class="head"><h2>{{ tr("Given up") }}</h2><div class="group">
          <button type="button" class="plain" :disabled="busy()" @click="act('bury', { ids: ids, act: 'retry' })">{{ tr("Ask all again") }}</button>
          <button type="button" class="plain danger" :disabled="busy()" @click="act('bury', { ids: ids, act: 'drop' })">{{ tr("Forget all") }}</button></div></div>
        <p class="quiet">{{ tr("Each of these ended three workers. Who asked was told so; asked again, the answer comes as a reply to the question.") }}</p>
        <div class="scroll" tabindex="0" role="region" :aria-label="tr('Requests that were given up')"><table>
          <thead><tr><th>{{ tr("Wanted") }}</th><th>{{ tr("Server") }}</th><th>{{ tr("When") }}</th><th>{{ tr("Reference") }}</th><th><span class="unseen">{{ tr("Acts") }}</span></th></tr></thead>
          <tbody><tr v-for="one in seen.dead" :key="one.id"><td>{{ one.wanted }}</td><td>{{ one.server }}</td><td>{{ moment(one.at) }}</td><td><code>{{ one.ref }}</code></td>
            <td class="right"><span v-if="one.retry" class="dim">{{ tr("is asked again") }}</span>
              <button v-else type="button" class="plain" :disabled="busy()" @click="act('bury', { ids: [one.id], act: 'retry' })">{{ tr("Ask again") }}</button>
              <button type="button" class="plain danger" :disabled="busy()" @click="act('bury', { ids: [one.id], act: 'drop' })">{{ tr("Forget") }}</button></td></tr></tbody></table></div>
      </section>
    </Frame>`,
  computed: {
    pauses: () => PAUSES.map((n) => ({ label: n ? tr("{n} h", { n }) : tr("Until I say so"), seconds: n * 3600 })),
    about() {
      if (!this.seen) return "";
      const running = this.seen.workers.reduce((sum, worker) => sum + worker.runs.length, 0);
      return tr("{waiting} waiting, {running} running", { waiting: this.seen.waiting, running });
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
    tr,
    duty({ off }) {
      if (!off) return tr("works");
      if (off.act === "drain") return tr("drains");
      return off.until ? tr("paused until {when}", { when: clock(off.until) }) : tr("paused");
    },
    state: (one) => (one.state === "waiting" ? tr("waits for {model}", one) : one.model ? tr("runs on {model}", one) : tr("is being worked on")),
    far: (one) => tr("{done} of {total} {unit}", one),
  },
};
