import assert from "node:assert/strict";
import { test } from "node:test";
import { LearningSwitch } from "../../../../hypervisors/qemu/switch/learning-switch";

const BROADCAST = "ff:ff:ff:ff:ff:ff";
const address = (digit: number): string => `52:54:00:00:00:0${digit}`;

/** A frame after its length. `text` is its payload. */
function frame(to: string, from: string, text = "hello"): Buffer {
  const bytes = [...to.split(":"), ...from.split(":")].map((part) => Number.parseInt(part, 16));
  const content = Buffer.concat([Buffer.from(bytes), Buffer.from([0x08, 0x00]), Buffer.from(text)]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return Buffer.concat([length, content]);
}

/** A switch with ports that record their frames. */
function bench(ports: number) {
  const hub = new LearningSwitch();
  const made = Array.from({ length: ports }, () => {
    const sent: Buffer[] = [];
    return { sent, send: (framed: Buffer) => void sent.push(framed) };
  });
  for (const port of made) hub.join(port);
  const take = () => made.map(({ sent }) => Buffer.concat(sent.splice(0)).length);
  return { hub, ports: made, take };
}

test("frames to an unknown or a group address go to all other ports", () => {
  const { hub, ports, take } = bench(3);
  const unknown = frame(address(2), address(1));
  hub.forward(ports[0] as (typeof ports)[0], [unknown]);
  assert.deepEqual(take(), [0, unknown.length, unknown.length]);
  const group = frame(BROADCAST, address(2));
  hub.forward(ports[1] as (typeof ports)[0], [group]);
  assert.deepEqual(take(), [group.length, 0, group.length]);
});

test("an address is learnt from its frames, also after it has moved to another port", () => {
  const { hub, ports, take } = bench(3);
  const [one, two, three] = ports as [(typeof ports)[0], (typeof ports)[0], (typeof ports)[0]];
  hub.forward(two, [frame(BROADCAST, address(2))]);
  take();
  const wanted = frame(address(2), address(1));
  hub.forward(one, [wanted]);
  assert.deepEqual(take(), [0, wanted.length, 0]);
  hub.forward(three, [frame(BROADCAST, address(2))]);
  take();
  hub.forward(one, [wanted]);
  assert.deepEqual(take(), [0, 0, wanted.length]);
});

test("the addresses of a removed port are forgotten", () => {
  const { hub, ports, take } = bench(3);
  const [one, two] = ports as [(typeof ports)[0], (typeof ports)[0]];
  hub.forward(two, [frame(BROADCAST, address(2))]);
  hub.leave(two);
  take();
  const wanted = frame(address(2), address(1));
  hub.forward(one, [wanted]);
  assert.deepEqual(take(), [0, 0, wanted.length]);
});

test("frames that arrive together are forwarded in order, each to its own port", () => {
  const { hub, ports } = bench(3);
  const [one, two, three] = ports as [(typeof ports)[0], (typeof ports)[0], (typeof ports)[0]];
  hub.forward(two, [frame(BROADCAST, address(2))]);
  hub.forward(three, [frame(BROADCAST, address(3))]);
  for (const port of ports) port.sent.length = 0;
  const [first, second, third] = [
    frame(address(2), address(1), "first"),
    frame(address(3), address(1), "second"),
    frame(address(2), address(1), "third"),
  ];
  hub.forward(one, [first, second, third]);
  assert.deepEqual(Buffer.concat(two.sent), Buffer.concat([first, third]));
  assert.deepEqual(Buffer.concat(three.sent), second);
});

test("a frame to an address on its own port is dropped", () => {
  const { hub, ports, take } = bench(2);
  const [one] = ports as [(typeof ports)[0]];
  hub.forward(one, [frame(BROADCAST, address(2))]);
  take();
  hub.forward(one, [frame(address(2), address(1))]);
  assert.deepEqual(take(), [0, 0]);
});

test("a frame too short to have addresses is dropped, and a group address is never learnt", () => {
  const { hub, ports, take } = bench(2);
  const [one, two] = ports as [(typeof ports)[0], (typeof ports)[0]];
  hub.forward(one, [Buffer.from([0, 0, 0, 2, 1, 2])]);
  assert.deepEqual(take(), [0, 0]);
  hub.forward(two, [frame(address(1), "01:00:5e:00:00:01")]);
  take();
  const group = frame("01:00:5e:00:00:01", address(1));
  hub.forward(two, [group]);
  assert.deepEqual(take(), [group.length, 0]);
});
