import type { ConnectGuest } from "../../guests/guest";
import { formerUserKeysIn } from "../../model/former-keys";

/**
 * The SSH keys of stacks, present and former. A connection in the state may have a key that a rotation has replaced, and a node may
 * accept a former key until its files have changed. So each connection tries all keys of its stack, the present one first.
 */
export class UserKeys {
  private readonly rings = new Set<readonly string[]>();

  /** @param values the keys of a stack, as its state has them */
  note(values: Readonly<Record<string, string>>): void {
    const { "ssh-user-key": present } = values;
    const former = formerUserKeysIn(values);
    if (present !== undefined && former.length > 0) this.rings.add([present, ...former]);
  }

  completing(connect: ConnectGuest): ConnectGuest {
    return (connection, options) => {
      const known = [...this.rings].reverse().find((ring) => ring.includes(connection.privateKey));
      if (!known) return connect(connection, options);
      const [privateKey = connection.privateKey, ...formerKeys] = known;
      return connect({ ...connection, privateKey, formerKeys }, options);
    };
  }
}
