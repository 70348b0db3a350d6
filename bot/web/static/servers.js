// The servers: who may use the bot at all, who waits, who is in.
import acting from "/static/acting.js";
import Frame from "/static/frame.js";
import { tr } from "/static/texts.js";
import { moment, number } from "/static/words.js";

export default {
  mixins: [acting],
  components: { Frame },
  emits: ["decide", "open"],
  data: () => ({ sought: "", sure: "" }),
  template: `
    <Frame ref="frame" :frame="frame" :title="tr('Servers')" :about="seen ? tr('{n} known', { n: seen.servers.length }) : ''" :away="away" :loaded="!!seen">
      <section class="panel"><h2>{{ tr("Who may use the bot") }}</h2>
        <div class="form inline two">
          <label v-for="(policy, door) in seen.policies" :key="door" class="field"><span>{{ doors[door] }}</span>
            <select :value="policy" :disabled="busy()" @change="act('open', { door, policy: $event.target.value })">
              <option v-for="(words, one) in policies" :key="one" :value="one">{{ words }}</option></select></label></div>
        <p class="quiet">{{ seen.owners.length ? tr("Owners in chats: {names}.", { names: seen.owners.map((one) => one.name).join(", ") }) : tr("Nobody owns the bot in a chat yet: say /claim there, with the code that Hobnob prints.") }}</p>
      </section>
      <section v-if="seen.waiting.length" class="panel"><h2>{{ tr("Waiting to be let in") }}</h2>
        <ul class="rows"><li v-for="one in seen.waiting" :key="one.id"><span><b>{{ one.name }}</b> <span class="dim">{{ tr("{id}, since {when}", { id: one.id, when: moment(one.at) }) }}</span></span>
          <span class="group"><button type="button" class="go" :disabled="busy()" :aria-label="tr('Let {name} in', one)" @click="decide(one, 'admit')">{{ tr("Let in") }}</button>
            <button type="button" class="plain" :disabled="busy()" :aria-label="tr('Refuse {name}', one)" @click="decide(one, 'refuse')">{{ tr("Refuse") }}</button></span></li></ul></section>
      <section class="panel"><div class="head"><h2>{{ tr("Servers") }}</h2>
          <label v-if="seen.servers.length > 12" class="pick"><span class="unseen">{{ tr("Search") }}</span><input v-model.trim="sought" type="search" :placeholder="tr('Search')" /></label></div>
        <p v-if="!seen.servers.length" class="quiet">{{ tr("None yet. A server is listed here once somebody has asked something there, its admins have chosen something, or you have let it in.") }}</p>
        <ul class="rows"><li v-for="one in found" :key="one.id"><span><a :href="'/operator/server?of=' + encodeURIComponent(one.id)">{{ one.name }}</a>
            <span v-if="one.left" class="tag off">{{ tr("left") }}</span> <span v-if="one.banned" class="tag off">{{ tr("banned") }}</span>
            <span class="facts-line"><span v-for="fact in facts(one)" :key="fact">{{ fact }}</span></span></span>
          <span class="group"><button v-if="one.leaves && !one.left" type="button" class="plain" :class="{ danger: sure === one.id }" :disabled="busy()" :aria-label="tr('Leave {name}', one)" @click="leave(one)" @blur="sure = ''">{{ sure === one.id ? tr("Really leave?") : tr("Leave") }}</button>
          <button type="button" class="plain" :class="{ danger: !one.banned }" :disabled="busy()" :aria-label="one.banned ? tr('Allow {name}', one) : tr('Ban {name}', one)"
            @click="decide(one, one.banned ? 'allow' : 'ban')">{{ one.banned ? tr("Allow again") : tr("Ban") }}</button></span></li>
          <li v-for="one in strangers" :key="one.id"><span>{{ one.name }} <span class="tag off">{{ tr("banned") }}</span></span>
            <button type="button" class="plain" :disabled="busy()" @click="decide(one, 'allow')">{{ tr("Allow again") }}</button></li></ul></section>
    </Frame>`,
  computed: {
    doors: () => ({ servers: tr("New servers"), direct: tr("New people alone with the bot") }),
    policies: () => ({ open: tr("come in by themselves"), approve: tr("wait until you or an owner lets them in"), closed: tr("are not let in") }),
    servers() {
      const name = (one) => (one.direct ? tr("{platform}, alone with the bot", one) : `${one.platform} ${one.name}`);
      return this.seen.servers.map((one) => ({ ...one, name: name(one) }));
    },
    found() {
      const word = this.sought.toLowerCase();
      return this.servers.filter((one) => one.name.toLowerCase().includes(word) || one.id.includes(word));
    },
    strangers() {
      return this.seen.banned.filter((one) => !this.seen.servers.some((known) => known.id === one.id));
    },
  },
  methods: {
    moment,
    facts(one) {
      return [
        one.requests ? tr("requests in the last day: {n}", { n: number(one.requests) }) : "",
        one.language,
        one.quotas ? tr("limits of its own: {n}", { n: one.quotas }) : "",
        one.on.length ? tr("on: {plugins}", { plugins: one.on.join(", ") }) : "",
        one.off.length ? tr("off: {plugins}", { plugins: one.off.join(", ") }) : "",
      ].filter(Boolean);
    },
    leave({ id }) {
      if (this.sure === id) this.act("decide", { server: id, act: "leave" });
      this.sure = this.sure === id ? "" : id;
    },
    tr,
    decide({ id }, act) {
      this.act("decide", { server: id, act });
    },
  },
};
