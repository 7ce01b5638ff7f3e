import type { Owner } from "./hypervisor";

export const isOwner = (a: Owner, b: Owner): boolean => a.stack === b.stack && a.urn === b.urn;
