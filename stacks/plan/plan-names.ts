import { createHash } from "node:crypto";
import { v5 as uuidV5 } from "uuid";
import type { Role } from "../../model/roles";
import { address } from "../config/ipv4";

/** Fixed forever: every identity of every stack follows from it. */
const groundplaneNamespace = "6c1f4f3e-5d0b-5e0a-9d57-0b6f2c7a41d8";

export const domainOf = (stack: string): string => `${stack}.internal`;

/** There is one gateway, so it carries no number. */
export const nodeName = (role: Role, index: number): string => (role === "gateway" ? role : `${role}-${index}`);

/** Two stacks on one host never share an identity; the same stack always gets the same again. */
export const nodeUuid = (stack: string, node: string): string => uuidV5(`${stack}/${node}`, groundplaneNamespace);

export const diskName = (node: string, disk: string): string => `${node}-${disk}`;
export const diskUuid = (stack: string, name: string): string => uuidV5(`${stack}/disks/${name}`, groundplaneNamespace);

/** What a storage machine is to the others, whatever becomes of its system disk. */
export const peerId = (stack: string, node: string): string => uuidV5(`${stack}/gluster/${node}`, groundplaneNamespace);

/**
 * Locally administered (0x52), one byte of the stack, four of the address: unique within a stack by construction,
 * because its addresses are, and readable when a packet capture is all there is.
 */
export function macOf(stack: string, ip: string): string {
  const value = address(ip);
  const stackByte = createHash("sha256").update(stack).digest().readUInt8(0);
  const bytes = [0x52, stackByte, value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}
