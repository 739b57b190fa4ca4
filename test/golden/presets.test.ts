import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseAddress } from '../../src/core/egress/address.ts';
import { PolicyImage } from '../../src/core/engine/image.ts';
import { answerLine, DecideTool, hex, requestLine } from '../support/decide-tool.ts';
import { compileTexts, decideWritten, type SourceText, type WrittenRequest } from '../support/policy.ts';

type Case = {
  action: string;
  path?: string;
  command?: string[];
  writable?: boolean;
  destination?: string;
  expect: string;
  source?: string;
  rule?: string;
  pierced?: string;
  reason?: string;
  log?: boolean;
};

const tool = new DecideTool();
afterAll(() => tool.close());
const read = (name: string) => readFileSync(`policies/${name}.yaml`, 'utf8');

describe.each(['default', 'strict', 'observe'])('the preset %s', (name) => {
  const files: SourceText[] = [
    { layer: 'protection', name: 'builtin:protection.yaml', text: read('builtin/protection') },
    { layer: 'guards', name: 'builtin:guards.yaml', text: read('builtin/guards') },
    { layer: 'user', name: `preset:${name}.yaml`, text: read(name) },
  ];
  const { image: bytes, warnings } = compileTexts(files);
  const image = PolicyImage.open(bytes, '');
  const { cases } = parse(read(`${name}.cases`)) as { cases: Case[] };

  it('compiles without a warning', () => {
    expect(warnings).toEqual([]);
  });

  it.each(cases)('$action $path $command $destination: $expect', (row) => {
    const decision = decideWritten(image, requestOf(row));
    const { rule, source, effect, pierced, log } = decision;
    expect([effect, rule === null ? 'default' : image.rules[rule]?.label]).toEqual([row.expect, expect.anything()]);
    const decided = rule === null ? undefined : image.rules[rule];
    const speaks = row.rule !== undefined || row.reason !== undefined || row.pierced !== undefined;
    if (speaks || row.source !== undefined) expect(source).toBe(row.source ?? 'rule');
    else if (row.expect === 'deny') expect(source).toBe('default');
    if (row.rule !== undefined) expect(decided?.pattern).toBe(row.rule);
    if (row.reason !== undefined) expect(decided?.reason).toBe(row.reason);
    if (row.log !== undefined) expect(log).toBe(row.log);
    if (row.pierced !== undefined) expect(pierced === null ? null : image.rules[pierced]?.pattern).toBe(row.pierced);
  });

  it('decides its cases alike in the supervisor', () => {
    const asked = cases.map(requestOf).filter((request) => requestLine(request) !== null);
    const answers = tool.ask(
      bytes,
      asked.map((request) => requestLine(request)!),
    );
    expect(answers).toEqual(asked.map((request) => answerLine(decideWritten(image, request))));
    expect(asked.length).toBeGreaterThan(10);
  });

  it('lets files move between the workspace and /tmp, and secrets stay', () => {
    const moves = [
      ['/home/u/p/a', '/home/u/p/b'],
      ['/tmp/build', '/home/u/p/build'],
      ['/home/u/p/.env', '/home/u/p/env'],
      ['/home/u/p/.git', '/home/u/p/git'],
      ['/home/u/.local/state', '/home/u/p/state'],
    ];
    const answers = tool.ask(
      bytes,
      moves.map(([from, to]) => `move ${hex(from!)} ${hex(to!)}`),
    );
    const secret = name === 'observe' ? 'holds' : 'loosens';
    const scratch = name === 'strict' ? expect.any(String) : 'holds';
    expect(answers).toEqual(['holds', scratch, secret, 'loosens', 'loosens']);
  });
});

function requestOf(row: Case): WrittenRequest {
  const { action, command, writable, destination } = row;
  if (command) return { action, command, ...(writable ? { writable } : {}) };
  if (row.path !== undefined)
    return { action, path: row.path.replace(/^~/, '/home/u').replace(/^\.(?=\/|$)/, '/home/u/p') };
  const [, host = '', port] = /^(.*):([0-9]+)$/.exec(destination ?? '') ?? [];
  const address = parseAddress(host);
  return { action, port: Number(port), ...(address ? { address: hex(address) } : { name: host }) };
}
