// The memory of a device as a bar: what each model takes of it, and what is left.
import { tr } from "/static/texts.js";
import { gigabytes } from "/static/words.js";

export default {
  props: { models: Array, room: Number },
  template: `
    <div class="memory">
      <div class="share-bar" role="img" :aria-label="sentence">
        <i v-for="(one, at) in held" :key="one.name" :style="{ width: share(one) + '%', '--hue': at * 50 }" :title="one.name + ': ' + gigabytes(one.bytes)"></i></div>
      <p class="ends" aria-hidden="true"><span>{{ gigabytes(used) }}</span><span v-if="room">{{ tr("of {size} for models", { size: gigabytes(room) }) }}</span></p>
    </div>`,
  computed: {
    held() {
      return this.models.filter((one) => one.bytes);
    },
    used() {
      return this.held.reduce((sum, one) => sum + one.bytes, 0);
    },
    sentence() {
      const used = gigabytes(this.used);
      return this.room ? tr("{used} of {room} are in use", { used, room: gigabytes(this.room) }) : tr("{used} are in use", { used });
    },
  },
  methods: {
    gigabytes,
    tr,
    share(one) {
      return Math.max(0.6, (one.bytes / Math.max(this.room || 0, this.used)) * 100);
    },
  },
};
