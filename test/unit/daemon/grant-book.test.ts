import { userInfo } from 'node:os';
import { beforeEach, expect, test } from 'vitest';
import type { AuditFields } from '../../../src/core/audit/record.ts';
import type { Grant } from '../../../src/core/policy/grants.ts';
import { GrantBook } from '../../../src/daemon/grant-book.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const AT = '2026-11-21T06:00:00.123Z';
const grant = (id: string, more: Partial<Grant> = {}): Grant => ({
  id,
  action: 'shell_exec',
  pattern: 'deploy --token=abc *',
  scope: { always: true },
  at: AT,
  by: process.getuid!(),
  ...more,
});
const said = (id: string) => ({ grant: id, approver: userInfo().username, answered: AT });

let file = '';
let standing: Grant[] | Error = [];
let log: AuditFields[] = [];
let complaints: string[] = [];
const open = () =>
  new GrantBook({
    read: () => {
      if (standing instanceof Error) throw standing;
      return standing;
    },
    file,
    append: async (record) => void log.push(record),
    now: () => AT,
    say: (line) => complaints.push(line),
  });
const told = () => log.map(({ action, grant: id }) => `${action} ${id}`);

beforeEach(() => {
  file = `${temporaryDirectory()}/told.json`;
  standing = [];
  log = [];
  complaints = [];
});

test('what is granted and what is revoked is told once, by whatever daemon looks', async () => {
  const book = open();
  standing = [grant('a'), grant('b', { scope: { run: 'r1' } })];
  await Promise.all([book.look(), book.look()]);
  await open().look();
  expect(told()).toEqual(['grant a', 'grant b']);
  expect(log).toMatchObject([
    { ...said('a'), kind: 'shell_exec', target: 'deploy --token=[redacted] *', text: 'until it is revoked' },
    { ...said('b'), run: 'r1', text: 'for a run' },
  ]);
  standing = [grant('b', { scope: { run: 'r1' } })];
  await open().look();
  await open().look();
  expect(told()).toEqual(['grant a', 'grant b', 'grant_revoked a']);
});

test('one whose time is over was not revoked', async () => {
  standing = [grant('a', { scope: { until: 1, boot: 'an earlier one' } })];
  const book = open();
  await book.look();
  expect(log).toMatchObject([{ action: 'grant', text: 'for a while', until: expect.any(String) }]);
  standing = [];
  await book.look();
  expect(told()).toEqual(['grant a']);
});

test('a receipt that comes after its grant was revoked still says who gave it, after a restart too', async () => {
  standing = [grant('a')];
  const book = open();
  await book.look();
  standing = [];
  await book.look();
  const rule = { label: 'grants:a', reason: 'granted' };
  for (const each of [book, open()]) expect(each.named(rule)).toEqual({ ...rule, by: said('a') });
});

test('a receipt that comes before the look at the store says it as well', () => {
  standing = [grant('a')];
  expect(open().named({ label: 'grants:a', reason: '' })?.by).toEqual(said('a'));
});

test('a rule that is no grant says nothing of one, and of one that nobody knows no more than its name', () => {
  expect(open().named({ label: 'user:policy.yaml:3', reason: '' })?.by).toBeUndefined();
  expect(open().named(undefined)).toBeUndefined();
  expect(open().named({ label: 'grants:zz', reason: '' })?.by).toEqual({ grant: 'zz' });
});

test('from a store that is not understood nothing is taken to have ended', async () => {
  standing = [grant('a')];
  const book = open();
  await book.look();
  standing = new Error('not understood');
  await book.look();
  expect(told()).toEqual(['grant a']);
  expect(complaints).toEqual(['grants: Error: not understood']);
});
