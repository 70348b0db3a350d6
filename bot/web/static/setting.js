// One setting: a switch, a menu or an input, by what it takes; and who decided what holds.
import Said from "/static/said.js";
import { tr } from "/static/texts.js";
import { value } from "/static/words.js";

export default {
  components: { Said },
  props: { id: String, setting: Object, draft: null, origin: String, mine: Boolean },
  emits: ["draft", "reset"],
  template: `
    <div class="field">
      <label v-if="setting.kind === 'boolean'" class="check"><input :id="id" type="checkbox" :checked="draft" :disabled="setting.locked"
        @change="$emit('draft', $event.target.checked)" />{{ setting.title }}</label>
      <template v-else>
        <label :for="id">{{ setting.title }}</label>
        <select v-if="setting.choices.length" :id="id" :value="draft" :disabled="setting.locked" @change="choose">
          <option v-for="one in setting.choices" :key="one" :value="one">{{ setting.labels?.[one] ?? one }}</option></select>
        <input v-else-if="number" :id="id" type="number" :step="setting.kind === 'integer' ? 1 : 'any'" :min="setting.least" :max="setting.most" :value="draft"
          :disabled="setting.locked" @input="typed" />
        <textarea v-else-if="setting.kind === 'list'" :id="id" :value="(draft || []).join('\\n')" :disabled="setting.locked" @input="lines"></textarea>
        <textarea v-else-if="long" :id="id" :value="draft" :minlength="setting.least" :maxlength="setting.most" :disabled="setting.locked" @input="$emit('draft', $event.target.value)"></textarea>
        <input v-else-if="setting.kind === 'text'" :id="id" type="text" :value="draft" :minlength="setting.least" :maxlength="setting.most" :disabled="setting.locked"
          @input="$emit('draft', $event.target.value)" />
        <output v-else :id="id"><code>{{ value(setting.value) }}</code></output>
      </template>
      <small><slot><Said :text="setting.about || ''" /> <template v-if="setting.kind === 'list'">{{ tr("One on each line.") + " " }}</template><template v-if="setting.kind === 'parts'">{{ tr("Say /settings with a TOML file in the chat to change it.") + " " }}</template>
        <template v-if="setting.locked">{{ tr("Whoever runs the bot lets no server change this.") }}</template><template v-else>{{ tr("Now {origin}.", { origin }) }}
          <button v-if="mine" type="button" class="link" :aria-label="tr('Reset {setting}', { setting: setting.title })" @click="$emit('reset')">{{ tr("Reset") }}</button></template></slot></small>
    </div>`,
  computed: {
    number() {
      return this.setting.kind === "integer" || this.setting.kind === "number";
    },
    long() {
      return this.setting.kind === "text" && (this.setting.most > 200 || String(this.setting.value ?? "").length > 80);
    },
  },
  methods: {
    tr,
    value,
    choose(event) {
      this.$emit("draft", this.setting.choices[event.target.selectedIndex]);
    },
    typed(event) {
      this.$emit("draft", event.target.value === "" ? null : Number(event.target.value));
    },
    lines(event) {
      this.$emit("draft", event.target.value.split("\n").map((line) => line.trim()).filter(Boolean));
    },
  },
};
