// The plugins that are installed: what they are, what the operator chose, what servers may choose.
import acting from "/static/acting.js";
import Configuration from "/static/configuration.js";
import Frame from "/static/frame.js";
import { tr } from "/static/texts.js";
import { number, value } from "/static/words.js";

export default {
  mixins: [acting],
  components: { Configuration, Frame },
  props: { fixed: Boolean },
  emits: ["retry", "form", "fill", "keep"],
  data: () => ({ forms: {} }),
  template: `
    <Frame ref="frame" :frame="frame" :title="tr('Plugins')" :about="seen ? tr('{n} installed', { n: seen.plugins.length }) : ''" :away="away" :loaded="!!seen">
      <p v-if="seen.plugins.length === 0" class="quiet">{{ tr("None is installed: give one a table in bot.toml.") }}</p>
      <section v-for="one in seen.out" :key="one.name" class="panel"><div class="head"><h2>{{ one.name }}</h2><span class="tag off">{{ tr("left out") }}</span></div>
        <p class="fault">{{ one.trouble.what }}</p>
        <div class="group"><button type="button" class="plain" :disabled="busy()" @click="act('retry', { plugin: one.name })">{{ tr("Try it at the next start") }}</button></div></section>
      <section v-for="one in seen.plugins" :key="one.name" class="panel">
        <div class="head"><h2>{{ one.name }}</h2><div class="group">
          <span class="tag" :class="{ off: !one.enabled }">{{ one.enabled ? tr("on, unless a server says otherwise") : tr("off, unless a server says otherwise") }}</span>
          <span v-if="!one.switchable" class="tag">{{ tr("not for servers to switch") }}</span></div></div>
        <p>{{ one.summary }}</p>
        <div v-if="one.trouble" class="trouble"><p class="fault">{{ one.trouble.what }}</p>
          <button type="button" class="plain" :disabled="busy()" :aria-label="tr('Try {name} again', one)" @click="act('retry', { plugin: one.name })">{{ tr("Try it again") }}</button></div>
        <ul class="tally"><li><b :class="{ bad: one.health && one.health.faults }">{{ one.trouble ? tr("rests") : one.health && one.health.faults ? tr("failed before") : tr("well") }}</b><small>{{ tr("health") }}</small></li>
          <li><b>{{ one.health ? number(one.health.calls) : 0 }}</b><small>{{ tr("calls since the start") }}</small></li>
          <li><b :class="{ bad: one.health && one.health.faults }">{{ one.health ? number(one.health.faults) : 0 }}</b><small>{{ tr("of them failed") }}</small></li>
          <li v-if="one.health"><b>{{ one.health.each }} ms</b><small>{{ tr("each, without waiting") }}</small></li>
          <li v-if="one.where.on"><b>{{ one.where.on }}</b><small>{{ tr("servers switched it on") }}</small></li><li v-if="one.where.off"><b>{{ one.where.off }}</b><small>{{ tr("servers switched it off") }}</small></li></ul>
        <p class="quiet">{{ tr("Version") }} <code>{{ one.version || tr("unknown") }}</code>{{ tr(", licence {licence}", { licence: one.licence || tr("not said") }) }}{{ one.rights.length ? tr(", may do {rights}", { rights: one.rights.join(", ") }) : "" }}</p>
        <details v-if="one.form && !fixed" @toggle="$event.target.open && !forms[one.name] && act('form', { plugin: one.name })"><summary>{{ tr("Configuration, in [plugins.{name}] of bot.toml", one) }}</summary>
          <Configuration v-if="forms[one.name]" v-bind="forms[one.name]" :key="forms[one.name].made" :name="one.name" :busy="busy()" @fill="act('fill', { plugin: one.name, entries: $event })" @keep="act('keep', { plugin: one.name }, 120)" @changed="forms[one.name].text = null" />
          <p v-else class="quiet">{{ tr("Loading …") }}</p></details>
        <details v-if="one.settings.length"><summary>{{ tr("What each server may choose") }}</summary>
          <dl class="pairs"><template v-for="each in one.settings" :key="each.name"><dt>{{ each.name }}</dt>
            <dd><b>{{ value(each.begins) }}</b>{{ each.locked ? tr(" (locked)") : "" }}<small>{{ each.about }}</small></dd></template></dl></details>
      </section>
    </Frame>`,
  methods: {
    number,
    tr,
    value,
    on_form({ plugin, rows }) {
      this.acting = {};
      this.forms[plugin] = { rows, text: null, written: "", made: Date.now() };
    },
    on_draft({ plugin, text }) {
      this.acting = {};
      this.forms[plugin].text = text;
    },
    on_written({ plugin, again }) {
      this.acting = {};
      this.forms[plugin].written = again ? "again" : "later";
      if (again) this.back();
    },
  },
};
