import type { ImageRecipe } from "../recipes/recipe";
import type { Progress } from "../store/progress";

/** What is built as root of a user namespace, as plain data: it is done by a process of its own. */
export type BuildTask =
  | { readonly kind: "images"; readonly recipes: readonly ImageRecipe[]; readonly verify?: boolean }
  | { readonly kind: "bundle"; readonly recipes: readonly ImageRecipe[]; readonly file: string };

/** Lines of JSON that the process says; the last one is no progress. */
export type BuildMessage =
  | { readonly progress: Progress }
  | { readonly result: unknown }
  | { readonly failure: { readonly id: string; readonly problem: string; readonly hint: string } };
