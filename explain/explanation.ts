/** What can be explained, in the order in which it is listed. */
export const kinds = {
  role: "what a machine is for",
  node: "a machine of this stack",
  unit: "a unit of systemd that machines run",
  file: "a file that groundplane writes on a machine; NODE:PATH shows the one of a certain node",
  flow: "what may pass, or may not, and by which port",
  fault: "what `verify` breaks, and what was measured",
  check: "what `status` asks",
  key: "a key of the configuration; the other pools have those of pools.workers as well",
  command: "a command of groundplane",
} as const;

export type Kind = keyof typeof kinds;

export const kindNames = Object.keys(kinds) as readonly Kind[];

export const isKind = (text: string): text is Kind => Object.hasOwn(kinds, text);

/** A part of an explanation. Each of its fields is shown in this order. */
export interface Section {
  readonly title: string;
  readonly text?: string;
  readonly rows?: readonly (readonly [name: string, text: string])[];
  /** Command lines, as a user types them. */
  readonly commands?: readonly string[];
  /** A file as it is rendered, in parts with a note before each. */
  readonly parts?: readonly { readonly note?: string; readonly lines: readonly string[] }[];
}

export interface Explanation {
  readonly kind: Kind;
  readonly name: string;
  /** What it is, in one sentence or phrase. */
  readonly is: string;
  readonly why?: string;
  readonly sections: readonly Section[];
}

/** A command of groundplane, as it describes itself. */
export interface ExplainedCommand {
  /** e.g. `image build` */
  readonly name: string;
  readonly description: string;
  /** e.g. `[options] <node> [command...]` */
  readonly usage: string;
  readonly options: readonly (readonly [flags: string, description: string])[];
}

/** Sections with content only. */
export const filled = (sections: readonly (Section | undefined)[]): readonly Section[] =>
  sections.filter(
    (section): section is Section =>
      section !== undefined &&
      (section.text !== undefined || [section.rows, section.commands, section.parts].some((each) => each?.length)),
  );
