/** What every drawing needs that is a file: colours, and elements as text. */

/** Those of the page, see `view/page/colours.css`; a test compares them. */
export const themes = {
  light: {
    ...{ page: "#f4f6f8", panel: "#ffffff", line: "#c9d1d9", text: "#1a2129", quiet: "#55606c" },
    ...{ accent: "#1d5fc4", "accent-text": "#ffffff", good: "#1f7a4a", bad: "#b3232f" },
  },
  dark: {
    ...{ page: "#11161c", panel: "#1a2129", line: "#3a4653", text: "#e7ecf1", quiet: "#a5b1bd" },
    ...{ accent: "#7fb0ff", "accent-text": "#0b1420", good: "#63c98f", bad: "#ff8a8f" },
  },
} as const;

export type Theme = keyof typeof themes;

type Values = Readonly<Record<string, string | number>>;

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

export function element(name: string, values: Values, ...inside: readonly string[]): string {
  const written = Object.entries(values).map(([key, value]) => ` ${key}="${escaped(String(value))}"`);
  const start = `<${name}${written.join("")}`;
  return inside.length === 0 ? `${start}/>` : `${start}>${inside.join("")}</${name}>`;
}

export const words = (x: number, y: number, text: string, values: Values = {}): string =>
  element("text", { x, y, ...values }, escaped(text));

interface Drawing {
  readonly width: number;
  readonly height: number;
  /** For those who do not see it. */
  readonly title: string;
  readonly theme: Theme;
}

/** One file, without references to others. */
export function drawing({ width, height, title, theme }: Drawing, elements: readonly string[]): string {
  const { page, text } = themes[theme];
  const head = `xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`;
  return [
    `<svg ${head} role="img" font-family="system-ui, sans-serif" font-size="12" fill="${text}">`,
    element("title", {}, escaped(title)),
    element("rect", { width, height, rx: 12, fill: page }),
    ...elements,
    "</svg>",
    "",
  ].join("\n");
}
