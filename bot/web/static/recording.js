// A voice note while it is recorded, and until it is brought up; one that cannot be stays, to be sent again.
import Icon from "/static/icons.js";
import { Recorder, upload } from "/static/media.js";
import { tr } from "/static/texts.js";
import { time } from "/static/words.js";

export default {
  components: { Icon },
  emits: ["done", "away", "sorry"],
  data: () => ({ recorder: null, note: null, rising: false, seconds: 0 }),
  template: `
    <div class="line" role="status">
      <button type="button" class="round" :aria-label="tr('Throw the recording away')" :title="tr('Throw away')" :disabled="rising" @click="$emit('away')"><Icon name="trash" /></button>
      <span class="meter" :class="{ over: note }"><i></i>{{ note ? tr("Recorded") : tr("Recording") }} <b aria-hidden="true">{{ time(seconds) }}</b></span>
      <button type="button" class="round primary" :aria-label="tr('Send the recording')" :title="tr('Send')" :disabled="rising || !(recorder || note)" @click="finish"><Icon name="send" /></button>
    </div>`,
  async mounted() {
    try {
      this.recorder = await Recorder.start();
    } catch (fault) {
      this.$emit("sorry", fault.message);
      return this.$emit("away");
    }
    if (this.gone) return this.recorder.stop(); // thrown away before the browser had asked
    this.ticking = setInterval(() => (this.seconds = this.recorder.seconds), 200);
  },
  beforeUnmount() {
    this.gone = true;
    clearInterval(this.ticking);
    if (!this.note) this.recorder?.stop();
  },
  methods: {
    time,
    tr,
    async finish() {
      clearInterval(this.ticking);
      this.rising = true;
      this.note ||= await this.recorder.stop();
      const { content, name, seconds } = this.note;
      try {
        this.$emit("done", { ...(await upload(content, name, () => {})), seconds });
      } catch (fault) {
        this.$emit("sorry", fault.message);
      }
      this.rising = false;
    },
  },
};
