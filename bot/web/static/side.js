// Beside the room: where one can go, who is here, and oneself.
import Icon from "/static/icons.js";
import { Avatar } from "/static/message.js";
import Rooms from "/static/rooms.js";
import { tr } from "/static/texts.js";
import Tongue from "/static/tongue.js";

const MOST = 20; // of those who are away

export default {
  components: { Avatar, Icon, Rooms, Tongue },
  props: { tabs: Array, where: String, people: Array, me: Object, bot: Object, desk: String },
  emits: ["go", "rename"],
  data: () => ({ theme: window.hobnobTheme.get() }),
  template: `
    <aside class="side">
      <div class="brand"><img src="/static/hobnob.svg" alt="" width="30" height="30" /><b>Hobnob</b></div>
      <Rooms :tabs="tabs" :where="where" @go="$emit('go', $event)" />
      <section class="people" tabindex="0" :aria-label="tr('People')">
        <h2>{{ tr("Here now") }}</h2>
        <ul><li><Avatar :person="bot" tiny /><span>{{ bot.name }}</span><span class="tag">{{ tr("bot") }}</span></li>
          <li v-for="person in present" :key="person.id"><Avatar :person="person" tiny /><span>{{ person.name }}</span>
            <span v-if="person.id === me?.id" class="tag">{{ tr("you") }}</span></li></ul>
        <template v-if="absent.length"><h2>{{ tr("Were here") }}</h2>
          <ul class="absent"><li v-for="person in absent" :key="person.id"><Avatar :person="person" tiny /><span>{{ person.name }}</span></li></ul></template>
      </section>
      <div class="self">
        <a v-if="desk" class="round" :href="desk" :aria-label="tr('Dashboard')" :title="tr('Dashboard')"><Icon name="chart" /></a>
        <button v-if="me" type="button" class="rename" :title="tr('Change your name')" @click="$emit('rename')"><Avatar :person="me" tiny /><span>{{ me.name }}</span><Icon name="edit" /></button>
        <Tongue />
        <button type="button" class="round" :aria-label="tr('Colours: {theme}. Change', { theme: colours })" :title="tr('Colours: {theme}', { theme: colours })" @click="recolour"><Icon :name="theme" /></button>
      </div>
    </aside>`,
  computed: {
    present() {
      return this.people.filter((person) => person.here || person.id === this.me?.id);
    },
    absent() {
      return this.people.filter((person) => !person.here && person.id !== this.me?.id).slice(0, MOST);
    },
    colours() {
      return { system: tr("system"), light: tr("light"), dark: tr("dark") }[this.theme];
    },
  },
  methods: {
    tr,
    recolour() {
      this.theme = window.hobnobTheme.next();
    },
  },
};
