import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AuditRecord } from '../../src/core/audit/record.ts';
import { denials, inside } from '../support/run-inside.ts';
import { useSandbox } from '../support/sandbox.ts';

const POLICY = `version: 1
name: odd
extends: [default]
policies:
  - action: file_read
    rules: [{ path: "./odd/*", effect: deny }]
`;

/** Names of files that pretend to be something else, as bytes. */
const NAMES: Readonly<Record<string, Buffer>> = {
  'a record of its own': Buffer.from('","verdict":"allow"\n{'),
  'a line of its own': Buffer.from('x\n{"action":"note","v":1}\r'),
  'text from right to left': Buffer.from('\u202Egnp.exe'),
  'sequences of a terminal': Buffer.from('\u001b[2J\u001b]0;owned\u0007\u009b31m'),
  'line separators': Buffer.from('a\u2028b\u2029c\u0085d'),
  'bytes that are no UTF-8': Buffer.from([0x66, 0xff, 0xfe, 0x80, 0xc3, 0x28]),
  'half a surrogate': Buffer.from([0xed, 0xa0, 0x80, 0x78]),
  backslashes: Buffer.from('\\xff\\n\\'),
  'the longest name': Buffer.alloc(255, 'n'),
};

/** A path of 4095 bytes, the longest that a call may name, of components that are no UTF-8. */
const SCRIPT = `import os, sys
root = os.fsencode(sys.argv[1])
def tried(path):
    try: os.close(os.open(path, os.O_RDONLY)); return 'opened'
    except OSError as error: return str(error.errno)
for name in sorted(os.listdir(root + b'/odd')): print(tried(root + b'/odd/' + name))
os.chdir(root + b'/elsewhere\\n\\xff')
print(tried(b'../odd/' + b'n' * 255))
print(tried((root + b'/odd/' + b'\\xff/' * 4096)[:4095]))
pid = os.fork()
if pid == 0:
    try: os.execv(root + b'/odd-programs/\\x1b[2J\\xff\\n', [b'\\x1b[2J\\n', b'","verdict":"allow', b'\\xff'])
    except OSError as error: os._exit(error.errno)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

describe('names that are made to deceive', () => {
  const sandbox = useSandbox();
  let receipts: AuditRecord[] = [];
  let stdout = '';

  beforeAll(async () => {
    const place = (...parts: Buffer[]) => Buffer.concat([Buffer.from(`${sandbox.project}/`), ...parts]);
    for (const name of ['odd', 'odd-programs']) mkdirSync(join(sandbox.project, name));
    mkdirSync(place(Buffer.from('elsewhere\n'), Buffer.from([0xff])));
    for (const name of Object.values(NAMES)) writeFileSync(place(Buffer.from('odd/'), name), 'x');
    const program = place(Buffer.from('odd-programs/\u001b[2J'), Buffer.from([0xff, 0x0a]));
    writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 });
    const outcome = await inside(sandbox, ['python3', '-c', SCRIPT, sandbox.project], { policy: POLICY });
    expect(outcome.status, outcome.stderr).toBe(0);
    ({ stdout, receipts } = outcome);
  });

  it('are refused as others are', () => {
    const lines = stdout.trim().split('\n');
    expect(lines.slice(0, Object.keys(NAMES).length + 1)).toEqual(Array(Object.keys(NAMES).length + 1).fill('13'));
    expect(lines.at(-1)).toBe('0'); // the program ran
  });

  it.each(Object.keys(NAMES))('%s: one receipt, which has its bytes', (what) => {
    const wanted = Buffer.concat([Buffer.from(`${sandbox.project}/odd/`), NAMES[what]!]);
    const found = denials(receipts).filter(({ target = '', targetBytes }) =>
      (targetBytes ? Buffer.from(targetBytes, 'base64') : Buffer.from(target)).equals(wanted),
    );
    expect(found.length).toBeGreaterThan(0);
    for (const { verdict, action } of found)
      expect({ verdict, action }).toEqual({ verdict: 'deny', action: 'file_read' });
  });

  it('a command and a program are told in full', () => {
    const ran = receipts.find(({ action, target }) => action === 'shell_exec' && target?.includes('/odd-programs/'));
    expect(Buffer.from(ran?.targetBytes ?? '', 'base64').toString('latin1')).toContain('/odd-programs/\u001b[2J\xff\n');
    expect(Buffer.from(ran?.commandBytes ?? '', 'base64').toString('latin1')).toContain(`'","verdict":"allow' \xff`);
  });

  it('make no entry of their own, and nothing that a terminal would obey', async () => {
    const verified = await sandbox.gatekeeper(['audit', 'verify']);
    expect(verified.status, verified.stdout + verified.stderr).toBe(0);
    const shown = [await sandbox.gatekeeper(['audit', 'tail', '-n', '1000'])];
    const some = receipts.filter(({ target }) => /odd-programs|owned|verdict/.test(target ?? ''));
    for (const { seq } of some.slice(0, 3)) shown.push(await sandbox.gatekeeper(['audit', 'show', String(seq)]));
    for (const { status, stdout: text } of shown) {
      expect(status).toBe(0);
      expect(text).not.toMatch(NOT_FOR_TERMINALS);
      expect(text).not.toMatch(/^\s*\{"action"/m);
    }
    expect(shown[0]?.stdout.split('\n').filter((line) => line.includes('verdict":"allow'))).not.toEqual([]);
  });
});

/** Anything but text and line ends. */
const NOT_FOR_TERMINALS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u2028\u2029\ufffd]/;
