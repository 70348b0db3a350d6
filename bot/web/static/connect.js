// Connecting a chat platform: how one comes by a token, where it goes, and what the platform says of it.
import Icon from "/static/icons.js";
import { tr } from "/static/texts.js";

export default {
  components: { Icon },
  props: { platform: String, connected: Boolean, found: Object, unreached: Boolean, busy: Boolean },
  emits: ["connect"],
  data: () => ({ token: "", proxy: "", asked: false }),
  template: `
    <p v-if="connected && !found" class="told">{{ tr("There is a token already, and it is kept unless you paste another.") }}</p>
    <ol v-if="!found"><li v-for="one in how" :key="one.words">{{ one.words }} <a v-if="one.link" :href="one.link" target="_blank" rel="noopener noreferrer">{{ one.link.replace("https://", "") }}</a></li></ol>
    <div v-if="found" class="told" role="status"><span>{{ tr("This is {name}.", { name: found.name }) }}</span>
      <a :href="found.link" target="_blank" rel="noopener noreferrer">{{ platform === "discord" ? tr("Let it into a server") : tr("Write to it, or add it to a group") }}</a></div>
    <p v-for="one in found?.missing || []" :key="one" class="told warn">{{ one }}</p>
    <form class="form" @submit.prevent="send">
      <label class="field"><span>{{ tr("Token") }}</span><input v-model.trim="token" type="password" autocomplete="off" spellcheck="false" maxlength="300" required />
        <small>{{ tr("It is tried at once, written to the file .env beside bot.toml, and never shown again.") }}</small></label>
      <label v-if="asked || unreached" class="field"><span>{{ tr("Proxy") }}</span><input v-model.trim="proxy" autocomplete="off" spellcheck="false" maxlength="300" placeholder="http://127.0.0.1:3128" /></label>
      <div class="group"><button type="submit" class="go" :disabled="busy || !token">{{ busy ? tr("Asking …") : tr("Try it") }}</button>
        <button v-if="!asked && !unreached" type="button" class="plain" @click="asked = true">{{ tr("By a proxy") }}</button></div>
    </form>`,
  computed: {
    how() {
      if (this.platform === "telegram")
        return [{ words: tr("In Telegram, write to @BotFather: /newbot, a name, and a user name that ends in bot."), link: "https://t.me/BotFather" }, { words: tr("It answers with a token. Paste it here.") }];
      return [
        { words: tr("Make an application in the developer portal, under the name that people will mention."), link: "https://discord.com/developers/applications" },
        { words: tr("Bot, in the list on the left: switch Message Content Intent on, and save.") },
        { words: tr("On the same page press Reset Token, copy the token, and paste it here.") },
      ];
    },
  },
  watch: {
    found() {
      Object.assign(this, { token: "", proxy: "" });
    },
  },
  methods: {
    tr,
    send() {
      this.$emit("connect", { platform: this.platform, token: this.token, proxy: this.proxy });
    },
  },
};
