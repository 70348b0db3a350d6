// Asks who somebody is: first of all, and again when they want another name.
import { tr } from "/static/texts.js";

export default {
  props: { me: Object, notice: String },
  emits: ["named", "away"],
  data: () => ({ name: "" }),
  template: `
    <dialog ref="dialog" class="card" aria-labelledby="welcome" @cancel="stay" @close="$emit('away')">
      <form @submit.prevent="$emit('named', name)">
        <img src="/static/hobnob.svg" alt="" width="64" height="64" /><h1 id="welcome">{{ me ? tr("Your name") : tr("Welcome to Hobnob") }}</h1>
        <p>{{ tr("What should the others call you?") }}</p>
        <input v-model="name" maxlength="32" autocomplete="nickname" :aria-label="tr('Your name')" :placeholder="tr('Your name')" required autofocus />
        <p v-if="notice" class="fault" role="alert">{{ notice }}</p>
        <button type="submit" class="go">{{ me ? tr("Save") : tr("Come in") }}</button>
      </form>
    </dialog>`,
  mounted() {
    this.name = this.me?.name || localStorage.getItem("hobnob-name") || "";
    this.$refs.dialog.showModal();
  },
  methods: {
    tr,
    // Nobody is in the room without a name.
    stay(event) {
      if (!this.me) event.preventDefault();
    },
  },
};
