// A small chart of bars, with a sentence for those who do not see it.
import { tr } from "/static/texts.js";
import { clock } from "/static/words.js";

export default {
  props: { values: Array, moments: Array, label: String, unit: String, bad: Boolean, daily: Boolean },
  template: `
    <svg class="bars" :class="{ bad }" :viewBox="'0 0 ' + values.length * 4 + ' 40'" preserveAspectRatio="none" role="img" :aria-label="sentence">
      <rect v-for="(value, at) in values" :key="at" :x="at * 4 + .5" :y="40 - height(value)" width="3" :height="height(value)" rx="1" :class="{ none: !value }"><title>{{ title(value, at) }}</title></rect></svg>
    <p class="ends" aria-hidden="true"><span>{{ clock(moments[0]) }}</span><span>{{ tr("now") }}</span></p>`,
  computed: {
    most() {
      return Math.max(...this.values.map((value) => value || 0), 0);
    },
    sentence() {
      if (!this.most) return tr("{label}: nothing in this time", { label: this.label });
      const at = this.values.indexOf(this.most);
      return tr("{label}: the most, {most} {unit}, at {when}", { label: this.label, most: this.round(this.most), unit: this.unit, when: clock(this.moments[at]) });
    },
  },
  methods: {
    clock,
    tr,
    round: (value) => Math.round(value * 10) / 10,
    height(value) {
      return value ? Math.max(2, (value / this.most) * 40) : 1;
    },
    title(value, at) {
      return `${clock(this.moments[at])}: ${value ? this.round(value) : 0} ${this.unit}`;
    },
  },
};
