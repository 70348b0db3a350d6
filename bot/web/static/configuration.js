// The operator's form of a plugin's table in bot.toml: what is filled in, what would be written, and the word that it is.
import Diff from "/static/diff.js";
import Fields from "/static/fields.js";
import { tr } from "/static/texts.js";

export default {
  components: { Diff, Fields },
  props: { name: String, rows: Array, text: { type: String, default: null }, written: String, busy: Boolean },
  emits: ["fill", "keep", "changed"],
  data: () => ({ drafts: {} }),
  template: `
    <form class="form config" @submit.prevent="$emit('fill', entries)">
      <Fields :rows="rows" :drafts="drafts" :id="'config-' + name" @put="put" />
      <div v-if="text === null" class="group"><button type="submit" class="go" :disabled="busy || !entries.length">{{ tr("Show what would change") }}</button>
        <button v-if="entries.length" type="button" class="plain" @click="drafts = {}">{{ tr("As it was") }}</button></div>
    </form>
    <p v-if="written" class="saved" role="status">{{ written === "again" ? tr("It starts anew with what you chose. This page comes back by itself.") : tr("It holds from the next start: stop Hobnob, and start it again.") }}</p>
    <p v-else-if="text === ''" class="quiet" role="status">{{ tr("Nothing would change.") }}</p>
    <template v-else-if="text"><Diff :text="text" />
      <div class="group"><button type="button" class="go" :disabled="busy" @click="$emit('keep')">{{ busy ? tr("It is being checked …") : tr("Write it and start anew") }}</button>
        <button type="button" class="plain" :disabled="busy" @click="$emit('changed')">{{ tr("Change something") }}</button>
        <span class="quiet">{{ tr("Comments stay as they are. Secrets are never shown again.") }}</span></div></template>`,
  computed: {
    entries() {
      return Object.values(this.drafts);
    },
  },
  methods: {
    tr,
    // Without a value it is as it was.
    put(at, value) {
      const key = JSON.stringify(at);
      if (value === undefined) delete this.drafts[key];
      else this.drafts[key] = { at, value };
      if (this.text !== null) this.$emit("changed");
    },
  },
};
