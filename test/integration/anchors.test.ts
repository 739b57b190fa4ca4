import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { requestControl } from '../../src/adapters/control-client/request.ts';
import { parseCheckpoint } from '../../src/core/audit/checkpoint.ts';
import { API, type DaemonStatus } from '../../src/core/contract/control-api.ts';
import { openSandbox, type Sandbox } from '../support/sandbox.ts';
import { Witness } from '../support/servers/witness.ts';

/** Whatever is kept from runs under it is kept by protection alone. */
const ALL_OF_IT = `version: 1
name: all
policies:
  - { action: [file_read, file_write, file_delete], defaultEffect: allow }
  - { action: shell_exec, defaultEffect: allow }
`;
/** One daemon with a holder of each kind that can be had everywhere. */
let sandbox: Sandbox;
let witness: Witness;
const at = (name: string) => join(sandbox.root, name);
const status = () => requestControl<DaemonStatus>(sandbox.layout, API.status);
const json = async (...args: string[]) => JSON.parse((await sandbox.gatekeeper([...args, '--json'])).stdout);
const originOf = (note: string) => parseCheckpoint(note)!.origin;
const checkpoint = () => readFileSync(`${sandbox.layout.audit}/checkpoint`, 'utf8');

beforeAll(async () => {
  sandbox = openSandbox();
  witness = await new Witness().listen();
  mkdirSync(sandbox.layout.config, { recursive: true, mode: 0o700 });
  mkdirSync(at('other'), { mode: 0o700 });
  writeFileSync(
    sandbox.layout.auditSettings,
    `version: 1
anchors:
  journal: off
  files: ["${at('other')}/anchor", "${at('late')}/anchor"]
  commands: [{ put: [/bin/sh, -c, 'cat >>"$0"', "${at('kept')}"], get: [/bin/cat, "${at('kept')}"] }]
  witnesses: [{ url: "${witness.url}", key: "${witness.key}" }]
`,
  );
  expect((await sandbox.gatekeeper(['daemon', 'start'])).status).toBe(0);
  const key = Buffer.from(readFileSync(`${sandbox.layout.keys}/ed25519.pub`, 'utf8').split('\n')[0]!, 'base64');
  witness.trust(originOf(checkpoint()), key);
}, 60_000);
afterAll(async () => {
  await sandbox?.close();
  witness?.close();
});

