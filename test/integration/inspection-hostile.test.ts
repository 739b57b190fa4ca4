import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { startTcp } from './egress-rig.ts';
import { type InspectRig, startInspectRig } from './inspect-rig.ts';

let rig: InspectRig;
let mute: Awaited<ReturnType<typeof startTcp>>;
let open = 0;
let ever = 0;

/** A server that takes connections and says nothing. */
beforeAll(async () => {
  rig = await startInspectRig(temporaryDirectory(), { allowed: ['GET /'] }, { dialMs: 60_000 });
  mute = await startTcp((socket) => {
    open++;
    ever++;
    socket.resume().once('end', () => socket.end());
    socket.once('close', () => open--);
  });
});
afterAll(async () => {
  await rig?.close();
  await mute?.close();
});

describe('a server that never finishes its side of TLS', () => {
  it.each([1, 20])('is left as soon as the client leaves (%d requests)', async (count) => {
    const before = ever;
    const host = `a.test:${mute.port}`;
    const client = await rig.open(host);
    client.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`.repeat(count));
    await expect.poll(() => ever).toBeGreaterThan(before);
    client.destroy();
    await expect.poll(() => open).toBe(0);
    await expect.poll(() => rig.events.at(-1)?.kind).toBe('closed');
  });
});
