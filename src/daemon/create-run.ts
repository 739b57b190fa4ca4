import { randomBytes } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { basename } from 'node:path';
import type { CacheStore } from '../adapters/cache-store/cache-store.ts';
import type { HookStore, Provided } from '../adapters/hook-store/hook-store.ts';
import { byteText, wellFormed } from '../core/audit/byte-text.ts';
import type { AuditFields, ChainHead } from '../core/audit/record.ts';
import { redact } from '../core/audit/redact.ts';
import type { CreateRunRequest, CreateRunResponse } from '../core/contract/control-api.ts';
import type { HomeLayout } from '../core/contract/home-layout.ts';
import { canonicalCommand } from '../core/engine/command-text.ts';
import { GatekeeperError } from '../core/errors/gatekeeper-error.ts';
import { agentVariables, hookVariable } from './agent-environment.ts';
import type { Inspections } from './inspections.ts';
import { limitArguments } from './limit-arguments.ts';
import type { OfferedFiles } from './offered-files.ts';
import { newRun, type Run } from './run.ts';
import { prepareCaches } from './run-caches.ts';
import { newRunId } from './run-id.ts';
import type { CompiledPolicy, CompilePolicy, Images } from './run-policy.ts';
import { newRunRecord, type RunRecord } from './run-record.ts';
import type { RunStore } from './run-store.ts';
import { activeRuns } from './runs.ts';

export type CreateRunOptions<Image> = {
  layout: HomeLayout;
  runs: Map<string, Run>;
  store: RunStore;
  caches: CacheStore;
  hooks: HookStore;
  offered: OfferedFiles<Image>;
  inspections: Inspections;
  inspects: (image: Image) => boolean;
  secretsOf: (image: Image) => { name: string; rule: string }[];
  hidesNames: (image: Image) => boolean;
  images: Images<Image>;
  compile: CompilePolicy;
  append: (record: AuditFields) => Promise<ChainHead>;
  /** What holds while something cannot be recorded, and why the log cannot be written now. */
  onFailure: 'halt' | 'degrade';
  logFailure: () => GatekeeperError | undefined;
  supervisorProgram: string;
  ports: { proxyPort: number; transparentPort: number };
  now: () => string;
};

/** Prepares a run: policy, directory, token and receipt. The CLI starts the supervisor, so that the run is its child. */
export async function createRun<Image>(
  request: CreateRunRequest,
  options: CreateRunOptions<Image>,
): Promise<{ run: Run; response: CreateRunResponse }> {
  checkRoom(options.runs);
  const slot = options.caches.take();
  try {
    return await createRunWith(request, slot, options);
  } catch (error) {
    options.caches.release(slot);
    throw error;
  }
}

async function createRunWith<Image>(
  request: CreateRunRequest,
  cacheSlot: number,
  options: CreateRunOptions<Image>,
): Promise<{ run: Run; response: CreateRunResponse }> {
  const { images, caches, layout, append, now } = options;
  const compiled = await options.compile(request, cacheSlot);
  checkSupervisor(options.supervisorProgram);
  const policyDigest = images.store(compiled.image);
  const createdAt = now();
  const id = newRunId(Date.parse(createdAt), randomBytes(10));
  const name = freeName(request, options.runs);
  const { seq } = await append(createReceipt(request, { id, name, policyDigest, createdAt }));
  const provided = request.hooks === false ? NO_HOOKS : options.hooks.provide();
  const record = newRunRecord(id, name, request, {
    createdAt,
    auditSeq: seq,
    policyDigest,
    policyName: compiled.name,
    policyFile: compiled.userFile,
    cacheSlot,
    hooks: provided.name,
    ports: options.ports,
  });
  const cacheEnv = prepareCaches(caches, layout, { cwd: request.cwd, slot: cacheSlot }, compiled.launch.caches);
  const files = createFiles(record, options);
  const run: Run = {
    ...newRun(record),
    taken: policyDigest,
    policyFiles: compiled.files,
    grantsEndAt: compiled.grantsEndAt,
  };
  options.runs.set(id, run);
  return { run, response: responseFor(run, { compiled, cacheEnv, provided, ...files }, options) };
}

/** The run's directory and what it is offered, with the variables that say so. */
function createFiles<Image>(record: RunRecord, options: CreateRunOptions<Image>): Pick<Prepared, 'offered' | 'caEnv'> {
  const { store, images, inspects, inspections } = options;
  store.create(record);
  try {
    const offered = options.offered.create(record);
    const image = images.get(record.policyDigest);
    if (image === undefined || !inspects(image)) return { offered, caEnv: {} };
    return { offered, caEnv: inspections.begin(record.id, offered, record.request.caFiles ?? []) };
  } catch (error) {
    store.remove(record.id); // nobody was told of it
    throw error;
  }
}

