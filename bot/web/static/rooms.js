// Where one can go: the rooms, a new one, and the bot alone.
import Icon from "/static/icons.js";
import { tr } from "/static/texts.js";

export default {
  components: { Icon },
  props: { tabs: Array, where: String },
  emits: ["go"],
  data: () => ({ naming: false, name: "" }),
  template: `
    <nav class="tabs" :aria-label="tr('Conversations')">
      <button v-for="tab in tabs" :key="tab.where" type="button" :aria-current="where.split('/')[0] === tab.where ? 'page' : null" @click="$emit('go', tab.where)">
        <Icon :name="tab.icon" /><span>{{ tab.label }}</span>
        <span v-if="tab.unread" class="count" :aria-label="tr('{n} new', { n: tab.unread })">{{ tab.unread }}</span>
      </button>
      <form v-if="naming" class="new-room" @submit.prevent="open" @keydown.esc="naming = false">
        <input ref="name" v-model.trim="name" :aria-label="tr('Name of the new room')" :placeholder="tr('name')" pattern="[a-z0-9][a-z0-9\\-]*" maxlength="32" :title="tr('Lower-case letters, digits and hyphens')" required />
        <button type="submit" class="small" :aria-label="tr('Open the room')"><Icon name="check" /></button></form>
      <button v-else type="button" class="more" :aria-label="tr('New room')" :title="tr('New room')" @click="ask"><Icon name="plus" /><span>{{ tr("New room") }}</span></button>
    </nav>`,
  watch: {
    where: {
      handler() {
        this.$el.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
      },
      flush: "post",
    },
  },
  methods: {
    tr,
    ask() {
      Object.assign(this, { naming: true, name: "" });
      this.$nextTick(() => this.$refs.name.focus());
    },
    open() {
      this.naming = false;
      this.$emit("go", this.name);
    },
  },
};
