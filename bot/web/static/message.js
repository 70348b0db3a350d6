// One message: who, when, what, and what can be done with it.
import Icon from "/static/icons.js";
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
  props: { message: Object, follows: Boolean, mine: Boolean, quoted: Object },
  emits: ["reply", "press", "jump", "grown"],
  data: () => ({ copied: false, shown: {} }),
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
        <time :datetime="iso" :title="moment(message.at)">{{ clock(message.at) }}</time>
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
          <button v-for="key in message.keys" :key="key.id" type="button" @click="$emit('press', key.id)">{{ key.label }}</button>
        </div>
      </div>
      <div class="acts">
        <button type="button" :aria-label="tr('Reply')" :title="tr('Reply')" @click="$emit('reply')"><Icon name="reply" /></button>
        <button v-if="message.text" type="button" :aria-label="copied ? tr('Copied') : tr('Copy')" :title="tr('Copy')" @click="copy"><Icon :name="copied ? 'check' : 'copy'" /></button>
      </div>
    </article>`,
  computed: {
    iso() {
      return new Date(this.message.at * 1000).toISOString();
    },
  },
  watch: {
    "message.html": {
      handler(html) {
        settle(this.$refs.words, html);
        this.$emit("grown");
      },
      flush: "post",
    },
  },
  mounted() {
    settle(this.$refs.words, this.message.html);
  },
  methods: {
    clock,
    moment,
    size,
    tr,
    preview: (quoted) => quoted.text.slice(0, 140) || quoted.files.map((file) => (file.voice ? tr("Voice note") : file.name)).join(", "),
    copy() {
      navigator.clipboard.writeText(this.message.text);
      this.copied = true;
      setTimeout(() => (this.copied = false), 1500);
    },
  },
};
