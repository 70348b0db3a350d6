// One message: who, when, what, and what can be done with it.
import Icon from "/static/icons.js";
import { follow } from "/static/listening.js";
import Player from "/static/player.js";
import { tr } from "/static/texts.js";
import { clock, hue, initials, moment, settle, size } from "/static/words.js";

export const Avatar = {
  props: { person: Object, tiny: Boolean },
  template: `<span class="avatar" :class="{ tiny, bot: person.bot }" :style="{ '--hue': hue(person.id) }" aria-hidden="true">
      <img v-if="person.bot" src="/static/hobnob.svg" alt="" /><template v-else>{{ initials(person.name) }}</template></span>`,
  methods: { hue, initials },
};

export default {
  components: { Avatar, Icon, Player },
  props: { message: Object, follows: Boolean, mine: Boolean, quoted: Object, sound: String, threads: Boolean },
  emits: ["reply", "press", "jump", "grown", "thread", "amend", "withdraw", "fill"],
  data: () => ({ copied: false, shown: {}, picked: {} }),
  template: `
    <article class="message" :class="{ follows, mine, busy: message.busy, fault: message.fault, called: message.calls_me, bot: message.author.bot }"
      :id="'m' + message.id" :aria-busy="message.busy" :data-version="message.version" tabindex="-1">
      <button v-if="message.reply_to" type="button" class="quote" @click="$emit('jump', message.reply_to)">
        <Icon name="reply" />
        <template v-if="quoted"><b>{{ quoted.author.name }}</b> <span>{{ preview(quoted) }}</span></template>
        <span v-else>{{ tr("an earlier message") }}</span>
      </button>
      <Avatar v-if="!follows" :person="message.author" />
      <time v-else class="aside" :datetime="iso" :title="moment(message.at)">{{ clock(message.at) }}</time>
      <header v-if="!follows">
        <b class="name">{{ message.author.name }}</b><span v-if="message.author.bot" class="tag">{{ tr("bot") }}</span>
        <time :datetime="iso" :title="moment(message.at)">{{ clock(message.at) }}</time><small v-if="message.version && !message.author.bot" class="changed">{{ tr("changed") }}</small>
        <span v-if="message.only" class="only"><Icon name="lock" /> {{ tr("only you see this") }}</span>
      </header>
      <div class="content">
        <div v-show="message.text && !(message.busy && message.text === '…')" ref="words" class="words" dir="auto"></div>
        <span v-if="message.busy" class="dots" role="img" :aria-label="tr('is still writing')"><i></i><i></i><i></i></span>
        <div v-if="message.files.length" class="files">
          <template v-for="file in message.files" :key="file.url">
            <Player v-if="file.kind === 'audio' && !file.mime.startsWith('video/')" :file="file" />
            <button v-else-if="file.kind === 'image' && file.spoiler && !shown[file.url]" type="button" class="spoiler" @click="shown[file.url] = true">
              {{ tr("Show the hidden picture") }}</button>
            <a v-else-if="file.kind === 'image'" class="picture" :href="file.url" target="_blank" rel="noopener">
              <img :src="file.url" :alt="file.alt || file.name" loading="lazy" @load="$emit('grown')" /></a>
            <a v-else class="file" :href="file.url" :download="file.name">
              <Icon name="file" /><span>{{ file.name }}<small>{{ size(file.size) }}</small></span><Icon name="down" /></a>
          </template>
        </div>
        <div v-if="message.keys.length" class="keys">
          <button v-for="key in message.keys" :key="key.id" type="button" @click="$emit('press', key.id, [])">{{ key.label }}</button>
        </div>
        <div v-for="menu in message.menus" :key="menu.id" class="menu">
          <select v-if="menu.most === 1" :aria-label="menu.placeholder || tr('Choose')" @change="$emit('press', menu.id, [$event.target.value])">
            <option value="" disabled :selected="!menu.choices.some((one) => one.chosen)">{{ menu.placeholder || tr("Choose") }}</option>
            <option v-for="(one, at) in menu.choices" :key="at" :value="String(at)" :selected="one.chosen" :title="one.description">{{ one.label }}</option></select>
          <fieldset v-else><legend>{{ menu.placeholder || tr("Choose") }}</legend>
            <label v-for="(one, at) in menu.choices" :key="at" :title="one.description"><input type="checkbox" :checked="is(menu, at)" @change="pick(menu, at, $event.target.checked)" />{{ one.label }}</label>
            <button type="button" @click="$emit('press', menu.id, all(menu))">{{ tr("Save") }}</button></fieldset>
        </div>
        <div v-if="message.form" class="keys"><button type="button" @click="$emit('fill')">{{ tr("Fill in") }}</button><button type="button" @click="$emit('withdraw')">{{ tr("Put away") }}</button></div>
        <button v-if="message.replies && threads" type="button" class="replies" @click="$emit('thread')"><Icon name="thread" />{{ message.replies === 1 ? tr("1 reply") : tr("{n} replies", { n: message.replies }) }}</button>
      </div>
      <div class="acts">
        <button type="button" :aria-label="tr('Reply')" :title="tr('Reply')" @click="$emit('reply')"><Icon name="reply" /></button>
        <button v-if="threads" type="button" :aria-label="tr('Thread')" :title="tr('Thread')" @click="$emit('thread')"><Icon name="thread" /></button>
        <button v-if="mine && message.text" type="button" :aria-label="tr('Change')" :title="tr('Change')" @click="$emit('amend')"><Icon name="edit" /></button>
        <button v-if="mine" type="button" :aria-label="tr('Take back')" :title="tr('Take back')" @click="$emit('withdraw')"><Icon name="trash" /></button>
        <button v-if="message.text" type="button" :aria-label="copied ? tr('Copied') : tr('Copy')" :title="tr('Copy')" @click="copy"><Icon :name="copied ? 'check' : 'copy'" /></button>
      </div>
    </article>`,
  computed: {
    iso() {
      return new Date(this.message.at * 1000).toISOString();
    },
  },
  watch: {
    sound: { handler: "timed", flush: "post" },
    "message.html": {
      handler(html) {
        settle(this.$refs.words, html);
        this.timed();
        this.$emit("grown");
      },
      flush: "post",
    },
  },
  mounted() {
    settle(this.$refs.words, this.message.html);
    this.timed();
  },
  beforeUnmount() {
    this.untie?.();
  },
  methods: {
    clock,
    moment,
    size,
    tr,
    preview: (quoted) => quoted.text.slice(0, 140) || quoted.files.map((file) => (file.voice ? tr("Voice note") : file.name)).join(", "),
    // The times of what was said, below a recording, move it there, and follow it.
    timed() {
      this.untie?.();
      if (this.sound) this.untie = follow(this.$refs.words, this.sound);
    },
    is(menu, at) {
      return this.picked[menu.id]?.[at] ?? menu.choices[at].chosen;
    },
    pick(menu, at, on) {
      this.picked[menu.id] = { ...this.picked[menu.id], [at]: on };
    },
    all(menu) {
      return menu.choices.map((_, at) => String(at)).filter((at) => this.is(menu, Number(at)));
    },
    copy() {
      navigator.clipboard.writeText(this.message.text);
      this.copied = true;
      setTimeout(() => (this.copied = false), 1500);
    },
  },
};
