import type { ProcessIdentity } from '../adapters/process/process-identity.ts';
import { JOURNAL_START, type JournalPosition } from '../adapters/supervisor/journal-reader.ts';
import type { CreateRunRequest, RunSummary } from '../core/contract/control-api.ts';

/** What is known of a run; kept in its directory while it goes on. The chain is the truth, this is where to look in it. */
export type RunRecord = {
  v: 1;
  id: string;
  name: string;
  request: CreateRunRequest;
  state: RunSummary['state'];
  createdAt: string;
  startedAt: string | null;
  endedAt: string | null;
  exitStatus: number | null;
  /** Known from HELLO on; no other process may speak for the run afterwards. */
  supervisor: ProcessIdentity | null;
  /** The image to enforce, and the one in force at `position` of the journal. Both `sha256:…`. */
  policyDigest: string;
  journalPolicy: string;
  policyName: string;
  /** The user's file that it came from. Should it go away, no preset takes its place in a run that goes on. */
  policyFile?: string | undefined;
  /** Which of the places for private caches is the run's. */
  cacheSlot: number;
  /** Which of the directories of hooks is the run's; undefined: it has none. */
  hooks?: string | undefined;
  /** Where the run's connections are sent; fixed for its life. */
  ports: { proxyPort: number; transparentPort: number };
  position: JournalPosition;
  /** Entries of the chain up to here are counted in `position` and `denied`. */
  auditSeq: number;
  denied: Record<string, number>;
};

export function newRunRecord(
  id: string,
  name: string,
  request: CreateRunRequest,
  at: Pick<
    RunRecord,
    'createdAt' | 'auditSeq' | 'policyDigest' | 'policyName' | 'policyFile' | 'cacheSlot' | 'hooks' | 'ports'
  >,
): RunRecord {
  return {
    v: 1,
    id,
    name,
    request,
    state: 'starting',
    ...at,
    startedAt: null,
    endedAt: null,
    exitStatus: null,
    supervisor: null,
    journalPolicy: at.policyDigest,
    position: JOURNAL_START,
    denied: {},
  };
}

export function summarize(record: RunRecord, policyError: string | undefined): RunSummary {
  const denied = Object.values(record.denied).reduce((sum, count) => sum + count, 0);
  return {
    id: record.id,
    name: record.name,
    state: record.state,
    argv: record.request.argv,
    cwd: record.request.cwd,
    pid: record.supervisor?.pid ?? null,
    startedAt: record.startedAt ?? record.createdAt,
    endedAt: record.endedAt,
    exitStatus: record.exitStatus,
    simulate: record.request.simulate ?? false,
    enforce: record.request.enforce ?? 'kernel',
    policyDigest: record.policyDigest,
    policyName: record.policyName,
    ...(record.request.policy === undefined ? {} : { policy: record.request.policy }),
    denied,
    deniedByAction: { ...record.denied },
    ...(policyError === undefined ? {} : { policyError }),
  };
}

export const isOver = ({ state }: RunRecord) => state === 'ended' || state === 'lost';
