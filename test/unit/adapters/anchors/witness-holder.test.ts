import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Holder } from '../../../../src/adapters/anchors/holder.ts';
import { witnessHolder } from '../../../../src/adapters/anchors/witness-holder.ts';
import type { AuditLog } from '../../../../src/adapters/audit-log/audit-log.ts';
import { readAuditSettings } from '../../../../src/adapters/audit-settings/read-settings.ts';
import { parseCheckpoint, sealCheckpoint } from '../../../../src/core/audit/checkpoint.ts';
import { denied } from '../../../support/audit-chain.ts';
import { auditLogFixture } from '../../../support/audit-log-fixture.ts';
import { Witness } from '../../../support/servers/witness.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const never = new AbortController().signal;
let witness: Witness;
let holder: Holder;
let fixture: ReturnType<typeof auditLogFixture>;
let log: AuditLog;
let keptIn: string;
const opened: { close: () => unknown }[] = [];

beforeEach(async () => {
  witness = await new Witness().listen();
  fixture = auditLogFixture();
  log = await fixture.open({ segmentBytes: 20_000 });
  keptIn = `${temporaryDirectory()}/witnesses`;
  holder = newHolder();
  await grow(3);
  witness.trust(checkpoint().origin, fixture.options.signer.publicKey);
  opened.push(witness, log);
});
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

const newHolder = (key = witness.key): Holder => {
  const made = witnessHolder({ url: witness.url, key, logDirectory: fixture.directory, keptIn });
  opened.push({ close: () => made.close?.() });
  return made;
};
const note = () => readFileSync(`${fixture.directory}/checkpoint`, 'utf8');
const checkpoint = () => parseCheckpoint(note())!;
async function grow(entries: number): Promise<void> {
  await Promise.all(Array.from({ length: entries }, (_, at) => log.append([denied(`/file/${at}`)])));
  await log.writeCheckpoint();
}

