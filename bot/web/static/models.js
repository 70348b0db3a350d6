// The models: what is in memory, what fits this machine, and the catalogue, from which they are brought.
import acting from "/static/acting.js";
import Frame from "/static/frame.js";
import Memory from "/static/memory.js";
import { tr } from "/static/texts.js";
import { gigabytes } from "/static/words.js";

export default {
  mixins: [acting],
  components: { Frame, Memory },
  emits: ["shelf", "bring", "wish"],
  data: () => ({ rows: [], advice: undefined, kind: "", sought: "", here: false, wished: {} }),
  template: `
    <Frame ref="frame" :frame="frame" :title="tr('Models')" :about="about" :away="away" :loaded="!!seen && !!rows.length">
      <section class="panel"><h2>{{ tr("In memory") }}</h2>
        <p v-if="!seen.workers.length" class="quiet">{{ tr("No worker is here, so nothing is answered.") }}</p>
        <ul class="cards wide"><li v-for="worker in seen.workers" :key="worker.name" class="tile">
          <div class="head"><h3>{{ worker.name }}</h3><span v-if="worker.off" class="tag off">{{ tr("off duty") }}</span></div>
          <Memory v-if="worker.owns" :models="worker.models" :room="worker.room" />
          <ul class="rows tight"><li v-for="model in worker.models" :key="model.name">
            <span><b>{{ model.name }}</b> <span class="dim">{{ worker.owns ? model.bytes ? gigabytes(model.bytes) : tr("not loaded") : tr("elsewhere") }}</span></span>
            <button v-if="worker.owns" type="button" class="plain" :disabled="worker.off || wishes(worker, model)" :aria-label="model.bytes ? tr('Unload {name}', model) : tr('Load {name}', model)"
              @click="wish(worker, model)">{{ wishes(worker, model) ? tr("one moment …") : model.bytes ? tr("Unload") : tr("Load") }}</button></li></ul></li></ul>
        <p class="quiet fine">{{ tr("A model is loaded by itself when somebody needs it, and leaves when nobody has for a while.") }}</p>
      </section>
      <section class="panel"><h2>{{ tr("What fits this machine") }}</h2>
        <p v-if="advice === undefined" class="quiet" role="status">{{ tr("Looking at the machine …") }}</p>
        <p v-else-if="advice === null" class="quiet">{{ tr("This machine could not be looked at: the log says why.") }}</p>
        <template v-else>
          <p class="quiet">{{ machine }}</p>
          <div v-if="advice.lineup.length" class="scroll" tabindex="0" role="region" :aria-label="tr('Line-up for this machine')"><table>
            <thead><tr><th>{{ tr("Line-up") }}</th><th>{{ tr("For") }}</th><th class="right">{{ tr("Memory") }}</th><th class="right">{{ tr("Loads in") }}</th><th>{{ tr("Here") }}</th></tr></thead>
            <tbody><tr v-for="part in advice.lineup" :key="part.model"><td class="whole"><b>{{ part.model }}</b><small>{{ part.how }}</small></td><td>{{ kinds[part.kind] }}</td>
              <td class="right">{{ gigabytes(part.needs) }}</td><td class="right">{{ tr("{n} s", { n: part.swap }) }}</td>
              <td><span class="tag" :class="{ faint: !has(part.model) }">{{ has(part.model) ? tr("yes") : tr("no") }}</span></td></tr></tbody></table></div>
          <p v-for="note in advice.notes" :key="note" class="quiet fine">{{ note }}</p>
        </template>
      </section>
      <section class="panel">
        <div class="head"><h2>{{ tr("Catalogue") }}</h2>
          <div class="group"><label class="check fine"><input v-model="here" type="checkbox" />{{ tr("only what is here") }}</label>
            <label class="pick"><span class="unseen">{{ tr("Kind") }}</span><select v-model="kind"><option value="">{{ tr("every kind") }}</option>
              <option v-for="(words, one) in kinds" :key="one" :value="one">{{ words }}</option></select></label>
            <label class="pick"><span class="unseen">{{ tr("Search") }}</span><input v-model.trim="sought" type="search" :placeholder="tr('Search')" /></label></div></div>
        <p v-if="!found.length" class="quiet">{{ tr("No model is like that.") }}</p>
        <ul class="rows shelf"><li v-for="one in found" :key="one.name">
          <details><summary><b>{{ one.name }}</b> <span v-if="ready(one)" class="tag">{{ served(one) ? tr("in use") : tr("here") }}</span><span v-else-if="one.here !== 'absent'" class="tag off">{{ one.here === "broken" ? tr("damaged") : tr("outdated") }}</span>
              <span class="facts-line"><span>{{ kinds[one.kind] }}</span><span>{{ gigabytes(one.disk) }}</span><span>{{ one.licence }}</span><span v-if="fit(one)" :class="{ bad: fit(one).why_not }">{{ fit(one).why_not ? tr("does not fit") : tr("fits") }}</span></span></summary>
            <dl class="pairs"><dt>{{ tr("What it is") }}</dt><dd>{{ one.summary }}</dd>
              <template v-if="fit(one)"><dt>{{ tr("On this machine") }}</dt><dd>{{ fit(one).why_not || fit(one).how }}<small>{{ tr("{size}, about {n} tokens a second", { size: gigabytes(fit(one).needs), n: fit(one).speed }) }}</small></dd></template>
              <template v-if="one.languages.length"><dt>{{ tr("Languages") }}</dt><dd>{{ one.languages.join(", ") }}</dd></template>
              <dt>{{ tr("Licence") }}</dt><dd>{{ one.licence }}: {{ one.uses.map((use) => uses[use]).join(", ") }}<small v-for="duty in one.duties" :key="duty">{{ duty }}</small></dd>
              <dt>{{ tr("From") }}</dt><dd>{{ sources[one.source] || one.source }}<small v-if="one.gated">{{ tr("Its terms have to be accepted on the hub first, with the account whose token Hobnob has.") }}</small></dd>
              <template v-if="one.base"><dt>{{ tr("Lies on") }}</dt><dd>{{ one.base }}</dd></template>
              <template v-if="one.gone"><dt>{{ tr("Gone") }}</dt><dd>{{ one.gone }}</dd></template>
              <template v-if="one.refusal"><dt>{{ tr("Not to be run") }}</dt><dd class="fault">{{ one.refusal }}</dd></template></dl></details>
          <div class="side-act">
            <template v-if="comes(one)"><progress :value="pull(one).total ? pull(one).done : undefined" :max="pull(one).total || 1" :aria-label="tr('{name} is being brought', one)"></progress>
              <span class="dim fine">{{ pull(one).total ? gigabytes(pull(one).done) + " / " + gigabytes(pull(one).total) : pull(one).doing || tr("begins") }}</span>
              <button type="button" class="plain" :aria-label="tr('Stop bringing {name}', one)" @click="act('bring', { model: one.name, stop: true })">{{ tr("Stop") }}</button></template>
            <button v-else-if="!ready(one) && !one.gone && !one.refusal" type="button" class="plain" :disabled="busy()" :aria-label="tr('Bring {name} here', one)" @click="act('bring', { model: one.name })">{{ tr("Bring it here") }}</button></div>
          <p v-if="pull(one) && pull(one).fault" class="fault fine" role="alert">{{ pull(one).fault }}</p>
          <p v-else-if="ready(one) && pull(one)" class="fine quiet" role="status">{{ tr("It is here. Name it in bot.toml for the plugin that is to use it, and start Hobnob anew.") }}</p></li></ul>
      </section>
    </Frame>`,
  mounted() {
    setTimeout(() => this.$emit("shelf", {}));
  },
  watch: {
    ended(now, before) {
      if (now > before) this.$emit("shelf", {});
    },
  },
  computed: {
    kinds: () => ({ chat: tr("chat"), image: tr("pictures"), speech: tr("speech") }),
    uses: () => ({ private: tr("private use"), public: tr("public use"), commercial: tr("commercial use") }),
    sources: () => ({ wheels: tr("the package registry"), shipped: tr("Hobnob itself") }),
    about() {
      return this.rows.length ? tr("{here} of {all} are here", { here: this.rows.filter(this.ready).length, all: this.rows.length }) : "";
    },
    ended() {
      return Object.values(this.seen?.pulls || {}).filter((one) => one.over).length;
    },
    machine() {
      const { memory, cards } = this.advice.machine;
      const words = cards.map((card) => tr("{name} with {size}", { name: card.name, size: gigabytes(card.memory) }));
      return tr("{size} of memory; {cards}", { size: gigabytes(memory), cards: words.join(", ") || tr("no GPU") });
    },
    found() {
      const word = this.sought.toLowerCase();
      const fits = (one) => (!this.kind || one.kind === this.kind) && (!this.here || this.ready(one)) && `${one.name} ${one.summary} ${one.licence} ${one.languages}`.toLowerCase().includes(word);
      const rank = (one) => (this.comes(one) ? 0 : this.ready(one) ? 1 : one.gone || one.refusal || this.fit(one)?.why_not ? 3 : 2);
      return this.rows.filter(fits).sort((one, other) => rank(one) - rank(other));
    },
  },
  methods: {
    gigabytes,
    tr,
    on_shelf({ rows }) {
      this.rows = rows;
    },
    on_advice({ advice }) {
      this.advice = advice;
    },
    on_seen({ seen }) {
      acting.methods.on_seen.call(this, { seen });
      for (const worker of this.seen?.workers || []) for (const model of worker.models) if (this.wished[`${worker.name} ${model.name}`] === !!model.bytes) delete this.wished[`${worker.name} ${model.name}`];
    },
    ready: (one) => one.here === "ready" || one.here === "own",
    has(name) {
      return this.rows.some((one) => one.name === name && this.ready(one));
    },
    served(one) {
      return this.seen.workers.some((worker) => worker.models.some((model) => model.name === one.name));
    },
    fit(one) {
      return this.advice?.ladder.find((rung) => rung.model === one.name);
    },
    pull(one) {
      return this.seen.pulls[one.name];
    },
    comes(one) {
      const pull = this.pull(one);
      return !!pull && !pull.over;
    },
    wishes(worker, model) {
      return `${worker.name} ${model.name}` in this.wished;
    },
    wish(worker, model) {
      const key = `${worker.name} ${model.name}`;
      this.wished[key] = !model.bytes;
      this.$emit("wish", { worker: worker.name, model: model.name, loaded: !model.bytes });
      setTimeout(() => delete this.wished[key], 60000);
    },
  },
};
