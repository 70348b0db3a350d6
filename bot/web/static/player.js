// A small player for sound; recordings made in a browser do not know their length, so the message says it.
import Icon from "/static/icons.js";
import { heard, tell } from "/static/listening.js";
import { tr } from "/static/texts.js";
import { time } from "/static/words.js";

export default {
  components: { Icon },
  props: { file: Object },
  data: ({ file }) => ({ playing: false, at: 0, length: file.seconds ?? 0, broken: false }),
  template: `
    <div class="player" :class="{ playing }">
      <audio ref="audio" :src="file.url" preload="metadata" @timeupdate="tick" @loadedmetadata="measure"
        @durationchange="measure" @play="playing = true" @pause="playing = false" @ended="at = 0" @error="broken = true"></audio>
      <button type="button" class="round" :aria-label="playing ? tr('Pause') : tr('Play {what}', { what })" :disabled="broken" @click="toggle">
        <Icon :name="playing ? 'pause' : 'play'" />
      </button>
      <input type="range" min="0" :max="length || 1" step="0.01" :value="at" :aria-label="tr('Position')" :aria-valuetext="tr('{at} of {length}', { at: time(at), length: time(length) })"
        :style="{ '--done': (length ? (at / length) * 100 : 0) + '%' }" @input="seek" />
      <span class="time">{{ broken ? tr("cannot be played") : time(playing || at ? at : length) }}</span>
      <a class="small" :href="file.url" :download="file.name" :aria-label="tr('Download {file}', { file: file.name })" :title="tr('Download {file}', { file: file.name })"><Icon name="down" /></a>
    </div>`,
  mounted() {
    this.unhear = heard(this.file.url, (at) => {
      this.$refs.audio.currentTime = at;
      this.$refs.audio.play().catch(() => (this.broken = true));
    });
  },
  beforeUnmount() {
    this.unhear();
  },
  computed: {
    what() {
      return this.file.voice ? tr("voice note") : this.file.name;
    },
  },
  methods: {
    time,
    tr,
    tick() {
      this.at = this.$refs.audio.currentTime;
      tell(this.file.url, this.at);
    },
    measure() {
      const found = this.$refs.audio.duration;
      this.length = Number.isFinite(found) && found > 0 ? found : this.file.seconds;
    },
    toggle() {
      if (this.playing) this.$refs.audio.pause();
      else this.$refs.audio.play().catch(() => (this.broken = true));
    },
    seek(event) {
      this.at = this.$refs.audio.currentTime = Number(event.target.value);
    },
  },
};
