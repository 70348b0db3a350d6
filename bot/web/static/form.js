// A form that is filled in at once: the arguments of a command, or what a button asks for.
import { tr } from "/static/texts.js";

export default {
  props: { title: String, about: String, inputs: Array, values: Object, send: String },
  emits: ["done", "away"],
  data() {
    const begins = (one) => String(this.values[one.name] ?? "");
    return { filled: Object.fromEntries(this.inputs.map((one) => [one.name, begins(one)])), sent: false };
  },
  template: `
    <dialog ref="dialog" class="card filling" :aria-label="title" @close="closed">
      <form method="dialog" @submit="sent = true">
        <h1>{{ title }}</h1>
        <p v-if="about">{{ about }}</p>
        <label v-for="(one, at) in inputs" :key="one.name" class="ask"><span>{{ label(one) }}</span>
          <select v-if="choices(one).length" v-model="filled[one.name]" :required="one.required" :autofocus="at === 0">
            <option value="">{{ one.required ? tr("Choose") : tr("as usual") }}</option>
            <option v-for="each in choices(one)" :key="each.value" :value="each.value">{{ each.label }}</option></select>
          <input v-else-if="one.kind === 'integer' || one.kind === 'number'" v-model="filled[one.name]" type="number" :step="one.kind === 'integer' ? 1 : 'any'" :min="one.least" :max="one.most" :required="one.required" :autofocus="at === 0" />
          <textarea v-else-if="!one.most || one.most > 120" v-model="filled[one.name]" rows="2" :minlength="one.least" :maxlength="most(one)" :required="one.required" :autofocus="at === 0"></textarea>
          <input v-else v-model="filled[one.name]" :minlength="one.least" :maxlength="most(one)" :required="one.required" :autofocus="at === 0" />
          <small v-if="one.about !== one.name">{{ one.about }}</small></label>
        <div class="both"><button type="button" class="plain" @click="$refs.dialog.close()">{{ tr("Leave it") }}</button><button type="submit" class="go">{{ send || tr("Save") }}</button></div>
      </form>
    </dialog>`,
  mounted() {
    this.$refs.dialog.showModal();
  },
  methods: {
    tr,
    label: (one) => one.name.replaceAll("_", " ").replace(/^./, (first) => first.toUpperCase()),
    most: (one) => Math.min(one.most || 4000, 4000),
    choices(one) {
      if (one.kind === "boolean") return [{ value: "true", label: tr("yes") }, { value: "false", label: tr("no") }];
      return one.choices.filter((each) => String(each)).map((each) => ({ value: String(each), label: one.labels[each] ?? String(each) }));
    },
    closed() {
      if (this.sent) this.$emit("done", Object.fromEntries(Object.entries(this.filled).map(([name, value]) => [name, String(value ?? "")])));
      else this.$emit("away");
    },
  },
};
