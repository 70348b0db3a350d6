// The first run: a greeting, how far the models are, a room to try at once, and one question after the other.
import acting from "/static/acting.js";
import Connect from "/static/connect.js";
import Diff from "/static/diff.js";
import Icon from "/static/icons.js";
import Lineup from "/static/lineup.js";
import { tr } from "/static/texts.js";
import Tongue from "/static/tongue.js";
import { megabytes } from "/static/words.js";

const WHERE = { discord: "Discord", telegram: "Telegram" };

export default {
  mixins: [acting],
  components: { Connect, Diff, Icon, Lineup, Tongue },
  emits: ["begin", "connect", "propose", "choose", "switch", "code", "write"],
  data: () => ({
    begun: null, open: "", notice: "", found: {}, unreached: {}, proposed: null, chosen: [], draft: "", code: "", copied: false, restarting: false, written: false,
    theme: window.hobnobTheme.get(),
  }),
  template: `
    <div class="desk start">
      <div class="bar"><a class="way" href="/"><Icon name="room" />{{ tr("To the room") }}</a><a class="way" href="/operator"><Icon name="chart" />{{ tr("Dashboard") }}</a><span></span>
        <Tongue />
        <button type="button" class="round" :aria-label="tr('Colours: {theme}. Change', { theme: colours })" :title="tr('Colours: {theme}', { theme: colours })" @click="theme = recolour()"><Icon :name="theme" /></button></div>
      <main id="content">
        <header class="hail">
          <img src="/static/hobnob.svg" alt="" width="88" height="88" />
          <h1>{{ tr("Welcome to your Hobnob") }}</h1>
          <p>{{ tr("A chat bot of your own: what is said to it stays on this machine. It runs already, and you are the one who looks after it.") }}</p>
          <a class="go" href="/"><Icon name="room" />{{ ready ? tr("Try it in the room") : tr("Look into the room") }}</a>
        </header>
        <p v-if="away" class="told warn" role="status">{{ restarting ? tr("It starts anew with what you chose. This page comes back by itself.") : tr("Hobnob cannot reach its store. It tries again by itself.") }}</p>
        <section v-if="seen && models.length" class="panel" aria-labelledby="models-title">
          <h2 id="models-title">{{ ready ? tr("Its models are ready") : tr("Its models are on their way") }}</h2>
          <ul class="models">
            <li v-for="one in models" :key="one.model"><b>{{ one.model }}</b>
              <span v-if="one.state === 'ready'" class="good"><Icon name="check" />{{ tr("ready") }}</span><span v-else>{{ said(one) }}</span>
              <div v-if="one.state !== 'ready'" class="gauge" :class="{ some: one.share === null }" role="progressbar" :aria-label="one.model" :aria-valuenow="one.share ?? undefined" aria-valuemin="0" aria-valuemax="100"><i :style="one.share === null ? {} : { width: one.share + '%' }"></i></div>
              <p v-if="one.fault" class="fault">{{ one.fault }} {{ tr("It is tried again every half minute.") }}</p></li>
          </ul>
          <p class="quiet">{{ ready ? tr("They are small and for a first try: they show that everything works, and make things up.") : tr("What you ask meanwhile is answered as soon as they are here.") }}</p>
        </section>
        <div v-if="begun" class="steps sheet">
          <section v-for="step in steps" :key="step.id" class="stage">
            <h2><button type="button" :aria-expanded="open === step.id" :aria-controls="'in-' + step.id" @click="open = open === step.id ? '' : step.id">
              <span class="mark" :class="{ done: step.done }"><Icon :name="step.done ? 'check' : step.icon" /></span>{{ step.label }}<small class="is">{{ step.is }}</small></button></h2>
            <div v-if="open === step.id" :id="'in-' + step.id" class="inside">
              <Connect v-if="step.id === 'discord' || step.id === 'telegram'" :platform="step.id" :connected="begun.connected.includes(step.id)" :found="found[step.id]" :unreached="!!unreached[step.id]" :busy="busy()"
                @connect="act('connect', $event, 120)" />
              <Lineup v-else-if="step.id === 'models'" :proposed="proposed" :chosen="chosen" :busy="busy()" @propose="act('propose', $event, 120)" @choose="act('choose', $event, 120)" />
              <template v-else-if="step.id === 'plugins'">
                <p class="quiet">{{ tr("Each can still be switched off for a single server.") }}</p>
                <ul class="rows"><li v-for="one in begun.plugins" :key="one.name"><span><b>{{ one.name }}</b> <span class="quiet">{{ one.about }}</span></span>
                  <span class="switch"><input type="checkbox" role="switch" :checked="one.on" :aria-label="one.name" :disabled="busy()" @change="act('switch', { name: one.name, on: $event.target.checked })" /></span></li></ul>
              </template>
              <template v-else>
                <p class="quiet">{{ tr("An owner decides for every server, from any chat: who may use the bot, which servers it is in. Say these words to it, and you are one.") }}</p>
                <p v-if="code" class="codeword"><code>/claim {{ code }}</code><button type="button" class="plain" @click="copy">{{ copied ? tr("Copied") : tr("Copy") }}</button></p>
                <p v-if="code" class="quiet">{{ tr("It works once, within a day.") }}</p>
                <div class="group"><button v-if="!code" type="button" class="go" :disabled="busy()" @click="act('code', {})">{{ tr("Show me the words") }}</button>
                  <a class="plain" href="/operator/access">{{ tr("Choose a password for these pages") }}</a></div>
              </template>
            </div>
          </section>
        </div>
        <section v-if="draft || written" class="panel" aria-labelledby="review">
          <h2 id="review">{{ written ? tr("Written") : tr("What would be written") }}</h2>
          <Diff v-if="!written" :text="draft" />
          <p v-if="written" class="quiet" role="status">{{ restarting ? tr("It starts anew with what you chose. This page comes back by itself.") : tr("It holds from the next start: stop Hobnob, and start it again.") }}</p>
          <div v-else class="group"><button type="button" class="go" :disabled="busy()" @click="act('write', {}, 120)">{{ writing ? tr("It is being checked …") : tr("Write it and start anew") }}</button>
            <span class="quiet">{{ tr("Comments stay as they are. Secrets are never shown again.") }}</span></div>
        </section>
      </main>
      <div v-if="notice" class="toast" role="alert"><span>{{ notice }}</span>
        <button type="button" class="small" :aria-label="tr('Close')" @click="notice = ''"><Icon name="close" /></button></div>
    </div>`,
  computed: {
    colours() {
      return { system: tr("system"), light: tr("light"), dark: tr("dark") }[this.theme];
    },
    models() {
      const { pulls, serving } = this.seen;
      const coming = pulls.map((one) => ({ ...one, state: this.state(one), share: one.total ? Math.min(100, Math.round((one.done / one.total) * 100)) : null }));
      const named = coming.map((one) => one.model);
      return [...coming, ...serving.filter((model) => !named.includes(model)).map((model) => ({ model, state: "ready" }))];
    },
    ready() {
      return !!this.seen && this.models.length > 0 && this.models.every((one) => one.state === "ready");
    },
    writing() {
      return Object.values(this.acting).includes("write");
    },
    steps() {
      const platform = (id, icon) => ({ id, icon, label: tr("Connect {platform}", { platform: WHERE[id] }), ...this.platform(id) });
      const on = this.begun.plugins.filter((one) => one.on).length;
      return [
        platform("discord", "people"),
        platform("telegram", "send"),
        { id: "models", icon: "model", label: tr("Choose its models"), done: this.chosen.length > 0, is: this.chosen.join(", ") || tr("as it came") },
        { id: "plugins", icon: "plugin", label: tr("Pick plugins"), is: tr("{n} on", { n: on }) },
        { id: "owner", icon: "key", label: tr("Make it yours"), is: "" },
      ];
    },
  },
  mounted() {
    document.title = `${tr("Set up")} · Hobnob`;
    setTimeout(() => this.$emit("begin", {}));
  },
  methods: {
    tr,
    recolour: () => window.hobnobTheme.next(),
    platform(id) {
      if (this.found[id]) return { done: true, is: this.found[id].name };
      const runs = this.begun.connected.includes(id);
      return { done: runs, is: runs ? tr("connected") : tr("not connected") };
    },
    state(one) {
      if (one.fault) return "fault";
      if (one.doing !== "ready") return "coming";
      return this.seen.serving.includes(one.model) || this.seen.serving.length > 1 ? "ready" : "loading";
    },
    said(one) {
      if (one.state === "fault") return tr("stuck");
      if (one.state === "loading") return tr("loading into memory");
      const doing = {
        waiting: tr("waits"), downloading: tr("downloading"), unpacking: tr("unpacking"), verifying: tr("verifying"),
        "converting once, so that it loads quickly": tr("converting once, so that it loads quickly"),
      }[one.doing];
      const bytes = one.total && one.doing === "downloading" ? ` ${megabytes(one.done)} / ${megabytes(one.total)}` : "";
      return `${doing ?? one.doing}${bytes}`;
    },
    copy() {
      navigator.clipboard.writeText(`/claim ${this.code}`);
      this.copied = true;
    },
    on_seen({ seen }) {
      if (seen.away) this.away = true;
      else Object.assign(this, { seen, away: false });
    },
    on_begun(given) {
      this.begun = given;
    },
    on_connected({ platform, ...found }) {
      this.acting = {};
      this.notice = "";
      this.found[platform] = found;
      this.unreached[platform] = false;
    },
    on_unreached({ platform }) {
      this.unreached[platform] = true;
    },
    on_proposed(given) {
      Object.assign(this, { proposed: given, acting: {} });
    },
    on_chosen({ models }) {
      Object.assign(this, { chosen: models, acting: {}, notice: "" });
    },
    on_switched({ name, on }) {
      this.acting = {};
      this.begun.plugins.find((one) => one.name === name).on = on;
    },
    on_code({ code }) {
      Object.assign(this, { code, acting: {} });
    },
    on_draft({ text }) {
      this.draft = text;
    },
    on_written({ again }) {
      Object.assign(this, { written: true, restarting: again, acting: {}, notice: "" });
      if (again) this.back();
    },
    on_sorry({ text, nonce }) {
      delete this.acting[nonce];
      this.notice = text;
    },
  },
};
