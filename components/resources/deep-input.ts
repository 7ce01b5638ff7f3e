import type * as pulumi from "@pulumi/pulumi";

/** `T` in which every part, at any depth, may be an output that is known only later. */
export type DeepInput<T> = pulumi.Input<
  T extends readonly (infer Element)[]
    ? readonly DeepInput<Element>[]
    : T extends object
      ? { readonly [Key in keyof T]: DeepInput<T[Key]> }
      : T
>;

/** Arguments of a resource: the object itself is at hand, each of its fields may be an output. */
export type ResourceArgs<T> = { readonly [Key in keyof T]: DeepInput<T[Key]> };
