import { useState } from "preact/hooks";

const themes = ["auto", "light", "dark"] as const;
type Theme = (typeof themes)[number];

const KEY = "groundplane-theme";

const stored = (): Theme => themes.find((theme) => theme === localStorage.getItem(KEY)) ?? "auto";

export function applyTheme(theme: Theme = stored()): void {
  document.documentElement.dataset.theme = theme;
}

/** `auto` follows the system. */
export function ThemeSwitch() {
  const [theme, setTheme] = useState(stored());
  const choose = (event: Event): void => {
    const chosen = themes.find((each) => each === (event.currentTarget as HTMLSelectElement).value) ?? "auto";
    localStorage.setItem(KEY, chosen);
    applyTheme(chosen);
    setTheme(chosen);
  };
  return (
    <label class="theme">
      <span>Theme</span>
      <select value={theme} onChange={choose}>
        {themes.map((each) => (
          <option key={each} value={each}>
            {each}
          </option>
        ))}
      </select>
    </label>
  );
}
