export type StoredKind = "image" | "prepared-image" | "part" | "download" | "tool" | "plugin" | "snapshot";

/** Something in the data folder that can be built or fetched again, or that an interrupted command left. */
export interface StoredItem {
  readonly kind: StoredKind;
  readonly path: string;
  /** What uses it. If it is empty, the item can be removed. */
  readonly users: readonly string[];
  /** Why nothing uses it. */
  readonly reason: string;
}
