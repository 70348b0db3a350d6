// The paths that messages took: why something was answered, or was not, and where the time went.
import acting from "/static/acting.js";
import Frame from "/static/frame.js";
import { tr } from "/static/texts.js";
import { moment, seconds } from "/static/words.js";

export default {
  mixins: [acting],
  components: { Frame },
  emits: ["seek"],
  data: () => ({ sought: new URLSearchParams(location.search).get("of") || "", further: null, revealed: {} }),
  template: `
    <Frame ref="frame" :frame="frame" :title="tr('Traces')" :about="seen ? tr('messages of the last hour') : ''" :away="away" :loaded="!!seen">
      <div class="toolbar"><label class="grow"><span class="unseen">{{ tr("Search") }}</span>
          <input v-model.trim="sought" type="search" :placeholder="tr('Message, person, server, plugin or reference')" @input="further = null" /></label>
        <button type="button" class="plain" :disabled="!sought || busy()" @click="act('seek', { words: sought })">{{ tr("Look further back") }}</button></div>
      <p class="quiet fine">{{ seen.contents ? tr("What was said is shown when you ask for it, because web.contents is on.") : tr("What was said is not kept here. web.contents in bot.toml keeps it for an hour.") }}</p>
      <p v-if="!paths.length" class="quiet">{{ sought ? tr("No message is like that.") : tr("Nobody has said anything to the bot in the last hour.") }}</p>
      <ul class="paths"><li v-for="one in paths" :key="one.conversation + ' ' + one.message" class="panel path">
        <div class="head"><div><h2>{{ place(one) }}</h2><p class="quiet fine">{{ moment(one.at) }} · {{ tr("person {id}", { id: one.person }) }} · {{ tr("message {id}", { id: one.message }) }}</p></div>
          <span class="tag" :class="{ off: failed(one), faint: !one.steps.length && !one.stop }">{{ rules[one.rule] }}</span></div>
        <p v-if="one.said"><button v-if="!revealed[one.message]" type="button" class="link" @click="revealed[one.message] = true">{{ tr("Show what was said") }}</button><q v-else>{{ one.said }}</q></p>
        <p v-if="one.stop" class="fault fine">{{ stops[one.stop] }}</p>
        <p v-else-if="!one.steps.length" class="quiet fine">{{ one.missed.length ? tr("Nobody took it. These would have, and are off there: {plugins}.", { plugins: one.missed.join(", ") }) : tr("Nobody took it.") }}</p>
        <ol v-else class="stops"><li v-for="step in one.steps" :key="step.plugin + step.route">
          <div class="head"><span><b>{{ step.plugin || "hobnob" }}</b> <span class="dim">{{ step.route }}</span></span>
            <span class="group fine"><span>{{ outcome(step) }}</span><a v-if="step.ref" :href="'/operator/logs?ref=' + step.ref"><code>{{ step.ref }}</code></a></span></div>
          <p v-if="step.words" class="quiet fine">{{ step.words }}</p>
          <template v-if="step.seconds">
            <div class="share-bar time" role="img" :aria-label="spent(step)"><i v-for="part in parts(step)" :key="part.kind" :class="part.kind" :style="{ width: part.share + '%' }"></i></div>
            <p class="quiet fine">{{ spent(step) }}</p></template></li></ol></li></ul>
    </Frame>`,
  computed: {
    rules: () => ({
      "": tr("not said to the bot"), direct: tr("alone with the bot"), mention: tr("mentions it"), reply: tr("replies to it"), listens: tr("it listens there"),
      thread: tr("in its thread"), word: tr("says its word"), command: tr("command"), click: tr("click"), reaction: tr("reaction"),
    }),
    stops: () => ({ banned: tr("Whoever said it is banned."), "not admitted": tr("It is not let in there.") }),
    paths() {
      const word = this.sought.toLowerCase();
      const near = this.seen.paths.filter((one) => JSON.stringify(one).toLowerCase().includes(word));
      return [...near, ...(this.further || [])];
    },
  },
  methods: {
    moment,
    tr,
    on_found({ paths }) {
      this.acting = {};
      this.further = paths;
    },
    place: (one) => one.conversation.split("/").slice(0, 3).filter(Boolean).join(" / "),
    failed: (one) => !!one.stop || one.steps.some((step) => step.undelivered),
    outcome(step) {
      if (step.undelivered) return tr("the platform would not take the answer");
      if (step.seconds === null) return step.words ? tr("refused") : tr("goes on");
      if (step.words) return tr("told why not, after {span}", { span: seconds(step.seconds) });
      return step.answers ? tr("answered after {span}", { span: seconds(step.seconds) }) : tr("ended after {span}", { span: seconds(step.seconds) });
    },
    times(step) {
      const sum = (name) => step.requests.reduce((total, one) => total + (one[name] || 0), 0);
      const [waited, worked] = [Math.min(sum("waited"), step.seconds), Math.min(sum("worked"), step.seconds)];
      return { waited, worked, rest: Math.max(0, step.seconds - waited - worked) };
    },
    parts(step) {
      const times = this.times(step);
      return Object.entries(times).map(([kind, took]) => ({ kind, share: (took / step.seconds) * 100 }));
    },
    spent(step) {
      const { waited, worked, rest } = this.times(step);
      const on = [...new Set(step.requests.map((one) => one.model).filter(Boolean))].join(", ");
      const words = { waited: seconds(waited), worked: seconds(worked), rest: seconds(rest), model: on };
      return on ? tr("{waited} in line, {worked} on the device by {model}, {rest} elsewhere", words) : tr("{rest} without a model", words);
    },
  },
};
