// Whom something is said of: what the slot offers, a role, or somebody by their name, whom the router looks for.
import { tr } from "/static/texts.js";

// What is sent for a choice: somebody is named, everybody else is known by an id.
export const meant = ({ who, person }) => (who === "person" ? { person } : {});

export default {
  props: { id: String, label: String, seen: Object, whom: Object },
  template: `
    <label class="field"><span>{{ label }}</span><select v-model="whom.who"><slot></slot>
      <option v-for="role in seen.roles" :key="role.id" :value="role.id">{{ role.name }}</option><option value="person">{{ tr("somebody") }}</option></select></label>
    <label v-if="whom.who === 'person'" class="field"><span>{{ tr("Name") }}</span><input v-model.trim="whom.person" :list="id" required maxlength="100" autocomplete="off" />
      <datalist :id="id"><option v-for="one in seen.people" :key="one" :value="one"></option></datalist></label>`,
  methods: { tr },
};
