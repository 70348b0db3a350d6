// The backups of this machine: which there are, another one, and how one is brought back.
import acting from "/static/acting.js";
import Frame from "/static/frame.js";
import { tr } from "/static/texts.js";
import { moment, size } from "/static/words.js";

export default {
  mixins: [acting],
  components: { Frame },
  emits: ["make"],
  data: () => ({ secrets: false, to: "", making: false, said: "", copied: "" }),
  template: `
    <Frame ref="frame" :frame="frame" :title="tr('Backups')" :about="seen ? tr('{n} there', { n: seen.files.length }) : ''" :away="away" :loaded="!!seen">
      <section class="panel"><h2>{{ tr("Make one") }}</h2>
        <p class="quiet">{{ tr("Everything in one file: conversations, settings, rooms with their files, the configuration. Models are not in it.") }}</p>
        <form class="form" @submit.prevent="make">
          <label class="check"><input v-model="secrets" type="checkbox" :disabled="making" />{{ tr("With the tokens, and with who is signed in") }}</label>
          <label class="field"><span>{{ tr("Encrypt it for") }}</span><input v-model.trim="to" type="text" placeholder="age1…" pattern="(age1|ssh-).*" :disabled="making" autocomplete="off" />
            <small>{{ tr("An age or SSH public key; whoever has its other half can read the backup. Empty: whoever has the file can.") }}</small></label>
          <p v-if="secrets && !to" class="fault fine">{{ tr("Whoever has this file can speak as your bot. Encrypt it, or keep it where nobody else reads.") }}</p>
          <div class="group"><button type="submit" class="go" :disabled="making">{{ making ? tr("It is being made …") : tr("Make a backup") }}</button></div>
        </form>
        <p v-if="said" class="saved" role="status">{{ said }}</p>
      </section>
      <section class="panel"><h2>{{ tr("There are") }}</h2>
        <p v-if="!seen.files.length" class="quiet">{{ tr("None yet. They come into {folder}.", seen) }}</p>
        <ul class="rows"><li v-for="one in seen.files" :key="one.path"><span><b>{{ moment(one.at) }}</b> <span class="dim">{{ size(one.bytes) }}</span> <span v-if="one.name.endsWith('.age')" class="tag">{{ tr("encrypted") }}</span><br /><code class="dim">{{ one.path }}</code></span>
          <button type="button" class="plain" :aria-label="tr('Copy the path of {name}', one)" @click="copy(one.path)">{{ copied === one.path ? tr("Copied") : tr("Copy the path") }}</button></li></ul></section>
      <section class="panel"><h2>{{ tr("Bring one back") }}</h2>
        <p class="quiet">{{ tr("Stop Hobnob, then say this on this machine or another, in the folder of Hobnob. Nothing may run meanwhile, so no page can do it.") }}</p>
        <pre class="command"><code>{{ command }}</code></pre>
        <p class="quiet fine">{{ tr("Where there is something already, --replace removes it first; an encrypted one needs --key FILE. Try one now and then.") }}</p></section>
    </Frame>`,
  computed: {
    command() {
      return `hobnob restore ${this.seen.files.length ? this.seen.files[0].path : "FILE"}`;
    },
  },
  methods: {
    moment,
    size,
    tr,
    make() {
      Object.assign(this, { making: true, said: "" });
      this.$emit("make", { secrets: this.secrets, to: this.to });
    },
    on_made({ said }) {
      Object.assign(this, { said, making: false });
    },
    on_sorry({ text }) {
      this.making = false;
      this.$refs.frame.sorry(text);
    },
    copy(path) {
      navigator.clipboard.writeText(path);
      this.copied = path;
    },
  },
};
