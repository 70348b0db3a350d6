// Where one writes: text, mentions, commands, files; voice is in recording.js. What was written stays until the room has it.
import FormDialog from "/static/form.js";
import Icon from "/static/icons.js";
import { Avatar } from "/static/message.js";
import { upload } from "/static/media.js";
import Recording from "/static/recording.js";
import { tr } from "/static/texts.js";
import { number, size, token } from "/static/words.js";

const WRITES = 3000; // milliseconds in which the others are told once that somebody writes

const key = (where) => `hobnob-draft-${where}`;

export default {
  components: { Avatar, FormDialog, Icon, Recording },
  props: { where: String, bot: Object, people: Array, limits: Object, quoted: Object, amending: Object, commands: Array },
  emits: ["say", "amend", "amended", "last", "slash", "writes", "unquote", "sorry"],
  data: () => ({ text: "", asked: false, files: [], offered: [], chosen: 0, recording: false, nonce: "", sent: null }),
  template: `
    <form class="composer" :class="{ recording }" @submit.prevent="send" @dragover.prevent @drop.prevent="attach($event.dataTransfer.files)">
      <ul v-if="offered.length" id="offered" class="offered" role="listbox" :aria-label="offered[0].usage === undefined ? tr('People to mention') : tr('Commands')">
        <li v-for="(one, at) in offered" :id="'offer' + at" :key="one.id" role="option" :aria-selected="at === chosen" @pointerdown.prevent="take(one)">
          <template v-if="one.usage === undefined"><Avatar :person="one" tiny />{{ one.name }}<span v-if="one.bot" class="tag">{{ tr("bot") }}</span></template>
          <template v-else><b>/{{ one.name }}</b><span class="about">{{ one.about }}</span></template></li>
      </ul>
      <FormDialog v-if="asked" :title="'/' + command.name" :about="command.about" :inputs="command.options" :values="{}" :send="tr('Send')" @done="commanded" @away="asked = false" />
      <div v-if="amending" class="quoting"><Icon name="edit" /><span>{{ tr("You change what you said.") }}</span>
        <button type="button" class="small" :aria-label="tr('Leave it as it was')" @click="$emit('amended')"><Icon name="close" /></button></div>
      <div v-if="quoted" class="quoting"><Icon name="reply" /><span>{{ tr("Reply to") }} <b>{{ quoted.author.name }}</b> {{ quoted.text.slice(0, 120) }}</span>
        <button type="button" class="small" :aria-label="tr('Do not reply')" @click="$emit('unquote')"><Icon name="close" /></button></div>
      <ul v-if="files.length" class="attached" :aria-label="tr('Attached files')">
        <li v-for="file in files" :key="file.key" :style="{ '--done': file.done * 100 + '%' }" :class="{ ready: file.id }">
          <img v-if="file.preview" :src="file.preview" alt="" /><Icon v-else name="file" />
          <span>{{ file.name }}<small>{{ file.id ? size(file.size) : tr("uploading") }}</small></span>
          <button type="button" class="small" :aria-label="tr('Remove {file}', { file: file.name })" @click="remove(file)"><Icon name="close" /></button></li>
      </ul>
      <Recording v-if="recording" @done="voiced" @away="silent" @sorry="$emit('sorry', $event)" />
      <div v-else class="line">
        <button type="button" class="round" :aria-label="tr('Attach files')" :title="tr('Attach files')" @click="$refs.picker.click()"><Icon name="clip" /></button>
        <input ref="picker" type="file" multiple hidden @change="picked" />
        <textarea id="composer" ref="area" v-model="text" rows="1" dir="auto" :placeholder="placeholder" :aria-label="placeholder"
          role="combobox" aria-autocomplete="list" :aria-expanded="offered.length > 0" aria-controls="offered"
          :aria-activedescendant="offered.length ? 'offer' + chosen : null" @keydown="pressed" @input="typed" @click="offer" @paste="pasted"
          @blur="offered = []"></textarea>
        <button v-if="empty" type="button" class="round" :aria-label="tr('Record a voice note')" :title="tr('Record a voice note')" @click="recording = true"><Icon name="mic" /></button>
        <button v-else type="submit" class="round primary" :aria-label="tr('Send')" :title="tr('Send')" :disabled="uploading || !!nonce"><Icon name="send" /></button>
      </div>
      <div class="below">
        <button v-if="command && command.options.length" type="button" class="chip" @click="asked = true">{{ tr("As a form") }}</button>
        <button v-else-if="!direct" type="button" class="chip" :aria-pressed="called" @click="call">@ {{ bot.name }}</button>
        <span>{{ hint }}</span>
      </div>
    </form>`,
  computed: {
    placeholder() {
      if (this.direct) return tr("Message {bot}", { bot: this.bot.name });
      return this.where.includes("/") ? tr("Message this thread") : tr("Message everyone");
    },
    direct() {
      return this.where === "@bot";
    },
    command() {
      const [, name] = /^\/([\w-]+)(?:\s|$)/.exec(this.text) || [];
      return name && this.commands.find((one) => one.name === name);
    },
    called() {
      return this.text.toLowerCase().includes(`@${this.bot.name.toLowerCase()}`) || !!this.quoted?.author.bot;
    },
    hint() {
      const command = this.command;
      if (command) return `/${command.name} ${command.usage}`.trim() + (command.example ? tr(". For example: {example}", command) : "");
      if (this.direct) return tr("Only you and {bot} see this. It always answers here.", { bot: this.bot.name });
      return this.called ? tr("{bot} will answer.", { bot: this.bot.name }) : tr("Mention it or reply to get an answer.");
    },
    empty() {
      return !this.text.trim() && !this.files.length;
    },
    uploading() {
      return this.files.some((file) => !file.id);
    },
  },
  watch: {
    where: {
      handler() {
        this.text = sessionStorage.getItem(key(this.where)) || "";
        this.$nextTick(this.grow);
      },
      immediate: true,
    },
    amending(message) {
      this.text = message ? message.text : sessionStorage.getItem(key(this.where)) || "";
    },
    commands() {
      if (this.text.startsWith("/")) this.offer();
    },
    text() {
      if (!this.amending) sessionStorage.setItem(key(this.where), this.text.slice(0, this.limits.text));
      this.$nextTick(this.grow);
    },
  },
  created() {
    this.told = -WRITES;
  },
  methods: {
    size,
    tr,
    focus() {
      this.$refs.area?.focus();
    },
    // Whether something is here that goes with the page.
    busy() {
      return this.recording || this.files.length > 0;
    },
    grow() {
      const area = this.$refs.area;
      if (!area) return;
      area.style.height = "auto";
      area.style.height = `${Math.min(area.scrollHeight, innerHeight * 0.4)}px`;
    },
    typed() {
      this.offer();
      if (this.empty || this.text.startsWith("/") || performance.now() - this.told < WRITES) return;
      this.told = performance.now();
      this.$emit("writes");
    },
    // The word behind an @ before the caret, if one is being written.
    started() {
      return /(?:^|[\s(])@([^@\n]{0,32})$/.exec(this.text.slice(0, this.$refs.area.selectionStart))?.[1];
    },
    offer() {
      const [, begun] = /^\/([\w-]*)$/.exec(this.text.slice(0, this.$refs.area.selectionStart)) || [];
      if (begun !== undefined) {
        if (begun === "") this.$emit("slash", { where: this.where });
        this.offered = this.commands.filter((one) => one.name.startsWith(begun) && one.name !== begun).slice(0, 8);
        this.chosen = 0;
        return;
      }
      const word = this.started()?.toLowerCase();
      const known = word === undefined || this.direct ? [] : [this.bot, ...this.people];
      this.offered = known.filter((person) => person.name.toLowerCase().startsWith(word) && person.name.toLowerCase() !== word).slice(0, 6);
      this.chosen = 0;
    },
    take(one) {
      if (one.usage === undefined) return this.mention(one);
      this.text = `/${one.name} ${this.text.slice(this.$refs.area.selectionStart).trimStart()}`;
      this.offered = [];
      this.focus();
    },
    // What stands in the form, as one would type it.
    commanded(filled) {
      const words = Object.entries(filled).filter(([, value]) => value !== "").map(([name, value], at) => {
        const plain = at === 0 && name === this.command.options[0].name && !/--|—|["“”]/.test(value);
        const quotes = value.includes('"') ? ["“", "”"] : ['"', '"'];
        return plain ? value : `--${name.replaceAll("_", "-")} ${quotes[0]}${value.replaceAll(quotes[1], "'")}${quotes[1]}`;
      });
      this.text = [`/${this.command.name}`, ...words].join(" ");
      this.asked = false;
      this.$nextTick(this.send);
    },
    mention(person) {
      const area = this.$refs.area;
      const start = area.selectionStart - this.started().length;
      const rest = this.text.slice(area.selectionStart);
      this.text = `${this.text.slice(0, start)}${person.name} ${rest.trimStart()}`;
      this.offered = [];
      this.$nextTick(() => area.setSelectionRange(start + person.name.length + 1, start + person.name.length + 1));
      this.focus();
    },
    call() {
      const name = `@${this.bot.name}`;
      const at = this.text.toLowerCase().indexOf(name.toLowerCase());
      this.text = at < 0 ? `${name} ${this.text}` : (this.text.slice(0, at) + this.text.slice(at + name.length)).trimStart();
      this.focus();
    },
    pressed(event) {
      if (event.isComposing) return;
      if (this.offered.length && this.steer(event.key)) event.preventDefault();
      else if (event.key === "Enter" && !event.shiftKey) {
        event.preventDefault();
        this.send();
      } else if (event.key === "Escape" && this.amending) this.$emit("amended");
      else if (event.key === "Escape" && this.quoted) this.$emit("unquote");
      else if (event.key === "ArrowUp" && this.empty && !this.amending) {
        event.preventDefault();
        this.$emit("last");
      }
    },
    steer(pressed) {
      const step = { ArrowDown: 1, ArrowUp: -1 }[pressed];
      if (step) this.chosen = (this.chosen + step + this.offered.length) % this.offered.length;
      else if (pressed === "Enter" || pressed === "Tab") this.take(this.offered[this.chosen]);
      else if (pressed === "Escape") this.offered = [];
      else return false;
      return true;
    },
    pasted(event) {
      const text = event.clipboardData.getData("text/plain");
      const files = [...event.clipboardData.files];
      if (!files.length && text.length > this.limits.text) {
        files.push(new File([text], "text.txt", { type: "text/plain" }));
        const sizes = { has: number(text.length), most: number(this.limits.text) };
        this.$emit("sorry", tr("That text has {has} characters and a message holds {most}: it is attached as a file.", sizes));
      }
      if (files.length) {
        event.preventDefault();
        this.attach(files);
      }
    },
    picked(event) {
      this.attach(event.target.files);
      event.target.value = "";
    },
    attach(list) {
      for (const file of list) {
        if (this.files.length >= this.limits.files) return this.$emit("sorry", tr("A message takes {n} files. Send the rest in another.", { n: this.limits.files }));
        const sizes = { file: file.name, has: size(file.size), most: size(this.limits.file) };
        if (file.size > this.limits.file) this.$emit("sorry", tr("{file} has {has}; a file may have {most} here.", sizes));
        else this.bring(file);
      }
    },
    async bring(content) {
      const preview = content.type.startsWith("image/") ? URL.createObjectURL(content) : "";
      this.files.push({ key: token(), name: content.name, size: content.size, done: 0, id: "", preview });
      const file = this.files.at(-1);
      try {
        Object.assign(file, await upload(content, content.name, (done) => (file.done = done)));
      } catch (fault) {
        this.remove(file);
        this.$emit("sorry", fault.message);
      }
    },
    remove(file) {
      if (file.preview) URL.revokeObjectURL(file.preview);
      this.files = this.files.filter((other) => other.key !== file.key);
    },
    send() {
      if (this.empty || this.uploading || this.nonce) return;
      const length = [...this.text].length;
      if (length > this.limits.text) {
        const sizes = { has: number(length), most: number(this.limits.text) };
        return this.$emit("sorry", tr("That text has {has} characters and a message holds {most}. Attach it as a file instead.", sizes));
      }
      const { text, where, quoted } = this;
      if (this.amending) {
        this.nonce = token();
        this.$emit("amend", { text, nonce: this.nonce });
        return;
      }
      const files = this.files.map(({ id, name, voice, seconds }) => ({ id, name, voice, seconds }));
      const draft = { where, text, files, reply_to: quoted?.id || "" };
      // What is sent again as it was is the same message, in case the room had it all along.
      const again = JSON.stringify(draft) === JSON.stringify(this.sent?.draft);
      this.sent = { draft, nonce: again ? this.sent.nonce : token() };
      this.nonce = this.sent.nonce;
      this.$emit("say", { ...draft, nonce: this.nonce });
      this.waiting = setTimeout(() => this.refused(this.nonce, tr("The connection is slow or cut. Nothing was lost: send it again.")), 8000);
    },
    // The room has it. What was written meanwhile stays.
    accepted(nonce) {
      if (this.amending && nonce === this.nonce) {
        this.nonce = "";
        return this.$emit("amended");
      }
      if (nonce !== this.sent?.nonce) return;
      clearTimeout(this.waiting);
      const { where, text, files } = this.sent.draft;
      if (where !== this.where) sessionStorage.removeItem(key(where));
      else if (this.text.startsWith(text)) this.text = this.text.slice(text.length);
      this.files.filter((file) => files.some((sent) => sent.id === file.id)).forEach(this.remove);
      Object.assign(this, { nonce: "", sent: null });
      this.told = -WRITES;
      this.$emit("unquote");
    },
    // The room does not take it; it stays here.
    refused(nonce, text) {
      if (nonce && nonce === this.nonce) {
        clearTimeout(this.waiting);
        this.nonce = "";
      }
      if (text) this.$emit("sorry", text);
    },
    // A recording is sent as it is.
    voiced(file) {
      this.files.push({ key: token(), done: 1, preview: "", ...file, voice: true });
      this.recording = false;
      this.send();
      this.$nextTick(this.focus);
    },
    silent() {
      this.recording = false;
      this.$nextTick(this.focus);
    },
  },
};
