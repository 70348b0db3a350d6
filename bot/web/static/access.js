// Who gets in: the operator's password, and links for others.
import acting from "/static/acting.js";
import Frame from "/static/frame.js";
import { tr } from "/static/texts.js";

export default {
  mixins: [acting],
  components: { Frame },
  emits: ["choose", "invite"],
  data: () => ({ password: "", again: "", fault: "", said: "", link: "", linked: "", copied: false }),
  template: `
    <Frame ref="frame" :frame="frame" :title="tr('Access')" :away="away" :loaded="!!seen">
      <section class="panel">
        <h2>{{ tr("Your password") }}</h2>
        <p class="quiet">{{ seen.password ? tr("There is one, and you can come in with it.") : tr("There is none yet: you come in with a link that Hobnob prints when it starts.") }}</p>
        <form class="form" @submit.prevent="choose">
          <input type="text" name="username" value="operator" autocomplete="username" hidden />
          <label class="field"><span>{{ tr("New password") }}</span>
            <input v-model="password" type="password" autocomplete="new-password" :minlength="seen.shortest" :maxlength="seen.longest" required /></label>
          <label class="field"><span>{{ tr("Once more") }}</span><input v-model="again" type="password" autocomplete="new-password" required /></label>
          <p v-if="fault" class="fault" role="alert">{{ fault }}</p>
          <div class="group"><button type="submit" class="go" :disabled="busy()">{{ tr("Save") }}</button>
            <button v-if="seen.password" type="button" class="plain danger" :disabled="busy()" @click="act('choose', { password: '' })">{{ tr("Use no password") }}</button>
            <span v-if="said" role="status">{{ said }}</span></div>
        </form>
      </section>
      <section class="panel">
        <h2>{{ tr("Let somebody in") }}</h2>
        <p class="quiet">{{ tr("A link works once, within a day, and lets one browser in.") }}</p>
        <div class="group"><button type="button" class="go" :disabled="busy()" @click="act('invite', { operator: false })">{{ tr("Link for a guest of the rooms") }}</button>
          <button type="button" class="plain" :disabled="busy()" @click="act('invite', { operator: true })">{{ tr("Link for an operator") }}</button></div>
        <div v-if="link" class="field"><label for="link">{{ linked }}</label>
          <div class="linked"><input id="link" :value="link" readonly @focus="$event.target.select()" />
            <button type="button" class="plain" @click="copy">{{ copied ? tr("Copied") : tr("Copy") }}</button></div></div>
      </section>
    </Frame>`,
  methods: {
    tr,
    choose() {
      this.fault = this.password === this.again ? "" : tr("These are two different passwords.");
      if (!this.fault) this.act("choose", { password: this.password });
    },
    on_chosen({ any }) {
      Object.assign(this, { password: "", again: "", said: any ? tr("Saved.") : tr("There is no password any more.") });
    },
    on_link({ link, operator }) {
      this.acting = {};
      Object.assign(this, { link, copied: false, linked: operator ? tr("For an operator, who may do all that you may") : tr("For a guest") });
    },
    copy() {
      navigator.clipboard.writeText(this.link);
      this.copied = true;
    },
  },
};
