/** IPv4 arithmetic on unsigned 32-bit numbers; text in, text out at the edges. Strict: `010.0.0.1` and `10.1` are no addresses. */

export interface Cidr {
  readonly network: number;
  readonly prefixLength: number;
}

const octet = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const addressPattern = new RegExp(`^${octet}(?:\\.${octet}){3}$`);

/** The address as a number, undefined when the text is not four plain decimal bytes. */
export function parseAddress(text: string): number | undefined {
  if (!addressPattern.test(text)) return undefined;
  return text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** The range as written; `network` may still have bits set below the prefix, see `isAligned`. */
export function parseCidr(text: string): Cidr | undefined {
  const [address, prefix, ...rest] = text.split("/");
  if (address === undefined || prefix === undefined || rest.length > 0 || !/^(?:[12]?\d|3[0-2])$/.test(prefix)) {
    return undefined;
  }
  const network = parseAddress(address);
  return network === undefined ? undefined : { network, prefixLength: Number(prefix) };
}

/** For text that has been checked before; anything else is a defect of the caller. */
export function address(text: string): number {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new RangeError(`not an IPv4 address: ${text}`);
  return parsed;
}

/** For text that has been checked before; anything else is a defect of the caller. */
export function cidr(text: string): Cidr {
  const parsed = parseCidr(text);
  if (parsed === undefined) throw new RangeError(`not an IPv4 range: ${text}`);
  return parsed;
}

export function formatAddress(value: number): string {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join(".");
}

export const formatCidr = (range: Cidr): string => `${formatAddress(range.network)}/${range.prefixLength}`;

export const sizeOf = (range: Cidr): number => 2 ** (32 - range.prefixLength);
export const lastOf = (range: Cidr): number => range.network + sizeOf(range) - 1;
export const isAligned = (range: Cidr): boolean => range.network % sizeOf(range) === 0;

/** The same range with the bits below its prefix cleared. */
export const aligned = (range: Cidr): Cidr => ({ ...range, network: range.network - (range.network % sizeOf(range)) });

export const contains = (range: Cidr, value: number): boolean => value >= range.network && value <= lastOf(range);

export const overlaps = (one: Cidr, other: Cidr): boolean =>
  one.network <= lastOf(other) && other.network <= lastOf(one);

export const netmaskOf = (range: Cidr): string => formatAddress(2 ** 32 - sizeOf(range));
