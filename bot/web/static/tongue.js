// The language of the pages: what the browser asks for, until somebody chooses another here.
import Icon from "/static/icons.js";
import { speak, tr } from "/static/texts.js";

export default {
  components: { Icon },
  template: `<label class="round tongue" :title="tr('Language')"><Icon name="globe" /><select :aria-label="tr('Language')" :value="here" @change="choose">
    <option v-for="[tag, name] in all" :key="tag" :value="tag" :lang="tag">{{ name }}</option></select></label>`,
  data: () => JSON.parse(document.getElementById("languages").textContent),
  methods: {
    tr,
    choose(event) {
      sessionStorage.removeItem("hobnobLanguage"); // another tab may have chosen since
      if (speak(event.target.value)) location.reload();
    },
  },
};