describe('a witness', () => {
  it('cosigns the first checkpoint, which is kept with its cosignature', async () => {
    await holder.put(note(), never);
    const [held] = await holder.read();
    expect(held!.note.startsWith(note())).toBe(true);
    expect(held!.note.slice(note().length)).toMatch(/^— witness\.example\/of-tests \S+\n$/);
    expect(Math.abs(Date.parse(held!.time!) - Date.now())).toBeLessThan(600_000);
    expect(parseCheckpoint(held!.note)!.signatures.length).toBe(2);
  });

  it('believes of each later one only what a proof shows, over every size and more than one file', async () => {
    for (let entries = 1; entries <= 25; entries++) {
      await holder.put(note(), never);
      await grow(entries % 7);
    }
    await holder.put(note(), never);
    expect(witness.sizeOf(checkpoint().origin)).toBe(checkpoint().size);
    expect(checkpoint().size).toBeGreaterThan(70);
    expect(readdirSync(fixture.directory).filter((name) => name.endsWith('.jsonl')).length).toBeGreaterThan(1);
    expect(witness.requests.slice(1).every(({ old, size, proof }) => old === size || proof > 0)).toBe(true);
  });

  it('is gone on with after a restart, and where it has seen something else than is kept', async () => {
    await holder.put(note(), never);
    await grow(30);
    const second = newHolder();
    await second.put(note(), never);
    expect(witness.requests.map(({ old }) => old)).toEqual([0, 4]);
    const known = readdirSync(keptIn).map((name) => `${keptIn}/${name}`)[0]!;
    const old = readFileSync(known, 'utf8');
    await grow(50);
    const seen = checkpoint().size;
    await second.put(note(), never);
    writeFileSync(known, old); // as if this machine had been put back, but not the log
    await grow(5);
    const third = newHolder();
    await third.put(note(), never);
    expect(witness.requests.slice(-2).map(({ old: from }) => from)).toEqual([34, seen]);
    expect(witness.sizeOf(checkpoint().origin)).toBe(checkpoint().size);
  });

  it('finds a log that was put back, and one that went on differently', async () => {
    await grow(3);
    const earlier = note();
    await grow(20);
    await holder.put(note(), never);
    await expect(newHolder().put(earlier, never)).rejects.toThrow(
      'it has seen 27 entries of this log, which has 7: an earlier state was put back',
    );
    // The same number of entries, others than those that the witness has seen.
    const { origin } = checkpoint();
    const { signer } = fixture.options;
    const forked = sealCheckpoint(
      { origin, size: 27, root: Buffer.alloc(32, 7).toString('base64') },
      signer.keyId(origin),
      signer.sign,
    );
    await expect(newHolder().put(forked, never)).rejects.toThrow('it was put back or forked');
    expect(witness.sizeOf(origin)).toBe(27);
  });

  it('that does not know the log or its key says so', async () => {
    const other = await new Witness().listen();
    opened.push(other);
    const unknown = () => witnessHolder({ url: other.url, key: other.key, logDirectory: fixture.directory, keptIn });
    await expect(unknown().put(note(), never)).rejects.toThrow('it answers 404: it does not know this log');
    other.trust(checkpoint().origin, new Uint8Array(32).fill(9));
    await expect(unknown().put(note(), never)).rejects.toThrow('it answers 403: it does not know the key');
  });

  it.each([
    ['of another key', () => cosignatureOf('another')],
    ['of something else', () => cosignatureOf('other text')],
    ['that is rubbish', () => 'rubbish\n'],
    ['that is missing', () => ''],
    ['that is too long', () => 'x'.repeat(100_000)],
  ])('is not believed with a cosignature %s', async (_name, body) => {
    const made = await body();
    witness.instead = () => ({ status: 200, body: made });
    await expect(holder.put(note(), never)).rejects.toThrow(/no cosignature by its key|longer than is read/);
    expect(await holder.read()).toEqual([]);
  });

  it('is not followed anywhere, nor asked again and again', async () => {
    witness.instead = () => ({ status: 409, type: 'text/x.tlog.size', body: '2\n' });
    await expect(holder.put(note(), never)).rejects.toThrow('put back or forked');
    witness.instead = () => ({ status: 302, body: '' });
    await expect(holder.put(note(), never)).rejects.toThrow('it answers 302');
  });

  it('is not waited for when its time is over', async () => {
    const stop = new AbortController();
    witness.instead = () => {
      stop.abort();
      return undefined;
    };
    await expect(holder.put(note(), stop.signal)).rejects.toThrow();
  });

  it('has what is kept of it checked when it is read', async () => {
    await holder.put(note(), never);
    const path = `${keptIn}/${readdirSync(keptIn)[0]}`;
    writeFileSync(path, readFileSync(path, 'utf8').replace(`\n${checkpoint().size}\n`, '\n9999\n'));
    await expect(holder.read()).rejects.toThrow('is not cosigned by its key');
  });

  it('is named in settings by a key whose identifier fits it', () => {
    const auditSettings = `${temporaryDirectory()}/audit.yaml`;
    const write = (key: string) =>
      writeFileSync(auditSettings, `version: 1\nanchors: { witnesses: [{ url: "${witness.url}", key: "${key}" }] }\n`);
    write(witness.key);
    expect(readAuditSettings({ auditSettings }).anchors.witnesses).toEqual([{ url: witness.url, key: witness.key }]);
    write(witness.key.replace('of-tests', 'of-others'));
    expect(() => readAuditSettings({ auditSettings })).toThrow('not the key of a witness');
  });
});

/** What a witness would answer, but one that says something else or is somebody else. */
async function cosignatureOf(what: 'another' | 'other text'): Promise<string> {
  if (what === 'another') {
    const other = await new Witness().listen();
    opened.push(other);
    other.trust(checkpoint().origin, fixture.options.signer.publicKey);
    return (await fetch(`${other.url}/add-checkpoint`, { method: 'POST', body: `old 0\n\n${note()}` })).text();
  }
  const first = await fetch(`${witness.url}/add-checkpoint`, { method: 'POST', body: `old 0\n\n${note()}` });
  const text = await first.text();
  await grow(2);
  return text;
}
