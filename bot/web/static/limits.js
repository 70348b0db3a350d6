// How much is used in a server and how much may be: its day, what is left of each limit, and what its admins chose.
import Bars from "/static/bars.js";
import { tr } from "/static/texts.js";
import Whom, { meant } from "/static/whom.js";
import { number, span } from "/static/words.js";

export default {
  components: { Bars, Whom },
  props: { seen: Object, busy: Boolean },
  emits: ["limit"],
  data: () => ({ whose: { who: "everyone", person: "" }, measure: "messages", rate: "" }),
  template: `
    <section class="panel"><h2>{{ tr("What is used") }}</h2>
      <div class="figure"><p class="big">{{ number(requests) }} <small>{{ tr("requests in the last day") }}</small></p>
        <Bars :values="seen.day.requests" :moments="seen.day.at" :label="tr('Requests')" unit="" /></div>
      <p v-if="!usage.length" class="quiet">{{ tr("No limit holds for you or for this server as a whole.") }}</p>
      <ul class="rows"><li v-for="one in usage" :key="one.measure + one.seconds + one.shared" class="spent"><span><b>{{ one.shared ? tr("This server") : tr("You") }}</b>
          {{ tr("{used} of {most} {unit} in {span}", { used: Math.round(one.used * 10) / 10, most: one.limit, unit: one.unit, span: one.span }) }}</span>
        <meter :value="Math.min(one.used, one.limit)" :max="one.limit" :aria-label="one.unit"></meter>
        <small class="dim">{{ one.used ? tr("all of it again in {span}", { span: span(one.refills) }) : one.fixed ? tr("by whoever runs the bot") : tr("by this server") }}</small></li></ul>
    </section>
    <section class="panel"><h2>{{ tr("What may be used") }}</h2>
      <p class="quiet">{{ tr("Within what whoever runs the bot allows. What is for one person goes before what is for a role, and that before what is for everyone.") }}</p>
      <ul v-if="seen.quotas.length" class="rows"><li v-for="one in seen.quotas" :key="one.whose + one.measure"><span><b>{{ called(one) }}</b> {{ one.rates.join(", ") }} {{ one.unit }}</span>
        <button type="button" class="plain" :disabled="busy" @click="$emit('limit', { whose: one.whose, measure: one.measure, name: one.name })">{{ tr("Take back") }}</button></li></ul>
      <form class="form inline" @submit.prevent="limit">
        <Whom id="whose" :label="tr('Whose')" :seen="seen" :whom="whose"><option value="everyone">{{ tr("each person") }}</option><option value="server">{{ tr("all together") }}</option></Whom>
        <label class="field"><span>{{ tr("What") }}</span><select v-model="measure"><option v-for="(unit, one) in seen.units" :key="one" :value="one">{{ unit }}</option></select></label>
        <label class="field"><span>{{ tr("How much") }}</span><input v-model.trim="rate" required maxlength="60" placeholder="20/hour" /></label>
        <button type="submit" class="go" :disabled="busy">{{ tr("Save") }}</button></form>
      <p class="quiet fine">{{ tr("An amount and a time: 20/hour, 100/day, or 1/30s for once in 30 seconds. Several, with commas, hold all at once.") }}</p>
    </section>`,
  computed: {
    requests() {
      return this.seen.day.requests.reduce((sum, count) => sum + count, 0);
    },
    usage() {
      return this.seen.usage.filter((one) => one.shared || this.seen.me.id !== "person:operator");
    },
  },
  methods: {
    number,
    span,
    tr,
    called(one) {
      return { everyone: tr("each person"), server: tr("all together") }[one.whose] || one.name || one.whose;
    },
    limit() {
      const { who } = this.whose, name = this.seen.roles.find((role) => role.id === who)?.name || "";
      this.$emit("limit", { whose: who, measure: this.measure, rates: this.rate.split(",").map((one) => one.trim()).filter(Boolean), name }, meant(this.whose));
    },
  },
};
