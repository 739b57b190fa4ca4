import type { AuditRecord } from '../audit/record.ts';
import { baseName, type ExportOrigin } from './exported.ts';

/** What kind of event an entry is, and the members that its class has. `used`: which of the entry's own they hold. */
export type OcsfActivity = {
  classUid: number;
  activityId: number;
  /** Where the class has no number for it. */
  activityName?: string;
  fields: Record<string, unknown>;
  used: readonly string[];
};

export function activityOf(record: AuditRecord, origin: ExportOrigin): OcsfActivity {
  switch (record.action) {
    case 'file_read':
    case 'file_write':
    case 'file_delete':
    case 'unix_socket':
      return fileActivity(record);
    case 'shell_exec':
      return processActivity(record);
    case 'network':
    case 'connection_closed':
      return record.via === 'dns' ? dnsActivity(record, origin) : connection(record, origin);
    default:
      return lifecycle(record);
  }
}

function fileActivity(record: AuditRecord): OcsfActivity {
  const { action, target = '?', target2 } = record;
  const activityId =
    action === 'file_write' ? (target2 === undefined ? UPDATE : RENAME) : FILE_ACTIVITY[action as 'file_read'];
  const file = fileOf(target, action === 'unix_socket' ? LOCAL_SOCKET : UNKNOWN);
  return {
    classUid: 1001,
    activityId,
    fields: {
      actor: actorOf(record),
      file,
      ...(target2 === undefined ? {} : { file_result: fileOf(target2, UNKNOWN) }),
    },
    used: ['target', 'target2'],
  };
}

function processActivity(record: AuditRecord): OcsfActivity {
  const { pid, target, command } = record;
  // A program is started in the process that asks for it.
  const process = {
    ...(pid === undefined ? { uid: `${record.run ?? ''}/${record.n ?? record.seq}` } : { pid }),
    ...(target === undefined ? {} : { name: baseName(target), file: fileOf(target, REGULAR) }),
    ...(command === undefined ? {} : { cmd_line: command }),
  };
  return {
    classUid: 1007,
    activityId: LAUNCH,
    fields: { actor: actorOf(record), process },
    used: ['target', 'command'],
  };
}

function connection(record: AuditRecord, origin: ExportOrigin): OcsfActivity {
  const { action, verdict, method, path, bytesUp, bytesDown, durationMs, via } = record;
  const common = {
    actor: actorOf(record),
    src_endpoint: { hostname: origin.host },
    dst_endpoint: endpointOf(record),
    connection_info: { direction_id: OUTBOUND, protocol_name: 'tcp', protocol_num: 6 },
  };
  const used = ['destination', 'address', 'port'];
  if (action === 'network' && method !== undefined) {
    const url = urlOf(record, via === 'inspect' ? 'https' : 'http');
    const fields = { ...common, http_request: { http_method: method, ...(path === undefined ? {} : { url }) } };
    return {
      classUid: 4002,
      activityId: METHODS[method.toUpperCase()] ?? OTHER,
      ...named(method),
      fields,
      used: [...used, 'method', 'path'],
    };
  }
  const traffic =
    bytesUp === undefined && bytesDown === undefined
      ? {}
      : { traffic: { bytes_out: bytesUp ?? 0, bytes_in: bytesDown ?? 0, bytes: (bytesUp ?? 0) + (bytesDown ?? 0) } };
  const duration = durationMs === undefined ? {} : { duration: durationMs };
  const activityId = action === 'connection_closed' ? CLOSE : verdict === 'deny' ? REFUSE : OPEN;
  return {
    classUid: 4001,
    activityId,
    fields: { ...common, ...traffic, ...duration },
    used: [...used, 'bytesUp', 'bytesDown', 'durationMs'],
  };
}

function dnsActivity(record: AuditRecord, origin: ExportOrigin): OcsfActivity {
  const fields = {
    actor: actorOf(record),
    query: { hostname: record.destination ?? '?' },
    src_endpoint: { hostname: origin.host },
    dst_endpoint: { name: 'resolver of the run', port: 53 },
    connection_info: { direction_id: OUTBOUND, protocol_name: 'tcp', protocol_num: 6 },
  };
  return { classUid: 4003, activityId: QUERY, fields, used: ['destination', 'port'] };
}

function lifecycle(record: AuditRecord): OcsfActivity {
  const { action, agent, version } = record;
  const activityId = LIFECYCLE[action] ?? OTHER;
  const app = {
    name: agent ?? 'gatekeeper',
    vendor_name: agent === undefined ? 'gatekeeper' : 'run by gatekeeper',
    ...(record.run === undefined ? {} : { uid: record.run }),
    ...(version === undefined ? {} : { version }),
  };
  const actor = record.pid === undefined && record.program === undefined ? {} : { actor: actorOf(record) };
  return {
    classUid: 6002,
    activityId,
    ...(activityId === OTHER ? { activityName: action } : {}),
    fields: { app, ...actor },
    used: ['agent', 'version'],
  };
}

/** The program that did it; what the schema wants of a process is its number, or some other name for it. */
function actorOf({ program, pid, tid, run, seq }: AuditRecord): object {
  const process = {
    ...(pid === undefined ? { uid: `${run ?? ''}/${seq}` } : { pid }),
    ...(tid === undefined ? {} : { tid }),
    ...(program === undefined ? {} : { name: baseName(program), file: fileOf(program, REGULAR) }),
  };
  return { process };
}

const fileOf = (path: string, type: number): object => ({ name: baseName(path), path, type_id: type });

function endpointOf({ destination, address, port }: AuditRecord): object {
  const literal = destination !== undefined && (destination.includes(':') || /^[\d.]+$/.test(destination));
  const ip = address ?? (literal ? destination : undefined);
  return {
    ...(destination === undefined || literal ? {} : { hostname: destination }),
    ...(ip === undefined ? {} : { ip }),
    ...(port === undefined ? {} : { port }),
    ...(destination === undefined && ip === undefined ? { name: '?' } : {}),
  };
}

function urlOf({ destination = '?', port, path = '' }: AuditRecord, scheme: string): object {
  const host = destination.includes(':') ? `[${destination}]` : destination;
  const url_string = `${scheme}://${host}${port === undefined ? '' : `:${port}`}${path}`;
  return { scheme, hostname: destination, ...(port === undefined ? {} : { port }), path, url_string };
}

const named = (method: string): object => (METHODS[method.toUpperCase()] === undefined ? { activityName: method } : {});

const OTHER = 99;
const [UPDATE, RENAME, LAUNCH, QUERY] = [3, 5, 1, 1];
const [OPEN, CLOSE, REFUSE] = [1, 2, 5];
/** An open is asked about before it is known whether anything is read. */
const FILE_ACTIVITY = { file_read: 2, file_delete: 4, unix_socket: 14 } as const;
const METHODS: Readonly<Record<string, number>> = {
  ...{ CONNECT: 1, DELETE: 2, GET: 3, HEAD: 4, OPTIONS: 5, POST: 6, PUT: 7, TRACE: 8 },
};
const LIFECYCLE: Readonly<Record<string, number>> = {
  ...{ daemon_start: 3, run_start: 3, daemon_stop: 4, run_end: 4, run_lost: 4 },
};
/** Types of files. */
const [UNKNOWN, REGULAR, LOCAL_SOCKET] = [0, 1, 5];
const OUTBOUND = 2;
