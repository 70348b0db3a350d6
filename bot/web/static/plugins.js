// The plugins that are installed: what they are, what the operator chose, what servers may choose.
import acting from "/static/acting.js";
import Frame from "/static/frame.js";
import { value } from "/static/words.js";

export default {
  mixins: [acting],
  components: { Frame },
  template: `
    <Frame ref="frame" :frame="frame" title="Plugins" :about="seen ? seen.plugins.length + ' installed' : ''" :away="away" :loaded="!!seen">
      <p v-if="seen.plugins.length === 0" class="quiet">None is installed: give one a table in bot.toml.</p>
      <section v-for="one in seen.plugins" :key="one.name" class="panel">
        <div class="head"><h2>{{ one.name }}</h2><div class="group">
          <span class="tag" :class="{ off: !one.enabled }">{{ one.enabled ? "on, unless a server says otherwise" : "off, unless a server says otherwise" }}</span>
          <span v-if="!one.switchable" class="tag">not for servers to switch</span></div></div>
        <p>{{ one.summary }}</p>
        <p class="quiet">Version <code>{{ one.version || "unknown" }}</code>, licence {{ one.licence || "not said" }}{{ one.rights.length ? ", may do " + one.rights.join(", ") : "" }}</p>
        <details v-if="one.config.length"><summary>Configuration, in [plugins.{{ one.name }}] of bot.toml</summary>
          <dl class="pairs"><template v-for="each in one.config" :key="each.name"><dt><code>{{ each.name }}</code></dt>
            <dd><b>{{ value(each.value) }}</b><small>{{ each.about }}</small></dd></template></dl></details>
        <details v-if="one.settings.length"><summary>What each server may choose</summary>
          <dl class="pairs"><template v-for="each in one.settings" :key="each.name"><dt>{{ each.name }}</dt>
            <dd><b>{{ value(each.begins) }}</b>{{ each.locked ? " (locked)" : "" }}<small>{{ each.about }}</small></dd></template></dl></details>
      </section>
    </Frame>`,
  methods: { value },
};
