import type * as pulumi from "@pulumi/pulumi";

/** `T` in which every part, at any depth, may be an output. */
export type DeepInput<T> = pulumi.Input<
  T extends readonly (infer Element)[]
    ? readonly DeepInput<Element>[]
    : T extends object
      ? { readonly [Key in keyof T]: DeepInput<T[Key]> }
      : T
>;

/** Arguments of a resource: a plain object whose fields may be outputs. */
export type ResourceArgs<T> = { readonly [Key in keyof T]: DeepInput<T[Key]> };
