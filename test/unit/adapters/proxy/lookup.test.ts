import { expect, it } from 'vitest';
import { Lookup } from '../../../../src/adapters/proxy/lookup.ts';
import { formatAddress } from '../../../../src/core/egress/address.ts';
import { type HostName, parseHostName } from '../../../../src/core/egress/host-name.ts';

const name = (text: string) => parseHostName(text) as HostName;
const never = () => new Promise<string[]>(() => undefined);

it('answers localhost itself', async () => {
  const lookup = new Lookup(async () => ['10.0.0.1'], 1000);
  expect((await lookup.addresses('r', name('localhost'))).map(formatAddress)).toEqual(['127.0.0.1', '::1']);
});

it('keeps the order and drops what is not an address', async () => {
  const lookup = new Lookup(async () => ['2606:4700::1', 'fe80::1%eth0', '', '1.1.1.1'], 1000);
  expect((await lookup.addresses('r', name('a.test'))).map(formatAddress)).toEqual(['2606:4700::1', '1.1.1.1']);
});

it('is empty when the resolver fails or is too slow', async () => {
  const failing = new Lookup(() => Promise.reject(new Error('NXDOMAIN')), 1000);
  expect(await failing.addresses('r', name('a.test'))).toEqual([]);
  expect(await new Lookup(never, 20).addresses('r', name('a.test'))).toEqual([]);
});

it('asks once for a name that is being asked for, but not for another run', async () => {
  const asked: string[] = [];
  const lookup = new Lookup(async (text) => {
    asked.push(text);
    return ['1.1.1.1'];
  }, 1000);
  await Promise.all(['r1', 'r1', 'r2'].map((run) => lookup.addresses(run, name('a.test'))));
  expect(asked).toEqual(['a.test', 'a.test']);
});

it('serves a run although another one asks for many names that never answer', async () => {
  const lookup = new Lookup((text) => (text.startsWith('slow') ? never() : Promise.resolve(['1.1.1.1'])), 100);
  const slow = Array.from({ length: 100 }, (_none, at) => lookup.addresses('bad', name(`slow${at}.test`)));
  expect(await lookup.addresses('good', name('quick.test'))).toHaveLength(1);
  expect((await Promise.all(slow)).flat()).toEqual([]);
  expect(await lookup.addresses('good', name('again.test'))).toHaveLength(1);
});
