import type { ConnectGuest } from "../../guests/guest";
import { followedHostKeys, noteFollowedHostKey } from "../../host/followed-host-keys";
import { deriveHostKey } from "../../model/derive-host-key";
import { hostSeedsIn, possibleHostKeys } from "../../model/former-keys";
import type { GuestConnection } from "../../model/resource-types";
import { isObject, type Properties, type PropertyValue } from "../rpc/property-values";
import type { ResourceHandler } from "../rpc/resource-handler";

/** A stack whose host keys were rotated. */
interface Ring {
  readonly stack: string;
  /** The present one, then the former ones, newest first. */
  readonly seeds: readonly string[];
}

const bastion = "gateway";
/** A preview has a text in place of a new seed, and connects with the present one. */
const isSeed = (text: string): boolean => /^[0-9a-f]{64}$/.test(text);

/**
 * The host keys of nodes, present and former. A connection in the state may have a key that a rotation has replaced, and a node has
 * its former key until its files have changed. So each connection accepts all keys of its node, until the node has ended the rotation.
 */
export class HostKeys {
  private rings: readonly Ring[] = [];
  /** By host key, as connections have it: they do not name their node. */
  private readonly nodes = new Map<string, string>();
  private readonly derived = new Map<string, string>();

  /** @param values the keys of a stack, as its state has them */
  note(values: Readonly<Record<string, string>>, stack: string): void {
    const seeds = hostSeedsIn(values);
    if (seeds.length > 1 && seeds.every(isSeed)) this.rings = [{ stack, seeds }, ...this.rings];
  }

  /** The nodes in the inputs of a resource, itself or its members. */
  noteNodes(inputs: Properties): void {
    this.noteNode(inputs.node, inputs.connection);
    for (const value of Object.values(inputs)) {
      if (!Array.isArray(value)) continue;
      for (const member of value) if (isObject(member)) this.noteNode(member.name, member.connection);
    }
  }

  private noteNode(node: PropertyValue | undefined, connection: PropertyValue | undefined): void {
    if (typeof node !== "string" || !isObject(connection)) return;
    if (typeof connection.hostKey === "string") this.nodes.set(connection.hostKey, node);
  }

  completing(connect: ConnectGuest): ConnectGuest {
    return async (connection, options) => {
      const ring = this.ringOf(connection.bastionHostKey);
      if (!ring) return connect(connection, options);
      const completed = await this.completed(connection, ring);
      const guest = await connect(completed, options);
      if (connection.hostKeyIsPresent) await noteFollowedHostKey(ring.stack, completed.hostKey);
      return guest;
    };
  }

  /**
   * Whether inputs ask for the present key of a node that this host has no record of: the data folder is another one, or
   * former disks came back. The node then has to present it again.
   */
  async isUnconfirmed({ connection }: Properties): Promise<boolean> {
    if (!isObject(connection) || connection.hostKeyIsPresent !== true) return false;
    const { bastionHostKey, hostKey } = connection;
    if (typeof bastionHostKey !== "string" || typeof hostKey !== "string") return false;
    const ring = this.ringOf(bastionHostKey);
    return ring !== undefined && !(await followedHostKeys(ring.stack)).includes(hostKey);
  }

  private ringOf(bastionHostKey: string): Ring | undefined {
    return this.rings.find(({ seeds }) => this.keysOf(bastion, seeds).includes(bastionHostKey));
  }

  private async completed(connection: GuestConnection, { stack, seeds }: Ring): Promise<GuestConnection> {
    const followed = await followedHostKeys(stack);
    const { bastionHostKey, hostKey, hostKeyIsPresent = false } = connection;
    const node = hostKey === bastionHostKey ? bastion : this.nodes.get(hostKey);
    const accepted = (name: string): readonly string[] => {
      const keys = possibleHostKeys(this.keysOf(name, seeds), followed);
      return hostKeyIsPresent && name === node ? keys.slice(0, 1) : keys;
    };
    const [presentBastionKey = bastionHostKey, ...formerBastionHostKeys] = accepted(bastion);
    const [presentKey = hostKey, ...formerHostKeys] = node === undefined ? [] : accepted(node);
    const present = { bastionHostKey: presentBastionKey, hostKey: presentKey };
    return { ...connection, ...present, formerBastionHostKeys, formerHostKeys };
  }

  private keysOf(node: string, seeds: readonly string[]): readonly string[] {
    return seeds.map((seed) => {
      const known = this.derived.get(`${seed} ${node}`);
      if (known !== undefined) return known;
      const { publicKey } = deriveHostKey(seed, node);
      this.derived.set(`${seed} ${node}`, publicKey);
      return publicKey;
    });
  }
}

/** Wraps a handler: notes the nodes of its resource before it connects to them, and updates a resource whose node this host has no record of. */
export function notingNodes(handler: ResourceHandler, hostKeys: HostKeys): ResourceHandler {
  const { read } = handler;
  return {
    ...handler,
    isOutdated: async (inputs) => (await handler.isOutdated?.(inputs)) === true || hostKeys.isUnconfirmed(inputs),
    check(news, context, olds) {
      for (const inputs of [olds ?? {}, news]) hostKeys.noteNodes(inputs);
      return handler.check(news, context, olds);
    },
    ...(read && {
      read(id, inputs, outputs, context) {
        hostKeys.noteNodes(inputs);
        return read.call(handler, id, inputs, outputs, context);
      },
    }),
    delete(id, olds, context) {
      hostKeys.noteNodes(olds.inputs);
      return handler.delete(id, olds, context);
    },
  };
}
