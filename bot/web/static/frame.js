// The dashboard's frame: where one can go, light or dark, what went wrong. What stands in it is in the pages' own scripts.
import Icon from "/static/icons.js";
import { tr } from "/static/texts.js";
import Tongue from "/static/tongue.js";

export default {
  components: { Icon, Tongue },
  props: { frame: Object, title: String, about: String, away: Boolean, loaded: Boolean },
  data: () => ({ theme: window.hobnobTheme.get(), notice: "" }),
  template: `
    <div class="desk">
      <a class="skip" href="#content">{{ tr("Skip to the content") }}</a>
      <aside class="side">
        <div class="brand"><img src="/static/hobnob.svg" alt="" width="30" height="30" /><b>Hobnob</b></div>
        <nav class="nav" :aria-label="tr('Dashboard')">
          <a v-for="link in frame.links" :key="link.path" :href="link.path" :aria-current="link.path === frame.here ? 'page' : null">
            <Icon :name="link.icon" /><span>{{ link.label }}</span></a>
        </nav>
        <div class="self">
          <span class="role">{{ role }}</span>
          <Tongue />
          <button type="button" class="round" :aria-label="tr('Colours: {theme}. Change', { theme: colours })" :title="tr('Colours: {theme}', { theme: colours })" @click="recolour"><Icon :name="theme" /></button>
          <form method="post" action="/leave"><button type="submit" class="round" :aria-label="tr('Sign out')" :title="tr('Sign out')"><Icon name="away" /></button></form>
        </div>
      </aside>
      <main id="content" tabindex="-1">
        <header class="top"><h1>{{ title }}</h1><p v-if="about">{{ about }}</p><slot name="acts" /></header>
        <p v-if="away" class="banner" role="status">{{ tr("Hobnob cannot reach its store. It tries again by itself.") }}</p>
        <div v-if="!loaded && !away" class="quiet" role="status">{{ tr("Loading …") }}</div>
        <div v-if="loaded" class="sheet"><slot /></div>
      </main>
      <div v-if="notice" class="toast" role="alert"><span>{{ notice }}</span>
        <button type="button" class="small" :aria-label="tr('Close')" @click="notice = ''"><Icon name="close" /></button></div>
    </div>`,
  computed: {
    role() {
      return { operator: tr("Operator"), admin: tr("Server admin") }[this.frame.role];
    },
    colours() {
      return { system: tr("system"), light: tr("light"), dark: tr("dark") }[this.theme];
    },
  },
  mounted() {
    document.title = `${this.title} · Hobnob`;
    this.$el.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  },
  methods: {
    tr,
    recolour() {
      this.theme = window.hobnobTheme.next();
    },
    sorry(text) {
      this.notice = text;
    },
  },
};
