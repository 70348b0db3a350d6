// What would change in a file, line by line.
export default {
  props: { text: String },
  template: `<pre class="diff" tabindex="0" role="region" :aria-label="label"><span v-for="(line, at) in lines" :key="at" :class="{ plus: line.startsWith('+'), minus: line.startsWith('-') }">{{ line }}</span></pre>`,
  computed: {
    lines() {
      return this.text.split("\n").filter((line) => !/^(---|\+\+\+|@@)/.test(line));
    },
    label() {
      return this.lines[0] || "";
    },
  },
};
