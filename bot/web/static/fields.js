// What may stand in a table of bot.toml, to be filled in; tables below it have fields of their own.
import Said from "/static/said.js";
import Setting from "/static/setting.js";
import { tr } from "/static/texts.js";
import { value } from "/static/words.js";

const same = (one, other) => JSON.stringify(one ?? null) === JSON.stringify(other ?? null);

export default {
  name: "Fields",
  components: { Said, Setting },
  props: { rows: Array, drafts: Object, id: String },
  emits: ["put"],
  data: () => ({ added: {}, names: {} }),
  template: `
    <template v-for="row in rows" :key="row.name">
      <fieldset v-if="row.kind === 'table' || row.kind === 'tables'" class="below"><legend><code>{{ row.name }}</code></legend>
        <small v-if="row.about"><Said :text="row.about" /></small>
        <Fields v-if="row.kind === 'table'" :rows="row.fields" :drafts="drafts" :id="id + '-' + row.name" @put="put" />
        <template v-else>
          <details v-for="one in entries(row)" :key="one.name" :open="one.fresh"><summary>{{ one.name }} <span v-if="one.gone" class="tag off">{{ tr("to be removed") }}</span></summary>
            <div class="form"><Fields v-if="!one.gone" :rows="one.fields" :drafts="drafts" :id="id + '-' + row.name + '-' + one.name" @put="put" />
              <div><button type="button" class="plain" :class="{ danger: !one.gone }" @click="one.gone ? $emit('put', one.at) : remove(row, one)">{{ one.gone ? tr("Keep {name}", one) : tr("Remove {name}", one) }}</button></div></div></details>
          <div class="linked"><input v-model.trim="names[row.name]" maxlength="100" autocomplete="off" :aria-label="tr('The name of another in {table}', { table: row.name })" :placeholder="tr('A name for another')" @keydown.enter.prevent="add(row)" />
            <button type="button" class="plain" :disabled="!names[row.name]" @click="add(row)">{{ tr("Add") }}</button></div>
        </template>
      </fieldset>
      <div v-else-if="row.kind === 'secret' || row.kind === 'hidden'" class="field"><label :for="id + '-' + row.name">{{ row.name }}</label>
        <input :id="id + '-' + row.name" type="password" autocomplete="new-password" spellcheck="false" :value="draft(row)" :disabled="!!row.fixed || row.kind === 'hidden'" :placeholder="row.set ? tr('set, and not shown') : tr('not set')" @input="put(row.at, $event.target.value || undefined)" />
        <small><Said :text="row.about" /> {{ row.fixed ? fixed(row) : row.kind === "hidden" ? tr("It is changed in bot.toml by hand.") : tr("It goes to the file .env beside bot.toml, and is never shown again.") }}</small></div>
      <div v-else-if="row.kind === 'pairs'" class="field"><label :for="id + '-' + row.name">{{ row.name }}</label>
        <textarea :id="id + '-' + row.name" :value="lines(row)" :disabled="!!row.fixed" @change="pairs(row, $event)"></textarea>
        <small><Said :text="row.about" /> {{ row.fixed ? fixed(row) : tr("One on each line: a name, =, and what it stands for.") }}</small></div>
      <Setting v-else :id="id + '-' + row.name" :setting="{ ...row, title: row.name, locked: !!row.fixed }" :draft="draft(row)" @draft="change(row, $event)">
        <Said :text="row.about" /> <template v-if="row.fixed">{{ fixed(row) }}</template><template v-else-if="row.kind === 'parts'">{{ tr("It is changed in bot.toml by hand.") }}</template>
        <template v-else><template v-if="row.kind === 'list'">{{ tr("One on each line.") + " " }}</template>
          <template v-if="row.set">{{ tr("By itself: {value}.", { value: value(row.begins ?? null) }) }} <button type="button" class="link" :aria-label="tr('Reset {setting}', { setting: row.name })" @click="put(row.at, null)">{{ tr("Reset") }}</button></template></template>
      </Setting>
    </template>`,
  methods: {
    tr,
    value,
    fixed: (row) => tr("The environment variable {name} says so, and goes before bot.toml.", { name: row.fixed }),
    put(at, given) {
      this.$emit("put", at, given);
    },
    draft(row) {
      const draft = this.drafts[JSON.stringify(row.at)];
      if (draft === undefined) return row.value ?? null;
      return draft.value === null ? row.begins ?? null : draft.value;
    },
    change(row, given) {
      const wanted = given === "" && row.begins == null ? null : given;
      this.put(row.at, same(wanted, row.value) ? undefined : wanted);
    },
    entries(row) {
      const there = row.entries.map((one) => ({ ...one, at: [...row.at, one.name], fresh: false }));
      const all = [...there, ...(this.added[row.name] || [])];
      return all.map((one) => ({ ...one, gone: this.drafts[JSON.stringify(one.at)]?.value === null }));
    },
    add(row) {
      const name = this.names[row.name];
      const known = this.entries(row).find((one) => one.name === name);
      this.names[row.name] = "";
      if (!name || known) return known?.gone && this.put(known.at);
      const at = [...row.at, name];
      const named = (rows) => rows.map((one) => ({ ...one, at: [...at, ...one.at.slice(at.length)], ...(one.fields && { fields: named(one.fields) }), ...(one.blank && { blank: named(one.blank) }) }));
      this.added[row.name] = [...(this.added[row.name] || []), { name, at, fields: named(row.blank), fresh: true }];
      this.put(at, {});
    },
    // What was added here only goes without a trace.
    remove(row, one) {
      for (const { at } of Object.values(this.drafts)) if (at.length > one.at.length && same(at.slice(0, one.at.length), one.at)) this.put(at);
      this.put(one.at, one.fresh ? undefined : null);
      if (one.fresh) this.added[row.name] = this.added[row.name].filter((each) => each.name !== one.name);
    },
    lines(row) {
      return Object.entries(this.draft(row) || {}).map(([name, one]) => `${name} = ${one}`).join("\n");
    },
    pairs(row, event) {
      const said = event.target.value.split("\n").map((line) => line.split("=")).filter(([name]) => name.trim());
      const given = Object.fromEntries(said.map(([name, ...rest]) => [name.trim(), rest.join("=").trim()]));
      this.put(row.at, same(given, row.value ?? {}) ? undefined : given);
    },
  },
};
