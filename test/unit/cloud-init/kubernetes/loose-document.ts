/** A parsed document whose shape the assertions themselves check. */
// biome-ignore lint/suspicious/noExplicitAny: a wrong assumption about the shape fails the test, as it should
export type LooseDocument = Record<string, any>;
