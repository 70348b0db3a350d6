// The page of one server: its plugins with their settings, who may do what, and what was changed.
import acting from "/static/acting.js";
import Frame from "/static/frame.js";
import Limits from "/static/limits.js";
import Setting from "/static/setting.js";
import { tr } from "/static/texts.js";
import Whom, { meant } from "/static/whom.js";
import { moment } from "/static/words.js";

const LEVELS = ["guest", "member", "moderator", "admin"];

export default {
  mixins: [acting],
  components: { Frame, Limits, Setting, Whom },
  emits: ["switch", "stop", "save", "permit", "limit"],
  data: () => ({ where: "server", drafts: {}, open: "", said: "", left: null, what: "", allowed: true, rank: "moderator", tab: "plugins",
    granted: { who: "everyone", person: "" }, ranked: { who: "person", person: "" } }),
  template: `
    <Frame ref="frame" :frame="frame" :title="tr('Your server')" :about="about" :away="away" :loaded="!!seen">
      <template #acts><label v-if="seen && seen.servers.length > 1" class="pick"><span class="unseen">{{ tr("Server") }}</span>
        <select :value="seen.server" @change="$emit('hello', { server: $event.target.value })">
          <option v-for="one in seen.servers" :key="one.id" :value="one.id">{{ one.name }}</option></select></label></template>
      <div class="tabs" role="tablist" :aria-label="tr('Parts of this page')" @keydown.right="step(1)" @keydown.left="step(-1)">
        <button v-for="one in tabs" :id="'tab-' + one.id" :key="one.id" type="button" role="tab" :aria-selected="tab === one.id" :tabindex="tab === one.id ? 0 : -1"
          aria-controls="part" @click="tab = one.id">{{ one.label }}</button></div>
      <p v-if="said" class="saved" role="status">{{ said }}</p>
      <div v-if="left" class="panel" role="status"><p>{{ tr("{plugin} is off from now on. Requests to it that came before that and are not answered yet: {n}.", { plugin: left.plugin, n: left.count }) }}</p>
        <div class="group"><button type="button" class="plain" @click="left = null">{{ tr("Let them finish") }}</button>
          <button type="button" class="plain" :disabled="busy()" @click="act('stop', { server: seen.server, plugin: left.plugin, where: left.where })">{{ tr("Cancel them") }}</button></div></div>
      <div id="part" class="part" role="tabpanel" :aria-labelledby="'tab-' + tab">
        <template v-if="tab === 'plugins'">
          <label v-if="seen.places.length > 1" class="field"><span>{{ tr("What you change holds for") }}</span>
            <select v-model="where"><option v-for="one in seen.places" :key="one" :value="one">{{ places[one] }}</option></select></label>
          <section v-for="one in seen.plugins" :key="one.name" class="panel">
            <div class="head"><h2>{{ called(one) }}</h2>
              <template v-if="one.name === 'hobnob'"></template><span v-else-if="one.locked" class="tag">{{ one.on ? tr("on, as whoever runs the bot decided") : tr("off, as whoever runs the bot decided") }}</span>
              <label v-else class="check"><span>{{ one.on ? tr("On") : tr("Off") }}</span><span class="switch"><input type="checkbox" role="switch" :checked="one.on" :aria-label="one.name"
                :disabled="busy()" @change="$emit('switch', { server: seen.server, plugin: one.name, where, on: $event.target.checked, seen: one.seen })" /></span></label></div>
            <p v-if="one.trouble" class="fault">{{ one.trouble }}</p>
            <p class="quiet">{{ one.summary }}<template v-if="one.origin !== 'plugin' && one.origin !== 'operator'"> {{ tr("Switched {origin}.", { origin: origins[one.origin] }) }}
              <button type="button" class="link" @click="$emit('switch', { server: seen.server, plugin: one.name, where, on: null, seen: one.seen })">{{ tr("As elsewhere") }}</button></template></p>
            <details v-if="one.settings.length" :open="open === one.name" @toggle="$event.target.open && (open = one.name)"><summary>{{ tr("Settings") }}</summary>
              <form class="form" @submit.prevent="save(one)">
                <Setting v-for="each in one.settings" :key="each.name" :id="one.name + '-' + each.name" :setting="each" :draft="draft(one, each)"
                  :origin="origins[each.origin]" :mine="each.origin === where" @draft="put(one, each, $event)" @reset="reset(one, each)" />
                <div class="group"><button type="submit" class="go" :disabled="busy() || !changed(one)">{{ tr("Save") }}</button>
                  <button v-if="changed(one)" type="button" class="plain" @click="drafts[one.name] = {}">{{ tr("As it was") }}</button></div>
              </form></details>
          </section>
        </template>
        <template v-else-if="tab === 'people'">
          <section class="panel"><h2>{{ tr("Who may do what") }}</h2>
            <p class="quiet">{{ tr("Admins may do everything. Where nothing is said here, everybody may use what is on.") }}</p>
            <ul v-if="seen.grants.length || seen.levels.length" class="rows">
              <li v-for="one in seen.grants" :key="(one.place || one.where) + one.who + one.what"><span><b>{{ shown(one) }}</b> {{ one.allowed ? tr("may use") : tr("may not use") }}
                <code>{{ one.what === "*" ? tr("everything") : one.what }}</code>{{ one.place ? tr(", in {place}", { place: one.at }) : limits[one.where] }}</span>
                <button type="button" class="plain" :disabled="busy()" @click="permit({ who: one.who, what: one.what, name: one.name, ...(one.place ? { place: one.place } : { where: one.where }) })">{{ tr("Take back") }}</button></li>
              <li v-for="one in seen.levels" :key="one.who"><span><b>{{ shown(one) }}</b> {{ tr("is {level} here", { level: ranks[one.level] || one.level }) }}</span>
                <button type="button" class="plain" :disabled="busy()" @click="permit({ who: one.who, level: 'none', name: one.name })">{{ tr("Take back") }}</button></li></ul>
            <form class="form inline" @submit.prevent="permit({ who: granted.who, what, allowed, name: name(granted.who), where: 'server' }, granted)">
              <Whom id="may" :label="tr('Who')" :seen="seen" :whom="granted"><option value="everyone">{{ tr("everyone") }}</option>
                <option v-for="level in levels.slice(0, 3)" :key="level" :value="'level:' + level">{{ tr("every {level}", { level: ranks[level] }) }}</option></Whom>
              <label class="field"><span>{{ tr("May") }}</span><select v-model="allowed"><option :value="true">{{ tr("use") }}</option><option :value="false">{{ tr("not use") }}</option></select></label>
              <label class="field"><span>{{ tr("What") }}</span><input v-model.trim="what" list="things" required maxlength="64" :placeholder="tr('/again, chat or *')" />
                <datalist id="things"><option v-for="one in seen.plugins" :key="one.name" :value="one.name"></option><option value="*"></option></datalist></label>
              <button type="submit" class="go" :disabled="busy()">{{ tr("Save") }}</button></form>
            <form class="form inline" @submit.prevent="permit({ who: ranked.who, level: rank, name: name(ranked.who) }, ranked)">
              <Whom id="is" :label="tr('Who')" :seen="seen" :whom="ranked" />
              <label class="field"><span>{{ tr("Is here") }}</span><select v-model="rank"><option v-for="level in levels" :key="level" :value="level">{{ ranks[level] }}</option></select></label>
              <button type="submit" class="go" :disabled="busy()">{{ tr("Save") }}</button></form>
          </section>
        </template>
        <Limits v-else-if="tab === 'limits'" :seen="seen" :busy="busy()" @limit="(quota, whose) => act('limit', { server: seen.server, quota, ...whose })" />
        <section v-else class="panel"><h2>{{ tr("What was changed") }}</h2>
          <p v-if="!seen.deeds.length" class="quiet">{{ tr("Nobody has changed anything here.") }}</p>
          <div v-else class="scroll" tabindex="0" role="region" :aria-label="tr('What was changed')"><table><thead><tr><th>{{ tr("When") }}</th><th>{{ tr("Who") }}</th><th>{{ tr("What") }}</th></tr></thead>
            <tbody><tr v-for="(one, at) in seen.deeds" :key="at"><td>{{ moment(one.at) }}</td><td>{{ one.name }}</td><td><b v-if="one.plugin">{{ one.plugin }}</b> {{ one.what }}</td></tr></tbody></table></div>
        </section>
      </div>
    </Frame>`,
  computed: {
    about() {
      return this.seen ? this.seen.servers.find((one) => one.id === this.seen.server)?.name : "";
    },
    tabs: () => [
      { id: "plugins", label: tr("Plugins and settings") },
      { id: "people", label: tr("Permissions") },
      { id: "limits", label: tr("Use and limits") },
      { id: "log", label: tr("What was changed") },
    ],
    limits: () => ({ server: "", channel: tr(", in the channel"), thread: tr(", in the thread") }),
    places: () => ({ server: tr("The whole server"), channel: tr("The channel where you asked"), thread: tr("The thread where you asked") }),
    origins: () => ({
      plugin: tr("as it came"), operator: tr("by whoever runs the bot"), server: tr("by this server"), channel: tr("by the channel"), thread: tr("by the thread"),
    }),
    levels: () => LEVELS,
    ranks: () => ({ guest: tr("guest"), member: tr("member"), moderator: tr("moderator"), admin: tr("admin"), owner: tr("owner"), none: tr("none") }),
  },
  methods: {
    moment,
    tr,
    called: (one) => (one.name === "hobnob" ? tr("The bot itself") : one.name),
    name(who) {
      return this.seen.roles.find((role) => role.id === who)?.name || who.replace("level:", "every "); // kept, and read in every language
    },
    shown({ who, name }) {
      if (who === "everyone") return tr("everyone");
      const rank = who.startsWith("level:") && this.ranks[who.slice(6)];
      return rank ? tr("every {level}", { level: rank }) : name || who;
    },
    step(by) {
      const at = this.tabs.findIndex((one) => one.id === this.tab);
      this.tab = this.tabs[(at + by + this.tabs.length) % this.tabs.length].id;
      this.$nextTick(() => document.getElementById(`tab-${this.tab}`).focus());
    },
    draft(plugin, setting) {
      const draft = this.drafts[plugin.name]?.[setting.name];
      return draft === undefined ? setting.value : draft;
    },
    put(plugin, setting, value) {
      this.drafts[plugin.name] = { ...this.drafts[plugin.name], [setting.name]: value };
    },
    changed(plugin) {
      return Object.keys(this.drafts[plugin.name] || {}).length > 0;
    },
    save(plugin) {
      this.saving = plugin.name;
      this.act("save", { server: this.seen.server, plugin: plugin.name, where: this.where, settings: this.drafts[plugin.name], seen: plugin.seen });
    },
    reset(plugin, setting) {
      this.act("save", { server: this.seen.server, plugin: plugin.name, where: this.where, settings: { [setting.name]: null }, seen: plugin.seen });
    },
    permit(permit, whom = {}) {
      this.act("permit", { server: this.seen.server, permit, ...meant(whom) });
    },
    on_left(left) {
      this.left = left;
    },
    on_stopped({ count }) {
      this.left = null;
      this.say(tr("Cancelled: {n}.", { n: count }));
    },
    say(text, seconds = 6) {
      this.said = text;
      clearTimeout(this.fading);
      this.fading = setTimeout(() => (this.said = ""), seconds * 1000);
    },
    on_saved({ warnings }) {
      if (this.saving) this.drafts[this.saving] = {};
      this.saving = "";
      this.say([tr("Saved. It holds from the next message on."), ...warnings].join(" "), warnings.length ? 30 : 6);
    },
  },
};
