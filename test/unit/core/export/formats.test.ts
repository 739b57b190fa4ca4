import { describe, expect, it } from 'vitest';
import { canonical } from '../../../../src/core/audit/canonical.ts';
import type { AuditRecord } from '../../../../src/core/audit/record.ts';
import { cefLine } from '../../../../src/core/export/cef.ts';
import { ocsfEvent } from '../../../../src/core/export/ocsf.ts';
import { otlpRequest } from '../../../../src/core/export/otlp.ts';
import { REQUIRED } from './ocsf-required.ts';

const origin = { log: 'ab'.repeat(16), host: 'machine', version: '1.2.3' };
const entry = (fields: Partial<AuditRecord>) => {
  const record = {
    action: 'file_read',
    time: '2026-11-21T06:00:00.123Z',
    seq: 17,
    hash: 'h',
    prev: 'p',
    v: 1,
    ...fields,
  } as AuditRecord;
  return { record, line: canonical(record) };
};

/** One of each kind. */
const ENTRIES = {
  read: {
    verdict: 'deny',
    source: 'rule',
    rule: 'user:a.yaml:7',
    reason: 'secrets',
    target: '/p/.env',
    program: '/usr/bin/cat',
    pid: 4,
    tid: 5,
    run: 'r1',
    agent: 'claude',
    n: 2,
    policy: 'sha256:00',
    sig: 's',
  },
  write: { action: 'file_write', verdict: 'allow', result: 'ENOENT', target: '/p/x', pid: 4 },
  rename: {
    action: 'file_write',
    verdict: 'would-deny',
    target: '/a/one',
    target2: '/b/two',
    pid: 4,
    count: 3,
    until: '2026-11-21T06:00:09.000Z',
  },
  remove: { action: 'file_delete', verdict: 'allow', result: 'ok', target: '/p/x', pid: 4 },
  socket: { action: 'unix_socket', verdict: 'deny', target: '/run/docker.sock', pid: 4 },
  spawn: {
    action: 'shell_exec',
    verdict: 'allow',
    target: '/usr/bin/git',
    command: 'git push',
    program: '/usr/bin/bash',
    pid: 4,
  },
  tunnel: {
    action: 'network',
    verdict: 'allow',
    destination: 'a.example',
    address: '2001:db8::1',
    port: 443,
    via: 'connect',
    known: 'connect',
    pid: 4,
  },
  refused: {
    action: 'network',
    verdict: 'deny',
    destination: '192.0.2.7',
    port: 22,
    via: 'transparent',
    known: 'literal',
    pid: 4,
  },
  get: {
    action: 'network',
    verdict: 'allow',
    destination: 'a.example',
    address: '192.0.2.7',
    port: 443,
    via: 'inspect',
    method: 'GET',
    path: '/v1/x',
    pid: 4,
  },
  odd: {
    action: 'network',
    verdict: 'deny',
    destination: 'a.example',
    port: 80,
    via: 'http',
    method: 'PROPFIND',
    path: '/',
    pid: 4,
  },
  name: { action: 'network', verdict: 'deny', destination: 'b.example', via: 'dns', known: 'dns', pid: 4 },
  closed: {
    action: 'connection_closed',
    destination: 'a.example',
    port: 443,
    bytesUp: 812,
    bytesDown: 1000,
    durationMs: 61,
    pid: 4,
  },
  start: { action: 'run_start', command: 'claude', cwd: '/p', run: 'r1', agent: 'claude', pid: 4 },
  end: { action: 'run_end', status: 0, count: 3, run: 'r1', agent: 'claude' },
  gap: { action: 'gap', count: 1, text: 'records 3 to 3 never came', run: 'r1', agent: 'claude' },
  log: { action: 'log_start', log: 'ab', key: 'k' },
} as const satisfies Record<string, Partial<AuditRecord>>;
type Kind = keyof typeof ENTRIES;

