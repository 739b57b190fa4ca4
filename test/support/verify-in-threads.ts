import { readFileSync, writeFileSync } from 'node:fs';
import type * as Ahead from '../../src/adapters/audit-log/verify-ahead.ts';
import type * as Verifying from '../../src/adapters/audit-log/verify-log.ts';
import { verifyKey } from '../../src/adapters/keys/public-key.ts';
import { makeLog } from '../bench/verify.ts';

/** Verifies a log of several files by what was built, with threads and without, sound and changed; prints what both come to. */
const directory = process.argv[2]!;
const key = await makeLog(directory, 2500, 20, 300_000);
const built = (name: string) => import(new URL(`../../dist/adapters/audit-log/${name}.js`, import.meta.url).href);
const { verifyLog } = (await built('verify-log')) as typeof Verifying;
const { VerifyAhead } = (await built('verify-ahead')) as typeof Ahead;
const both = async () => [
  await verifyLog(directory, verifyKey(key), { threads: 2 }),
  await verifyLog(directory, verifyKey(key), { threads: 0 }),
];

const sound = await both();
const files = Array.from({ length: sound[0]!.files }, (_, at) => at + 1);
const ahead = new VerifyAhead({ directory, watched: [] }, files, 2, () => {});
let taken = 0;
for (const file of files) if ((await ahead.take(file)) !== undefined) taken += 1;
await ahead.close();

const path = `${directory}/000003.jsonl`;
const lines = readFileSync(path, 'utf8').split('\n');
writeFileSync(path, lines.with(100, lines[100]!.replace('"pid":4711', '"pid":4712')).join('\n'));
const bad = await both();
process.stdout.write(JSON.stringify({ sound, bad, taken }));