describe('checkpoints', () => {
  it('are with everybody who holds them, who all agree with the log', async () => {
    const wanted = ['audit.anchor', 'other/anchor', 'command', 'witness'];
    await vi.waitFor(
      async () => {
        const states = (await json('audit', 'anchors')) as { holder: string; agreement: string; size?: number }[];
        for (const part of wanted) {
          expect(states.find(({ holder }) => holder.includes(part))).toMatchObject({ agreement: 'agrees' });
        }
      },
      { timeout: 20_000, interval: 100 },
    );
    expect(readFileSync(at('kept'), 'utf8')).toContain(originOf(checkpoint()));
    expect(witness.sizeOf(originOf(checkpoint()))).toBeGreaterThan(1);
  });

  it('that somebody does not take are told of: in the log, by the daemon and by the doctor', async () => {
    const failing = {
      holder: `file ${at('late')}/anchor`,
      failure: expect.stringContaining('no such file or directory'),
    };
    expect((await status()).anchorErrors).toContainEqual(failing);
    const said = await sandbox.gatekeeper(['daemon', 'status']);
    expect(said.stdout).toContain(`${at('late')}/anchor takes no checkpoints: no such file or directory`);
    const listed = await sandbox.gatekeeper(['audit', 'anchors']);
    expect(listed.status).toBe(1);
    expect(listed.stdout).toMatch(
      /late\/anchor +- +- +has given nothing back; it takes no checkpoints: no such file or directory/,
    );
    const examined = (await json('doctor', '--static')) as { checks: { name: string; ok: boolean; detail: string }[] };
    const found = examined.checks.find(({ name }) => name === 'checkpoints elsewhere');
    expect(found).toMatchObject({ ok: false, detail: expect.stringContaining('late') });
    mkdirSync(at('late'), { mode: 0o700 });
    await vi.waitFor(() => {
      const log = readFileSync(`${sandbox.layout.audit}/000001.jsonl`, 'utf8');
      expect(log.match(/"kind":"anchor"[^\n]*late[^\n]*takes no checkpoints/g)).toHaveLength(1);
    }, 20_000);
  });

  it('are kept from runs, wherever they are', async () => {
    const [elsewhere, kept] = [`${at('other')}/anchor`, at('kept')];
    for (const name of ['more', 'plain']) writeFileSync(`${at('other')}/${name}`, 'of no concern\n');
    const attempts = [
      `cat '${at('other')}/plain'`,
      `cat '${elsewhere}'`,
      `cat '${sandbox.layout.anchorFile}'`,
      `cat '${sandbox.layout.pinFile}'`,
      `echo forged >>'${elsewhere}'`,
      `echo forged >>'${kept}'`,
      `rm -f '${elsewhere}'`,
      `mv '${at('other')}/more' '${elsewhere}'`,
      `mv '${at('other')}' '${at('other')}-gone'`,
    ];
    const script = attempts.map((attempt) => `( ${attempt} ) >/dev/null 2>&1 && echo yes || echo no`).join('\n');
    writeFileSync(join(sandbox.project, 'policy.yaml'), ALL_OF_IT);
    const run = ['run', '--policy', join(sandbox.project, 'policy.yaml'), '--', 'sh', '-c', script];
    const { stdout, stderr } = await sandbox.gatekeeper(run);
    expect([stdout.split('\n').slice(0, -1), stderr]).toEqual([['yes', ...attempts.slice(1).map(() => 'no')], stderr]);
    expect(readFileSync(elsewhere, 'utf8') + readFileSync(kept, 'utf8')).not.toContain('forged');
  });

  it('of a key that is changed go on, and both verify', async () => {
    const before = (await status()).publicKeyFingerprint;
    const changed = await sandbox.gatekeeper(['audit', 'rotate-key']);
    expect([changed.stderr, changed.status]).toEqual(['', 0]);
    const { publicKeyFingerprint } = await status();
    expect(publicKeyFingerprint).not.toBe(before);
    expect(changed.stdout).toContain(publicKeyFingerprint);
    expect(readdirSync(sandbox.layout.keys).sort()).toEqual([
      expect.stringMatching(/^ed25519-[0-9a-f]{16}\.pub$/),
      'ed25519.key',
      'ed25519.pub',
    ]);
    const pins = readFileSync(sandbox.layout.pinFile, 'utf8').match(/^SHA256:.*$/gm);
    expect(pins).toEqual([before, publicKeyFingerprint]);
    const verified = await sandbox.gatekeeper(['audit', 'verify']);
    expect([verified.stdout, verified.status]).toEqual([expect.stringContaining(publicKeyFingerprint), 0]);
    expect((await sandbox.gatekeeper(['audit', 'verify', '--fingerprint', before])).status).toBe(0);
  });

  it('are cosigned again when the witness was told the new key', async () => {
    const key = Buffer.from(readFileSync(`${sandbox.layout.keys}/ed25519.pub`, 'utf8').split('\n')[0]!, 'base64');
    expect((await sandbox.gatekeeper(['audit', 'anchors', '--ask'])).stdout).toContain('it answers 403');
    witness.trust(originOf(checkpoint()), key);
    const asked = (await json('audit', 'anchors', '--ask')) as { holder: string; agreement: string; size?: number }[];
    expect(asked.find(({ holder }) => holder.startsWith('witness'))).toMatchObject({ agreement: 'agrees' });
  });
});

describe('the daemon', () => {
  it('gives the last checkpoint to those who failed before, too, when it stops', async () => {
    await sandbox.gatekeeper(['daemon', 'stop']);
    expect(readFileSync(`${at('late')}/anchor`, 'utf8')).toContain(originOf(checkpoint()));
  });
});

describe('the daemon does not start', () => {
  const start = () => sandbox.gatekeeper(['daemon', 'start']);

  it('with settings that are broken, and says where', async () => {
    const good = readFileSync(sandbox.layout.auditSettings, 'utf8');
    appendFileSync(sandbox.layout.auditSettings, 'keep: { age: soon }\n');
    const { status: exit, stderr } = await start();
    expect(exit).not.toBe(0);
    const log = `${stderr}${readFileSync(sandbox.layout.daemonLog, 'utf8')}`;
    expect(log).toContain(`${sandbox.layout.auditSettings}:${good.split('\n').length}:14`);
    writeFileSync(sandbox.layout.auditSettings, good);
  });

  it('with another key than the pinned one', async () => {
    const names = ['ed25519.key', 'ed25519.pub'].map((name) => `${sandbox.layout.keys}/${name}`);
    const kept = names.map((name) => readFileSync(name));
    for (const name of names) rmSync(name);
    expect((await start()).status).not.toBe(0);
    expect(readFileSync(sandbox.layout.daemonLog, 'utf8')).toContain('the signing key is gone');
    for (const [index, name] of names.entries()) writeFileSync(name, kept[index]!, { mode: 0o600 });
    expect((await start()).status).toBe(0);
  });
});
