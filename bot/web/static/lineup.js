// Choosing models: what the bot is for, the ladder of what fits this machine with memory and licences, and the hub's terms.
import { tr } from "/static/texts.js";
import { gigabytes, megabytes } from "/static/words.js";

export default {
  props: { proposed: Object, chosen: Array, busy: Boolean },
  emits: ["propose", "choose"],
  data: () => ({ use: "private", quality: "balanced", languages: (navigator.language || "en").slice(0, 2), picked: {}, token: "", endpoint: "", elsewhere: false, all: false }),
  template: `
    <form class="form two" @submit.prevent="ask">
      <label class="field"><span>{{ tr("What it is for") }}</span><select v-model="use"><option v-for="(label, one) in uses" :key="one" :value="one">{{ label }}</option></select>
        <small>{{ tr("Some licences allow only some of these.") }}</small></label>
      <label class="field"><span>{{ tr("Languages") }}</span><input v-model="languages" required maxlength="60" /><small>{{ tr("As codes, separated by commas: en, zh") }}</small></label>
      <label class="field"><span>{{ tr("Rather") }}</span><select v-model="quality"><option v-for="(label, one) in qualities" :key="one" :value="one">{{ label }}</option></select></label>
      <div class="field"><span>&nbsp;</span><button type="submit" class="go" :disabled="busy">{{ busy && !proposed ? tr("Measuring this machine …") : tr("What fits this machine?") }}</button></div>
    </form>
    <template v-if="proposed">
      <p>{{ machine }}</p>
      <fieldset v-for="kind in kinds" :key="kind.id" class="ladder">
        <legend>{{ kind.label }}</legend>
        <label v-for="one in kind.offers" :key="one.model" class="rung" :class="{ unfit: !one.able }">
          <input type="radio" :name="kind.id" :value="one.model" v-model="picked[kind.id]" :disabled="!one.able" />
          <b>{{ one.model }} <span v-if="one.best" class="tag">{{ tr("best that fits") }}</span> <span v-if="one.here" class="tag">{{ tr("is here") }}</span></b>
          <span>{{ one.needs < 1e8 ? megabytes(one.needs) : gigabytes(one.needs) }}</span>
          <div class="room-bar" :class="{ over: one.needs > proposed.room }" aria-hidden="true"><i :style="{ width: Math.min(100, (one.needs / proposed.room) * 100) + '%' }"></i></div>
          <p>{{ one.why_not || [one.how, one.speed ? tr("{n} tokens a second", { n: one.speed }) : ""].filter(Boolean).join(", ") }}</p>
          <small v-if="picked[kind.id] === one.model">{{ tr("Licence: {name}.", { name: one.licence }) }} {{ one.duties.map((duty) => duty.replace(/\\.?$/, ".")).join(" ") }}
            <template v-if="one.gated"> {{ tr("Accept its terms first, with your account:") }} <a :href="one.gated" target="_blank" rel="noopener noreferrer">{{ one.gated.replace("https://", "") }}</a></template></small>
        </label>
        <button v-if="kind.more" type="button" class="plain" @click="all = true">{{ tr("Show all {n}", { n: kind.more }) }}</button>
      </fieldset>
      <p v-for="note in proposed.notes" :key="note" class="quiet">{{ note }}</p>
      <form class="form" @submit.prevent="take">
        <label v-if="gated || elsewhere" class="field"><span>{{ tr("Access token of the model hub") }}</span><input v-model.trim="token" type="password" autocomplete="off" maxlength="300" />
          <small>{{ tr("Only for models whose terms have to be accepted.") }}</small></label>
        <label v-if="elsewhere" class="field"><span>{{ tr("Address of the model hub") }}</span><input v-model.trim="endpoint" type="url" maxlength="300" placeholder="https://hub.example.org" />
          <small>{{ tr("For a mirror of yours.") }}</small></label>
        <div class="group"><button type="submit" class="go" :disabled="busy || !wanted.length">{{ busy ? tr("Asking the hub …") : tr("Take these") }}</button>
          <button v-if="!elsewhere" type="button" class="plain" @click="elsewhere = true">{{ tr("From another hub") }}</button>
          <span v-if="chosen.length" class="quiet" role="status">{{ tr("Taken: {models}. They are brought once it is written.", { models: chosen.join(", ") }) }}</span></div>
      </form>
    </template>`,
  computed: {
    uses: () => ({ private: tr("among people I know"), public: tr("for everybody, free of charge"), commercial: tr("for money, or at work") }),
    qualities: () => ({ fast: tr("quick answers"), balanced: tr("some of both"), best: tr("good answers") }),
    machine() {
      const { memory, cards, room } = this.proposed;
      const here = cards.map(([name, bytes]) => tr("{card} with {memory}", { card: name, memory: gigabytes(bytes) })).join(", ") || tr("no GPU");
      return tr("This machine has {memory} of memory and {cards}; models may take {room} of it.", { memory: gigabytes(memory), cards: here, room: gigabytes(room) });
    },
    kinds() {
      const labels = { chat: tr("It chats with"), speech: tr("It listens with"), image: tr("It draws with") };
      return Object.entries(labels)
        .map(([id, label]) => {
          const all = this.proposed.offers.filter((one) => one.kind === id);
          const fitting = all.filter((one) => !one.why_not);
          const near = all.filter((one) => one.able).slice(-3);
          const offers = this.all ? all : all.filter((one) => (fitting.length ? fitting.slice(0, 5) : near).includes(one));
          return { id, label, offers, more: offers.length < all.length ? all.length : 0 };
        })
        .filter((kind) => kind.offers.length);
    },
    wanted() {
      return ["chat", "speech", "image"].map((kind) => this.picked[kind]).filter(Boolean);
    },
    gated() {
      return this.proposed.offers.some((one) => this.wanted.includes(one.model) && one.gated && !one.here);
    },
  },
  watch: {
    proposed(given) {
      this.picked = Object.fromEntries(given.offers.filter((one) => one.best && !one.why_not).map((one) => [one.kind, one.model]));
    },
  },
  methods: {
    gigabytes,
    megabytes,
    tr,
    ask() {
      this.$emit("propose", { use: this.use, quality: this.quality, languages: this.languages.split(",") });
    },
    take() {
      this.$emit("choose", { models: this.wanted, endpoint: this.endpoint, token: this.token });
      this.token = "";
    },
  },
};
