import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { GATEKEEPER } from '../support/sandbox.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const server = `gk-policy-${process.pid}`;
const tmux = (...args: string[]): string => execFileSync('tmux', ['-L', server, ...args], { encoding: 'utf8' });
const home = temporaryDirectory();
const screen = (): string => tmux('capture-pane', '-p', '-t', 'asked');

beforeAll(() => {
  const command = `env GATEKEEPER_HOME=${home} ${process.execPath} ${GATEKEEPER} policy init; cat`;
  tmux('-f', '/dev/null', 'new-session', '-d', '-x', '120', '-y', '30', '-s', 'asked', command);
});
afterAll(() => void tmux('kill-server'));

async function answer(question: string, times: number, keys: string): Promise<void> {
  const asked = (): number => screen().split(question).length - 1;
  for (let round = 0; round < 600 && asked() < times; round++) await sleep(100);
  expect([question, asked()]).toEqual([question, times]);
  tmux('send-keys', '-t', 'asked', keys, 'Enter');
}

it('policy init asks again for what it does not know, and writes what was answered', async () => {
  await answer('How strict?', 1, '');
  await answer('Which agents?', 1, 'nobody');
  await answer('Which agents?', 2, 'claude-code');
  await answer('Which toolchains?', 1, 'node, go');
  await answer('More hosts to allow', 1, 'https://a.example/b');
  await answer('More hosts to allow', 2, 'a.example:443');
  for (let round = 0; round < 600 && !screen().includes('wrote '); round++) await sleep(100);
  const text = readFileSync(join(home, 'config/policy.yaml'), 'utf8');
  expect(text).toContain('extends: [default, claude-code, node, go]\n');
  expect(text).toContain('- { destination: "a.example:443", effect: allow }\n');
});
