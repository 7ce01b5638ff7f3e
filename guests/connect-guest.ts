import { connectFakeGuest, isFakeGuest } from "./fake-guest";
import type { ConnectGuest } from "./guest";
import { connectSshGuest } from "./ssh-guest";

/** Guests of the fake driver are known by their gateway's port; everybody else is reached by SSH. */
export const connectAnyGuest: ConnectGuest = async (connection, options) =>
  (await isFakeGuest(connection)) ? connectFakeGuest(connection, options) : connectSshGuest(connection, options);
