// Words of a configuration's description, in which code stands between backticks.
const TICK = "`";

export default {
  props: { text: String },
  template: `<template v-for="(part, at) in parts" :key="at"><code v-if="at % 2">{{ part }}</code><template v-else>{{ part }}</template></template>`,
  computed: {
    parts() {
      return this.text.split(TICK);
    },
  },
};
