import type { FileChange } from "./review";

/** A planned operation, as far as a review reads it. */
export interface PreviewStep {
  readonly op: string;
  readonly urn: string;
  readonly oldState?: { readonly inputs?: Inputs };
  readonly newState?: { readonly inputs?: Inputs };
  readonly diffReasons?: readonly string[] | null;
  readonly replaceReasons?: readonly string[] | null;
}

export type Inputs = Readonly<Record<string, unknown>>;

interface File {
  readonly path: string;
  readonly mode: string;
  readonly content: string;
  readonly reload: string;
}

const filesOf = (inputs: Inputs | undefined): readonly File[] =>
  Array.isArray(inputs?.files) ? (inputs.files as readonly File[]) : [];

/** The files of a node that a planned operation changes. */
export function changedFiles(step: PreviewStep | undefined): readonly FileChange[] {
  if (step === undefined || step.op === "delete") return [];
  const before = new Map(filesOf(step.oldState?.inputs).map((file) => [file.path, file]));
  return filesOf(step.newState?.inputs)
    .filter(({ path, content, mode }) => before.get(path)?.content !== content || before.get(path)?.mode !== mode)
    .map(({ path, content, reload }) => {
      const old = before.get(path);
      return { path, before: old?.mode === "missing" ? undefined : old?.content, after: content, reload };
    });
}
