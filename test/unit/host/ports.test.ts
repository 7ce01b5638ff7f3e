import assert from "node:assert/strict";
import { test } from "node:test";
import { parseListeners, parseLsof, parseNetstat } from "../../../host/ports";

test("the process that listens on a port of the loopback or of all addresses is found", () => {
  const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:192B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0
   1: 00000000:192B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4712 1 0
   2: 0200007F:192B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0
   3: 0100007F:192B 0100007F:D2F0 01 00000000:00000000 00:00000000 00000000     0        0 4714 1 0
`;
  assert.deepEqual(parseListeners(table, 6443), ["4711", "4712"]);
  assert.deepEqual(parseListeners(table, 22), []);
});

test("macOS: lsof names the process and the command", () => {
  assert.equal(parseLsof("p812\ncVBoxHeadless\nf21\n"), "VBoxHeadless (process 812)");
  assert.equal(parseLsof("p9\ng1\ncnode\nf3\n"), "node (process 9)");
  assert.equal(parseLsof(""), undefined);
});

test("Windows: netstat's output gives the process in any language", () => {
  const table =
    "\r\nAktive Verbindungen\r\n\r\n  Proto  Lokale Adresse         Remoteadresse          Status           PID\r\n" +
    "  TCP    127.0.0.1:16443        127.0.0.1:50123        HERGESTELLT      7\r\n" +
    "  TCP    127.0.0.1:6443         0.0.0.0:0              ABHÖREN         4711\r\n" +
    "  TCP    0.0.0.0:135            0.0.0.0:0              ABHÖREN         1084\r\n";
  assert.equal(parseNetstat(table, 6443), "4711");
  assert.equal(parseNetstat(table, 135), "1084");
  assert.equal(parseNetstat(table, 16443), undefined);
});
