/** Lets google-protobuf encode and decode strings by Node.js. Returns the library. */
export function quickenStrings<Library extends typeof import("google-protobuf")>(library: Library): Library;
