import { isInUserNamespace } from "../../host/namespaces";

/**
 * Where an overlay keeps its marks about removed and replaced folders, as a mount option with a comma before it: root of a
 * user namespace may not write those that the host's root writes. Nothing for the host's.
 */
export const overlayMarks = async (): Promise<string> => ((await isInUserNamespace()) ? ",userxattr" : "");
