// The room: who is here, what stands in it, and where one writes. Messages are in message.js, writing is in composer.js.
import Composer from "/static/composer.js";
import FormDialog from "/static/form.js";
import Icon from "/static/icons.js";
import Message, { Avatar } from "/static/message.js";
import Rooms from "/static/rooms.js";
import { tr } from "/static/texts.js";
import { day, token } from "/static/words.js";

const SOON = 300; // seconds within which lines of one person stand together
const DIRECT = "@bot";
const LOBBY = "lobby";

// Kept for a page that is loaded anew: whoever writes privately must not go on before everybody.
const before = () => /^(@bot|[a-z0-9][a-z0-9-]{0,31}(\/\d{1,20})?)$/.exec(sessionStorage.hobnobWhere || "")?.[0] || LOBBY;

const empty = () => ({ messages: [], unread: 0 });

export default {
  components: { Avatar, Composer, FormDialog, Icon, Message, Rooms },
  props: { bot: Object, limits: Object, desk: String },
  emits: ["hello", "rename", "go", "say", "amend", "withdraw", "slash", "press", "fill"],
  data: () => ({
    me: null, naming: false, name: "", where: before(), rooms: [LOBBY], places: {}, people: [], commands: [], quoted: null, amending: null, filling: null,
    notice: "", away: false, loaded: false, below: true, theme: window.hobnobTheme.get(), dropping: false,
  }),
  template: `
    <div class="room" :class="{ dropping, threaded: root }" @dragenter="dropping = true" @dragover.prevent @drop.prevent="dropped" @dragleave="left">
      <a class="skip" href="#composer">{{ tr("Skip to the message box") }}</a>
      <aside class="side">
        <div class="brand"><img src="/static/hobnob.svg" alt="" width="30" height="30" /><b>Hobnob</b></div>
        <Rooms :tabs="tabs" :where="where" @go="go" />
        <section class="people" :aria-label="tr('People')">
          <h2>{{ tr("Here now") }}</h2>
          <ul><li><Avatar :person="bot" tiny /><span>{{ bot.name }}</span><span class="tag">{{ tr("bot") }}</span></li>
            <li v-for="person in present" :key="person.id"><Avatar :person="person" tiny /><span>{{ person.name }}</span>
              <span v-if="person.id === me?.id" class="tag">{{ tr("you") }}</span></li></ul>
          <template v-if="absent.length"><h2>{{ tr("Were here") }}</h2>
            <ul class="absent"><li v-for="person in absent" :key="person.id"><Avatar :person="person" tiny /><span>{{ person.name }}</span></li></ul></template>
        </section>
        <div class="self">
          <a v-if="desk" class="round" :href="desk" :aria-label="tr('Dashboard')" :title="tr('Dashboard')"><Icon name="chart" /></a>
          <button v-if="me" type="button" class="rename" :title="tr('Change your name')" @click="rename"><Avatar :person="me" tiny /><span>{{ me.name }}</span><Icon name="edit" /></button>
          <button type="button" class="round" :aria-label="tr('Colours: {theme}. Change', { theme: colours })" :title="tr('Colours: {theme}', { theme: colours })" @click="recolour"><Icon :name="theme" /></button>
        </div>
      </aside>
      <main :data-drop="tr('Drop files to attach them')">
        <header class="top"><button v-if="root" type="button" class="small" :aria-label="tr('Back to the room')" :title="tr('Back to the room')" @click="go(room)"><Icon name="back" /></button>
          <Icon v-else :name="current.icon" /><h1>{{ current.label }}</h1><p>{{ current.about }}</p></header>
        <p v-if="away" class="away" role="status">{{ tr("Hobnob cannot reach its store. It tries again by itself.") }}</p>
        <div ref="list" class="list" role="log" :aria-label="tr('Messages')" tabindex="0" @scroll.passive="scrolled" @click="clicked">
          <div v-if="loaded && !lines.length" class="nothing"><img src="/static/hobnob.svg" alt="" width="84" height="84" />
            <h2>{{ direct ? tr("Just you and {bot}", { bot: bot.name }) : tr("It is quiet in here") }}</h2>
            <p v-if="!direct">{{ tr("Say hello to everybody, or write @{bot} and a question.", { bot: bot.name }) }}</p>
            <p v-else>{{ tr("Ask anything, or record a voice note to see it as text.") }}</p></div>
          <template v-for="line in lines" :key="line.message.id">
            <div v-if="line.day" class="day" role="separator"><span>{{ line.day }}</span></div>
            <Message :message="line.message" :follows="line.follows" :mine="line.message.author.id === me?.id" :quoted="find(line.message.reply_to)" :sound="sound(line.message)"
              :threads="!direct && !root" @reply="reply(line.message)" @press="(key, chosen) => $emit('press', { where: of(line.message), id: line.message.id, key, chosen })" @jump="jump" @grown="stick"
              @thread="go(room + '/' + line.message.id)" @amend="amend(line.message)" @withdraw="$emit('withdraw', { where: of(line.message), id: line.message.id })" @fill="filling = line.message" />
          </template>
        </div>
        <div class="foot"><button v-if="!below" type="button" class="newest" @click="bottom(true)"><Icon name="down" /> {{ tr("Newest") }}</button>
        <Composer ref="composer" :where="where" :bot="bot" :people="others" :limits="limits" :quoted="quoted" :amending="amending" :commands="commands"
          @say="$emit('say', $event)" @amend="$emit('amend', { ...$event, where: of(amending), id: amending.id })" @amended="amending = null" @last="last" @slash="$emit('slash', $event)" @unquote="quoted = null" @sorry="sorry" /></div>
      </main>
      <div v-if="notice && !naming" class="toast" role="alert"><span>{{ notice }}</span>
        <button type="button" class="small" :aria-label="tr('Close')" @click="notice = ''"><Icon name="close" /></button></div>
      <FormDialog v-if="filling" :key="filling.id" :title="filling.form.title" :inputs="filling.form.options" :values="filling.form.values" @done="filled" @away="putAway" />
      <dialog ref="dialog" class="card" aria-labelledby="welcome" @cancel="keepNaming" @close="named">
        <form @submit.prevent="enter">
          <img src="/static/hobnob.svg" alt="" width="64" height="64" /><h1 id="welcome">{{ me ? tr("Your name") : tr("Welcome to Hobnob") }}</h1>
          <p>{{ tr("What should the others call you?") }}</p>
          <input v-model="name" maxlength="32" autocomplete="nickname" :aria-label="tr('Your name')" :placeholder="tr('Your name')" required autofocus />
          <p v-if="naming && notice" class="fault" role="alert">{{ notice }}</p>
          <button type="submit" class="go">{{ me ? tr("Save") : tr("Come in") }}</button>
        </form>
      </dialog>
    </div>`,
  computed: {
    tabs() {
      const rooms = this.rooms.map((name) => ({
        where: name, icon: "hash", label: name === LOBBY ? tr("Everyone") : name, about: tr("Everybody in the room reads this."), unread: this.unread(name),
      }));
      return [...rooms, { where: DIRECT, icon: "lock", label: this.bot.name, about: tr("Between you and {bot}.", { bot: this.bot.name }), unread: this.unread(DIRECT) }];
    },
    direct() {
      return this.where === DIRECT;
    },
    room() {
      return this.where.split("/")[0];
    },
    // The message that began the thread which is shown.
    root() {
      const [room, thread] = this.where.split("/");
      return thread ? this.places[room]?.messages.find((message) => message.id === thread) || { id: thread } : null;
    },
    colours() {
      return { system: tr("system"), light: tr("light"), dark: tr("dark") }[this.theme];
    },
    current() {
      if (this.root) return { icon: "thread", label: tr("Thread"), about: tr("In {room}", { room: this.tabs.find((tab) => tab.where === this.room)?.label || this.room }) };
      return this.tabs.find((tab) => tab.where === this.where) || { icon: "hash", label: this.where, about: "" };
    },
    absent() {
      return this.people.filter((person) => !person.here && person.id !== this.me?.id).slice(0, 20);
    },
    present() {
      return this.people.filter((person) => person.here || person.id === this.me?.id);
    },
    // Who may be mentioned, once per name: those who are here before those who were.
    others() {
      const named = new Map();
      for (const person of [...this.people].sort((a, b) => b.here - a.here)) {
        if (person.id !== this.me?.id && !named.has(person.name)) named.set(person.name, person);
      }
      return [...named.values()];
    },
    lines() {
      let last = null;
      const begun = this.root?.author ? [this.root] : [];
      return [...begun, ...(this.places[this.where]?.messages || [])].map((message) => {
        const today = day(message.at);
        const fresh = !last || today !== day(last.at);
        const follows = !fresh && last.author.id === message.author.id && message.at - last.at < SOON && !message.reply_to && !message.only;
        last = message;
        return { message, follows, day: fresh ? today : "" };
      });
    },
  },
  mounted() {
    sessionStorage.hobnobSecret ||= token();
    setTimeout(() => this.greet("hello", sessionStorage.hobnobName || ""));
    new ResizeObserver(this.stick).observe(this.$refs.list);
    document.addEventListener("visibilitychange", this.read);
  },
  methods: {
    tr,
    greet(event, name) {
      this.$emit(event, { secret: sessionStorage.hobnobSecret, name, language: navigator.language, where: this.where });
    },
    // What the server hands over.
    take(given) {
      this[`on_${given.kind}`](given);
    },
    on_naming() {
      this.naming = true;
      this.name = localStorage.getItem("hobnob-name") || "";
      this.$refs.dialog.showModal();
    },
    on_me({ id, name }) {
      this.me = { id, name };
      sessionStorage.hobnobName = name;
      localStorage.setItem("hobnob-name", name);
      this.notice = "";
      this.$refs.dialog.close();
      this.$nextTick(() => this.$refs.composer.focus());
    },
    on_people({ people }) {
      Object.assign(this, { people, away: false });
    },
    on_commands({ commands }) {
      this.commands = commands;
    },
    on_rooms({ rooms }) {
      this.rooms = rooms.includes(this.room) || this.direct ? rooms : [...rooms, this.room];
    },
    on_news({ rooms }) {
      for (const room of rooms) this.at(room).unread += 1;
      this.read();
    },
    on_all({ wheres, changes }) {
      Object.assign(this, { away: false, loaded: true });
      for (const where of wheres) this.at(where).messages = [];
      this.on_some({ changes, old: true });
      this.bottom();
    },
    on_some({ changes, old }) {
      for (const change of changes) {
        this.put(this.at(change.where), change, old);
        if (change.form && !old) this.filling = change;
      }
      this.read();
      this.stick();
    },
    at(where) {
      return (this.places[where] ||= empty());
    },
    unread(where) {
      return this.places[where]?.unread || 0;
    },
    // Where a message stands: the one that began a thread is shown in it, and stands in the room.
    of(message) {
      return message.where;
    },
    on_said({ nonce }) {
      this.notice = "";
      this.$refs.composer.accepted(nonce);
      this.bottom();
    },
    on_sorry({ nonce, text }) {
      this.$refs.composer.refused(nonce, "");
      this.sorry(text);
    },
    on_away() {
      this.away = true;
    },
    put(place, change, old) {
      const messages = place.messages;
      const at = messages.findLastIndex((message) => Number(message.id) <= Number(change.id));
      const known = messages[at]?.id === change.id;
      if (change.gone) known && messages.splice(at, 1);
      else if (!known) {
        messages.splice(at + 1, 0, change);
        if (!old && change.author.id !== this.me?.id) place.unread += 1;
      } else if (change.version >= messages[at].version) Object.assign(messages[at], change);
    },
    read() {
      if (!document.hidden) this.at(this.where).unread = 0;
      const unread = Object.values(this.places).reduce((sum, place) => sum + place.unread, 0);
      document.title = unread ? `(${unread}) Hobnob` : "Hobnob";
    },
    sorry(text) {
      this.notice = text;
      clearTimeout(this.fading);
      this.fading = setTimeout(() => (this.notice = ""), 9000);
    },
    find(id) {
      return id && this.lines.find((line) => line.message.id === id)?.message;
    },
    // The recording that a message is about, over what it replies to.
    sound(message) {
      for (let up = 0, one = this.find(message.reply_to); one && up < 4; up += 1, one = this.find(one.reply_to)) {
        const file = one.files.find((each) => each.kind === "audio");
        if (file) return file.url;
      }
      return "";
    },
    go(where) {
      sessionStorage.hobnobWhere = where;
      Object.assign(this, { where, quoted: null, amending: null });
      if (where !== DIRECT) this.$emit("go", { where });
      this.read();
      this.bottom();
      this.$nextTick(() => this.$refs.composer.focus());
    },
    amend(message) {
      Object.assign(this, { amending: message, quoted: null });
      this.$nextTick(() => this.$refs.composer.focus());
    },
    // The arrow up in an empty box changes what one has said last.
    last() {
      const mine = this.lines.map((line) => line.message).filter((message) => message.author.id === this.me?.id && message.text);
      if (mine.length) this.amend(mine.at(-1));
    },
    filled(filled) {
      this.$emit("fill", { where: this.filling.where, id: this.filling.id, filled });
      this.filling = null;
    },
    putAway() {
      this.$emit("withdraw", { where: this.filling.where, id: this.filling.id });
      this.filling = null;
    },
    reply(message) {
      this.quoted = message;
      this.$nextTick(() => this.$refs.composer.focus());
    },
    jump(id) {
      const element = document.getElementById(`m${id}`);
      if (!element) return this.sorry(tr("That message is further up than this page goes."));
      element.scrollIntoView({ block: "center" });
      element.focus({ preventScroll: true });
    },
    scrolled() {
      const list = this.$refs.list;
      const away = list.scrollHeight - list.scrollTop - list.clientHeight;
      if (away < 80) this.below = true;
      else if (list.scrollTop < this.top) this.below = false; // a person went up; growth alone does not count
      this.top = list.scrollTop;
    },
    // Stays at the newest line as it grows, unless somebody reads further up.
    stick() {
      if (this.below) this.bottom();
    },
    bottom(smooth = false) {
      this.below = true;
      this.$nextTick(() => this.$refs.list?.scrollTo({ top: this.$refs.list.scrollHeight, behavior: smooth ? "smooth" : "instant" }));
    },
    clicked(event) {
      const button = event.target.closest("[data-copy]");
      if (!button) return;
      navigator.clipboard.writeText(button.closest(".code").querySelector("code").textContent);
      button.textContent = tr("Copied");
      setTimeout(() => (button.textContent = tr("Copy")), 1500);
    },
    rename() {
      Object.assign(this, { naming: true, name: this.me.name, notice: "" });
      this.$refs.dialog.showModal();
    },
    keepNaming(event) {
      if (!this.me) event.preventDefault();
    },
    named() {
      Object.assign(this, { naming: false, notice: "" });
    },
    enter() {
      this.notice = "";
      this.greet("rename", this.name);
    },
    recolour() {
      this.theme = window.hobnobTheme.next();
    },
    dropped(event) {
      this.dropping = false;
      if (event.dataTransfer.files.length) this.$refs.composer.attach(event.dataTransfer.files);
    },
    left(event) {
      if (!event.relatedTarget) this.dropping = false;
    },
  },
};
