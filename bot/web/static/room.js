// The room: what stands in it, and what is done with that. Who is here is in side.js, messages are in message.js, writing is in composer.js.
import Composer from "/static/composer.js";
import FormDialog from "/static/form.js";
import Icon from "/static/icons.js";
import Message from "/static/message.js";
import Naming from "/static/naming.js";
import { empty, lines, put, since } from "/static/places.js";
import { reading } from "/static/reading.js";
import Side from "/static/side.js";
import { speak, tr } from "/static/texts.js";
import { token } from "/static/words.js";

const WRITING = 5000; // milliseconds for which somebody counts as writing
const DIRECT = "@bot";
const LOBBY = "lobby";

// Kept for a page that is loaded anew: whoever writes privately must not go on before everybody.
const before = () => /^(@bot|[a-z0-9][a-z0-9-]{0,31}(\/\d{1,20})?)$/.exec(sessionStorage.hobnobWhere || "")?.[0] || LOBBY;

export default {
  components: { Composer, FormDialog, Icon, Message, Naming, Side },
  props: { bot: Object, limits: Object, desk: String },
  emits: ["hello", "rename", "go", "older", "writes", "say", "amend", "withdraw", "slash", "press", "fill"],
  data: () => ({
    me: null, naming: false, where: before(), rooms: [LOBBY], places: {}, people: [], writing: {}, commands: [], quoted: null, amending: null, filling: null,
    notice: "", away: false, loaded: false, below: true, dropping: false,
  }),
  template: `
    <div class="room" :class="{ dropping, threaded: root }" @dragenter="dropping = true" @dragover.prevent @drop.prevent="dropped" @dragleave="left">
      <a class="skip" href="#composer">{{ tr("Skip to the message box") }}</a>
      <Side :tabs="tabs" :where="where" :people="people" :me="me" :bot="bot" :desk="desk" @go="go" @rename="rename" />
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
            <div v-if="line.begins" class="day fresh" role="separator"><span>{{ tr("New") }}</span></div>
            <Message :message="line.message" :follows="line.follows" :mine="line.message.author.id === me?.id" :quoted="find(line.message.reply_to)" :sound="sound(line.message)"
              :threads="!direct && !root" @reply="reply(line.message)" @press="(key, chosen) => $emit('press', { where: line.message.where, id: line.message.id, key, chosen })" @jump="jump" @grown="stick"
              @thread="go(room + '/' + line.message.id)" @amend="amend(line.message)" @withdraw="$emit('withdraw', { where: line.message.where, id: line.message.id })" @fill="filling = line.message" />
          </template>
        </div>
        <div class="foot"><button v-if="!below" type="button" class="newest" @click="bottom(true)"><Icon name="down" /> {{ tr("Newest") }}</button>
        <p class="writers">{{ writers }}</p>
        <Composer ref="composer" :where="where" :bot="bot" :people="others" :limits="limits" :quoted="quoted" :amending="amending" :commands="commands"
          @say="$emit('say', $event)" @amend="$emit('amend', { ...$event, where: amending.where, id: amending.id })" @amended="amending = null" @last="last" @slash="$emit('slash', $event)" @writes="direct || $emit('writes', { where })" @unquote="quoted = null" @sorry="sorry" /></div>
      </main>
      <div v-if="notice && !naming" class="toast" role="alert"><span>{{ notice }}</span>
        <button type="button" class="small" :aria-label="tr('Close')" @click="notice = ''"><Icon name="close" /></button></div>
      <FormDialog v-if="filling" :key="filling.id" :title="filling.form.title" :inputs="filling.form.options" :values="filling.form.values" @done="filled" @away="putAway" />
      <Naming v-if="naming" :me="me" :notice="notice" @named="enter" @away="Object.assign($data, { naming: false, notice: '' })" />
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
    current() {
      if (this.root) return { icon: "thread", label: tr("Thread"), about: tr("In {room}", { room: this.tabs.find((tab) => tab.where === this.room)?.label || this.room }) };
      return this.tabs.find((tab) => tab.where === this.where) || { icon: "hash", label: this.where, about: "" };
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
      const begun = this.root?.author ? [this.root] : [];
      const place = this.places[this.where] || empty();
      return lines([...begun, ...place.messages], place.fresh);
    },
    known() {
      return new Map(this.lines.map(({ message }) => [message.id, message]));
    },
    // Who writes here at this moment, in words.
    writers() {
      const names = this.people.filter((person) => this.writing[person.id] === this.where).map((person) => person.name);
      if (!names.length) return "";
      if (names.length > 3) return tr("Several people are writing …");
      return names.length === 1 ? tr("{name} is writing …", { name: names[0] }) : tr("{names} are writing …", { names: names.join(", ") });
    },
  },
  created() {
    this.silences = {};
  },
  mounted() {
    document.getElementById("ahead")?.remove();
    sessionStorage.hobnobSecret ||= token();
    setTimeout(() => this.greet("hello", sessionStorage.hobnobName || ""));
    new ResizeObserver(this.stick).observe(this.$refs.list);
    document.addEventListener("visibilitychange", this.read);
  },
  methods: {
    ...reading,
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
    },
    on_me({ id, name }) {
      this.me = { id, name };
      sessionStorage.hobnobName = name;
      localStorage.setItem("hobnob-name", name);
      Object.assign(this, { naming: false, notice: "" });
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
      this.rooms = [LOBBY, ...new Set([...this.rooms, ...rooms].filter((room) => room !== LOBBY).sort())];
      this.read();
    },
    on_all({ wheres, changes }) {
      Object.assign(this, { away: false, loaded: true });
      for (const where of wheres) Object.assign(this.at(where), { messages: [], whole: false, asked: false });
      for (const change of changes) put(this.at(change.where), change);
      for (const place of wheres.map(this.at)) if (place.behind) place.fresh = since(place, place.behind, this.me.id);
      this.read();
      this.bottom();
    },
    on_some({ changes }) {
      for (const change of changes) {
        const place = this.at(change.where);
        const seen = !document.hidden && change.where === this.where;
        if (put(place, change) && !seen && change.author.id !== this.me.id) place.unread += 1;
        if (change.author) delete this.writing[change.author.id];
        if (change.form) this.filling = change;
      }
      this.read();
      this.stick();
    },
    on_writes({ where, id }) {
      this.writing[id] = where;
      clearTimeout(this.silences[id]);
      this.silences[id] = setTimeout(() => delete this.writing[id], WRITING);
    },
    // What is being written is kept; files and recordings are not.
    on_language({ tag }) {
      if (speak(tag) && !this.$refs.composer.busy()) location.reload();
    },
    on_moved({ where, text }) {
      this.show(where);
      this.sorry(text);
    },
    at(where) {
      return (this.places[where] ||= empty());
    },
    unread(where) {
      return this.places[where]?.unread || 0;
    },
    on_said({ nonce }) {
      this.notice = "";
      Object.assign(this.at(this.where), { behind: 0, fresh: "" });
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
    // What stands before somebody who looks is not new any more; a line says where that began.
    read() {
      const here = this.at(this.where);
      if (!document.hidden && here.unread) Object.assign(here, { behind: here.unread, fresh: since(here, here.unread, this.me?.id), unread: 0 });
      const unread = Object.values(this.places).reduce((sum, place) => sum + place.unread, 0);
      document.title = unread ? `(${unread}) Hobnob` : "Hobnob";
    },
    sorry(text) {
      this.notice = text;
      clearTimeout(this.fading);
      this.fading = setTimeout(() => (this.notice = ""), 9000);
    },
    find(id) {
      return id && this.known.get(id);
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
      this.show(where);
      if (where !== DIRECT) this.$emit("go", { where });
    },
    show(where) {
      Object.assign(this.at(this.where), { behind: 0, fresh: "" });
      sessionStorage.hobnobWhere = where;
      Object.assign(this, { where, quoted: null, amending: null });
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
    clicked(event) {
      const button = event.target.closest("[data-copy]");
      if (!button) return;
      navigator.clipboard.writeText(button.closest(".code").querySelector("code").textContent);
      button.textContent = tr("Copied");
      setTimeout(() => (button.textContent = tr("Copy")), 1500);
    },
    rename() {
      Object.assign(this, { naming: true, notice: "" });
    },
    enter(name) {
      this.notice = "";
      this.greet("rename", name);
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
