/** A folder with less room holds no temporary file of use. */
export const LEAST_BYTES: number;
export const harmful: readonly { readonly names: RegExp; readonly why: string }[];
export function prepareEnvironment(environment?: NodeJS.ProcessEnv, platform?: string): NodeJS.ProcessEnv;
export function safeUmask(mask: number): number;