describe('an event of OCSF', () => {
  it.each(Object.keys(ENTRIES) as Kind[])('has what its class requires: %s', (kind) => {
    const event = ocsfEvent(entry(ENTRIES[kind]), origin);
    const { classes, objects } = REQUIRED;
    expect(missing(event, classes[event['class_uid'] as keyof typeof classes])).toEqual([]);
    for (const [path, names] of Object.entries(objects)) {
      for (const object of valuesAt(event, path.split('.')))
        expect({ path, missing: missing(object, names) }).toEqual({ path, missing: [] });
    }
    expect(event['type_uid']).toBe(Number(event['class_uid']) * 100 + Number(event['activity_id']));
    expect(event['category_uid']).toBe(Math.floor(Number(event['class_uid']) / 1000));
  });

  it.each([
    ['read', 1001, 2, 2, 2],
    ['write', 1001, 3, 1, 2],
    ['rename', 1001, 5, 15, 1],
    ['remove', 1001, 4, 1, 1],
    ['socket', 1001, 14, 2, 2],
    ['spawn', 1007, 1, 1, 1],
    ['tunnel', 4001, 1, 1, 1],
    ['refused', 4001, 5, 2, 2],
    ['get', 4002, 3, 1, 1],
    ['odd', 4002, 99, 2, 2],
    ['name', 4003, 1, 2, 2],
    ['closed', 4001, 2, undefined, 0],
    ['start', 6002, 3, undefined, 0],
    ['end', 6002, 4, undefined, 0],
    ['gap', 6002, 99, undefined, 0],
  ] as const)('%s is of class %i, activity %i, disposition %s, status %i', (kind, ...expected) => {
    const { class_uid, activity_id, disposition_id, status_id } = ocsfEvent(entry(ENTRIES[kind]), origin);
    expect([class_uid, activity_id, disposition_id, status_id]).toEqual(expected);
  });

  it('says everything that the entry says', () => {
    expect(ocsfEvent(entry(ENTRIES.read), origin)).toEqual({
      ...{
        class_uid: 1001,
        category_uid: 1,
        activity_id: 2,
        type_uid: 100102,
        time: 1795240800123,
        severity_id: 3,
        status_id: 2,
        status_detail: 'secrets',
      },
      message: 'deny file_read /p/.env',
      metadata: {
        version: '1.3.0',
        product: { name: 'gatekeeper', vendor_name: 'gatekeeper', version: '1.2.3' },
        profiles: ['host', 'security_control'],
        ...{
          uid: `${origin.log}/17`,
          sequence: 17,
          log_name: origin.log,
          original_time: '2026-11-21T06:00:00.123Z',
          correlation_uid: 'r1',
        },
      },
      device: { hostname: 'machine', type_id: 0, os: { name: 'Linux', type_id: 200 } },
      ...{
        action_id: 2,
        disposition_id: 2,
        firewall_rule: { name: 'user:a.yaml:7', desc: 'secrets' },
        policy: { uid: 'sha256:00' },
      },
      actor: { process: { pid: 4, tid: 5, name: 'cat', file: { name: 'cat', path: '/usr/bin/cat', type_id: 1 } } },
      file: { name: '.env', path: '/p/.env', type_id: 0 },
      unmapped: {
        action: 'file_read',
        agent: 'claude',
        hash: 'h',
        n: 2,
        prev: 'p',
        sig: 's',
        source: 'rule',
        v: 1,
        verdict: 'deny',
      },
      raw_data: entry(ENTRIES.read).line,
    });
  });
});

describe('a line of CEF', () => {
  const cef = (fields: Partial<AuditRecord>) => cefLine(entry(fields), origin);

  it.each([
    [
      'read',
      `CEF:0|gatekeeper|gatekeeper|1.2.3|file_read|file_read deny|5|rt=1795240800123 dvchost=machine externalId=${origin.log}/17 cat=file_read act=deny outcome=failure sproc=/usr/bin/cat spid=4 reason=secrets cs1=user:a.yaml:7 cs1Label=rule cs2=r1 cs2Label=run cs3=sha256:00 cs3Label=policy cs4=claude cs4Label=agent cs5=h cs5Label=hash fname=.env filePath=/p/.env`,
    ],
    [
      'rename',
      `CEF:0|gatekeeper|gatekeeper|1.2.3|file_write|file_write would-deny|3|rt=1795240800123 start=1795240800123 end=1795240809000 dvchost=machine externalId=${origin.log}/17 cat=file_write act=would-deny outcome=success cnt=3 spid=4 cs5=h cs5Label=hash fname=two filePath=/b/two oldFilePath=/a/one oldFileName=one`,
    ],
    [
      'tunnel',
      `CEF:0|gatekeeper|gatekeeper|1.2.3|network|network allow|1|rt=1795240800123 dvchost=machine externalId=${origin.log}/17 cat=network act=allow outcome=success spid=4 cs5=h cs5Label=hash dhost=a.example c6a3=2001:db8::1 c6a3Label=destination address dpt=443 proto=TCP app=connect cs6=connect cs6Label=name known by`,
    ],
    [
      'gap',
      `CEF:0|gatekeeper|gatekeeper|1.2.3|gap|gap|8|rt=1795240800123 dvchost=machine externalId=${origin.log}/17 cat=gap msg=records 3 to 3 never came cs2=r1 cs2Label=run cs4=claude cs4Label=agent cs5=h cs5Label=hash`,
    ],
  ] as const)('%s', (kind, line) => {
    expect(cef(ENTRIES[kind])).toBe(line);
  });

  it('escapes what the format reads', () => {
    expect(cef({ verdict: 'deny', target: '/p/a=b\\c|d\r\ne' })).toContain('filePath=/p/a\\=b\\\\c|d\\r\\ne');
    expect(cef({ action: 'a|b\\c' as 'note' })).toContain('|a\\|b\\\\c|a\\|b\\\\c|');
  });
});