type Prepared = {
  compiled: CompiledPolicy;
  cacheEnv: Record<string, string>;
  provided: Provided;
  offered: string;
  /** By which programs find whom to trust, where requests are looked into. */
  caEnv: Record<string, string>;
};

function responseFor<Image>(
  { record: { id, name, request, policyDigest } }: Run,
  { compiled: { warnings, launch, hints }, cacheEnv, provided, offered, caEnv }: Prepared,
  options: CreateRunOptions<Image>,
): CreateRunResponse {
  const { layout, store, images, hidesNames, secretsOf, supervisorProgram, ports, onFailure } = options;
  const { directory, hooks, problem } = provided;
  const imagePath = images.path(policyDigest);
  const args = ['--run', id, '--run-dir', store.directory(id), '--image', imagePath];
  args.push('--socket', layout.supervisorSocket);
  args.push('--proxy-port', String(ports.proxyPort), '--transparent-port', String(ports.transparentPort));
  args.push('--offered', offered);
  if (directory !== undefined) args.push('--hooks', directory);
  if (hints !== undefined) args.push('--hints-why', hints.why);
  if (launch.onTighten === 'warn') args.push('--warn-on-tighten');
  if (request.enforce === 'hook') args.push('--enforce', 'hook');
  // A simulation lets everything happen.
  if (!request.simulate) args.push(...limitArguments(launch.limits));
  if (request.simulate) args.push('--simulate');
  if (onFailure === 'degrade') args.push('--degrade');
  const image = images.get(policyDigest);
  const secrets = image === undefined ? [] : secretsOf(image);
  const policy = { imagePath, hints, hidesNames: image === undefined || hidesNames(image) };
  return {
    id,
    name,
    supervisor: supervisorProgram,
    args,
    env: {
      ...cacheEnv,
      ...caEnv,
      ...agentVariables(id, ports.proxyPort),
      ...(directory === undefined ? {} : hookVariable(request, policy)),
    },
    envRules: launch.env,
    hooks,
    policyDigest,
    ...(secrets.length > 0 && { secrets }),
    warnings: [...warnings, ...(problem === undefined ? [] : [problem]), ...degraded(options)],
  };
}

/** Said at every start, whoever looks on: what the log may not tell. */
function degraded<Image>({ onFailure, logFailure }: CreateRunOptions<Image>): string[] {
  if (onFailure !== 'degrade') return [];
  const failure = logFailure();
  const now =
    failure === undefined ? [] : [`${failure.what}: this run is not recorded until it can; ${failure.remedy}`];
  return [
    'warning: onFailure is degrade (audit.yaml): what cannot be recorded is allowed all the same, and counted',
    ...now,
  ];
}

function checkRoom(runs: ReadonlyMap<string, Run>): void {
  if (activeRuns(runs).length >= MAX_RUNS) {
    throw new GatekeeperError('GK_RUN_LIMIT');
  }
}

function checkSupervisor(program: string): void {
  try {
    accessSync(program, constants.X_OK);
  } catch (cause) {
    throw new GatekeeperError('GK_SUPERVISOR_MISSING', { where: program, cause });
  }
}

/** The name that was asked for, or the program's, with a number behind it while another run of that name goes on. */
function freeName({ name, argv }: CreateRunRequest, runs: ReadonlyMap<string, Run>): string {
  const taken = new Set(activeRuns(runs).map(({ record }) => record.name));
  const wanted =
    name ??
    (basename(argv[0]!)
      .replace(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[._-]+/, '')
      .slice(0, 48) ||
      'run');
  if (name !== undefined && taken.has(name)) {
    throw new GatekeeperError('GK_REQUEST', {
      what: `a run named ${name} is going on`,
      remedy: 'choose another --name',
    });
  }
  for (let number = 1; ; number++) {
    const candidate = number === 1 ? wanted : `${wanted}-${number}`;
    if (!taken.has(candidate)) return candidate;
  }
}

function createReceipt(
  request: CreateRunRequest,
  { id, name, policyDigest, createdAt }: { id: string; name: string; policyDigest: string; createdAt: string },
): AuditFields {
  return {
    action: 'run_create',
    time: createdAt,
    run: id,
    agent: name,
    policy: policyDigest,
    command: redact(byteText(canonicalCommand(request.argv.map((word) => Buffer.from(word)))).text),
    cwd: wellFormed(request.cwd),
    simulate: request.simulate ?? false,
    enforce: request.enforce ?? 'kernel',
    pid: request.clientPid,
    text: request.netAllow?.length ? wellFormed(`--net-allow ${request.netAllow.join(' ')}`) : undefined,
  };
}

const NO_HOOKS: Provided = { hooks: {} };
const MAX_RUNS = 128;
