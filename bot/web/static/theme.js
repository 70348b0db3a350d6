// Light or dark before anything is painted: what the person chose, else what the system says.
(() => {
  const root = document.documentElement;
  const apply = (theme) => {
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    else delete root.dataset.theme;
  };
  apply(localStorage.getItem("hobnob-theme"));
  window.hobnobTheme = {
    get: () => root.dataset.theme || "system",
    next() {
      const dark = matchMedia("(prefers-color-scheme: dark)").matches;
      const order = dark ? ["system", "light", "dark"] : ["system", "dark", "light"];
      const theme = order[(order.indexOf(this.get()) + 1) % 3];
      localStorage.setItem("hobnob-theme", theme);
      apply(theme);
      return theme;
    },
  };
})();