it('a log of OpenTelemetry has the names that its conventions give', () => {
  const request = otlpRequest([entry(ENTRIES.get)], origin) as {
    resourceLogs: { scopeLogs: { logRecords: Log[] }[] }[];
  };
  const { attributes, ...log } = request.resourceLogs[0]!.scopeLogs[0]!.logRecords[0]!;
  expect(log).toEqual({
    timeUnixNano: '1795240800123000000',
    observedTimeUnixNano: '1795240800123000000',
    severityNumber: 9,
    severityText: 'INFO',
    eventName: 'gatekeeper.network',
    body: { stringValue: 'allow network a.example:443' },
  });
  expect(Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))).toEqual({
    ...{ 'log.record.uid': `${origin.log}/17`, 'log.record.original': entry(ENTRIES.get).line, 'process.pid': '4' },
    ...{
      'server.address': 'a.example',
      'server.port': '443',
      'network.peer.address': '192.0.2.7',
      'network.transport': 'tcp',
    },
    ...{ 'http.request.method': 'GET', 'url.scheme': 'https', 'url.path': '/v1/x' },
    ...{
      'gatekeeper.action': 'network',
      'gatekeeper.verdict': 'allow',
      'gatekeeper.via': 'inspect',
      'gatekeeper.seq': '17',
    },
    ...{ 'gatekeeper.hash': 'h', 'gatekeeper.prev': 'p' },
  });
});

describe('texts that agents choose', () => {
  const EVIL = 'x\nCEF:0|evil|\r\x1b[2J"},{"a":"\u202e=\\|\u2028\0';
  const FIELDS = [
    'target',
    'target2',
    'command',
    'destination',
    'reason',
    'program',
    'path',
    'method',
    'text',
    'agent',
    'rule',
    'via',
  ] as const;
  it.each(FIELDS)('stay what they are in %s', (field) => {
    for (const action of ['file_read', 'shell_exec', 'network', 'note', 'connection_closed', 'run_start'] as const) {
      const odd = entry({ action, verdict: 'deny', [field]: EVIL });
      const cef = cefLine(odd, origin);
      expect(cef).not.toMatch(/[\x00-\x1f\u2028\u202e]/);
      expect(cef.split(/(?<!\\)\|/).length).toBeGreaterThanOrEqual(8);
      expect(cef.slice(cef.indexOf('rt=')).split(/ (?=[A-Za-z0-9]+=)/)).toHaveLength(pairsOf(cef));
      for (const text of [JSON.stringify(ocsfEvent(odd, origin)), JSON.stringify(otlpRequest([odd], origin))]) {
        expect(text).not.toMatch(/[\x00-\x1f]/);
        expect(JSON.stringify(JSON.parse(text))).toBe(text);
      }
      expect(ocsfEvent(odd, origin)['raw_data']).toBe(odd.line);
    }
  });
});

type Log = { attributes: { key: string; value: Record<string, unknown> }[] } & Record<string, unknown>;

/** Equal signs that no backslash escapes: one for each key. */
const pairsOf = (cef: string): number => cef.slice(cef.indexOf('rt=')).replace(/\\./g, '').split('=').length - 1;

function missing(object: unknown, names: readonly string[] | undefined): string[] {
  return (names ?? ['a class that is not in the table']).filter((name) =>
    // `a|b`: one of them
    name.split('|').every((one) => (object as Record<string, unknown>)[one] === undefined),
  );
}

function valuesAt(value: unknown, [name, ...rest]: readonly string[]): unknown[] {
  if (value === undefined) return [];
  return name === undefined ? [value] : valuesAt((value as Record<string, unknown>)[name], rest);
}
