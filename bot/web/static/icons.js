// The few pictures of the page, drawn as strokes on a 24 by 24 grid.
const paths = {
  hash: "M9 4 7 20M17 4l-2 16M4 9h16M4 15h16",
  lock: "M7 11V8a5 5 0 0 1 10 0v3M6 11h12v9H6z",
  clip: "m20 11-8.5 8.5a5 5 0 0 1-7-7L13 4a3.5 3.5 0 0 1 5 5l-8.5 8.5a2 2 0 0 1-3-3L14 7",
  mic: "M12 3a3 3 0 0 1 3 3v6a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3zM5 11a7 7 0 0 0 14 0M12 18v3",
  send: "M5 12h14M13 6l6 6-6 6",
  reply: "M9 7 4 12l5 5M4 12h9a7 7 0 0 1 7 7",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  close: "m6 6 12 12M18 6 6 18",
  play: "M8 5v14l11-7z",
  pause: "M8 5v14M16 5v14",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  down: "M12 5v14M6 13l6 6 6-6",
  check: "m5 12 5 5 9-10",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  system: "M4 5h16v11H4zM9 20h6M12 16v4",
  light: "M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM12 2v2M12 20v2M4 12H2M22 12h-2M5 5l1.4 1.4M17.6 17.6 19 19M19 5l-1.4 1.4M6.4 17.6 5 19",
  dark: "M20 14A8.5 8.5 0 0 1 10 4a8.5 8.5 0 1 0 10 10z",
  chart: "M4 20h16M7 20v-6M12 20V6M17 20v-9",
  queue: "M4 6h16M4 12h16M4 18h10",
  model: "m12 3 8 4.5v9L12 21l-8-4.5v-9zM4 7.5l8 4.5 8-4.5M12 12v9",
  plugin: "M9 4v4H5v5h2a2 2 0 0 1 0 4H5v3h5v-2a2 2 0 0 1 4 0v2h5v-7h-2a2 2 0 0 1 0-4h2V8h-5V4z",
  key: "M14 10a4 4 0 1 0-3.5 4L13 16h3v3h4v-4l-6-5z",
  room: "M4 5h16v11H9l-5 4z",
  people: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM3 20c0-4 2.5-6 6-6s6 2 6 6M16 4.5a3.5 3.5 0 0 1 0 6.5M18 14.5c2 .8 3 2.7 3 5.5",
  list: "M9 6h11M9 12h11M9 18h11M4.5 6h.01M4.5 12h.01M4.5 18h.01",
  path: "M6 5a2 2 0 1 1 0 4 2 2 0 0 1 0-4zM18 15a2 2 0 1 1 0 4 2 2 0 0 1 0-4zM8 7h7a3.5 3.5 0 0 1 0 7H9a3.5 3.5 0 0 0 0 3h7",
  box: "M4 8h16v11H4zM3 5h18v3H3zM10 12h4",
  gear: "M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM4 12h2M18 12h2M12 4v2M12 18v2M6.5 6.5 8 8M16 16l1.5 1.5M17.5 6.5 16 8M8 16l-1.5 1.5",
  away: "M10 5H5v14h5M14 8l4 4-4 4M18 12H9",
  warn: "M12 4 3 19h18zM12 10v4M12 16.5v.01",
  wand: "M5 19 15 9M14 4v3M12.5 5.5h3M19 9v3M17.5 10.5h3M18 3v2M17 4h2",
  thread: "M4 5h12v9H9l-5 3zM16 9h4v11l-4-3h-5v-3",
  back: "m14 6-6 6 6 6M8 12h12",
  globe: "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zM3.5 9h17M3.5 15h17M12 3c-5 5-5 13 0 18M12 3c5 5 5 13 0 18",
  plus: "M12 5v14M5 12h14",
  edit: "M4 20h4L19 9l-4-4L4 16zM13 7l4 4",
};

export default {
  props: { name: String },
  template: `<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path :d="path" /></svg>`,
  computed: {
    path() {
      return paths[this.name];
    },
  },
};
