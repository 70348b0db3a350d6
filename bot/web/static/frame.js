// The dashboard's frame: where one can go, light or dark, what went wrong. What stands in it is in the pages' own scripts.
import Icon from "/static/icons.js";

const ROLES = { operator: "Operator", admin: "Server admin" };

export default {
  components: { Icon },
  props: { frame: Object, title: String, about: String, away: Boolean, loaded: Boolean },
  data: () => ({ theme: window.hobnobTheme.get(), notice: "" }),
  template: `
    <div class="desk">
      <a class="skip" href="#content">Skip to the content</a>
      <aside class="side">
        <div class="brand"><img src="/static/hobnob.svg" alt="" width="30" height="30" /><b>Hobnob</b></div>
        <nav class="nav" aria-label="Dashboard">
          <a v-for="link in frame.links" :key="link.path" :href="link.path" :aria-current="link.path === frame.here ? 'page' : null">
            <Icon :name="link.icon" /><span>{{ link.label }}</span></a>
        </nav>
        <div class="self">
          <span class="role">{{ role }}</span>
          <button type="button" class="round" :aria-label="'Colours: ' + theme + '. Change'" :title="'Colours: ' + theme" @click="recolour"><Icon :name="theme" /></button>
          <form method="post" action="/leave"><button type="submit" class="round" aria-label="Sign out" title="Sign out"><Icon name="away" /></button></form>
        </div>
      </aside>
      <main id="content" tabindex="-1">
        <header class="top"><h1>{{ title }}</h1><p v-if="about">{{ about }}</p><slot name="acts" /></header>
        <p v-if="away" class="banner" role="status">Hobnob cannot reach its store. It tries again by itself.</p>
        <div v-if="!loaded && !away" class="quiet" role="status">Loading …</div>
        <div v-if="loaded" class="sheet"><slot /></div>
      </main>
      <div v-if="notice" class="toast" role="alert"><span>{{ notice }}</span>
        <button type="button" class="small" aria-label="Close" @click="notice = ''"><Icon name="close" /></button></div>
    </div>`,
  computed: {
    role() {
      return ROLES[this.frame.role];
    },
  },
  mounted() {
    this.$el.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  },
  methods: {
    recolour() {
      this.theme = window.hobnobTheme.next();
    },
    sorry(text) {
      this.notice = text;
    },
  },
};
