import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import { projectTrust } from '../../adapters/policy-files/project-trust.ts';
import { realPath } from '../../adapters/policy-files/roots.ts';
import { addTrust, readTrust, removeTrust } from '../../adapters/trust-store/trust-store.ts';
import { compareConnections } from '../../core/analysis/connection-differences.ts';
import { compareImages, type Difference } from '../../core/analysis/differences.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { visible, visibleShort } from '../../core/text/visible.ts';
import { EFFECT } from '../../core/wire/messages.ts';
import { ask, canAsk } from '../ask.ts';
import { ownHome, workingDirectory } from '../home.ts';
import { paint, paintVerdict } from '../render/paint.ts';
import { print, printJson } from '../render/print.ts';
import { witnessText } from '../render/subject.ts';
import { table } from '../render/table.ts';
import { connectionJson, connectionText } from '../render/terms-text.ts';

export type TrustOptions = { list?: boolean; remove?: boolean; yes?: boolean; json?: boolean };

/** Trusts exactly the text that a project's policy has now, after showing what it would loosen; or lists, or takes back. */
export async function policyTrust(file: string | undefined, options: TrustOptions): Promise<number> {
  const { trust: store } = ownHome();
  const path = resolve(workingDirectory(), file ?? '.gatekeeper.yaml');
  if (options.list) return listTrust(store, options.json ?? false);
  if (options.remove) return takeBack(store, realPath(path), options.json ?? false);
  if (!path.endsWith('/.gatekeeper.yaml')) {
    throw new GatekeeperError('GK_POLICY_TRUST', {
      what: 'only a project has to be trusted: its file is called .gatekeeper.yaml',
      where: path,
      remedy: 'what you name with --policy counts in full',
    });
  }
  if (!existsSync(path)) throw new GatekeeperError('GK_POLICY_TRUST', { what: 'there is no such file', where: path });
  return trustProject(store, path, options);
}

async function trustProject(store: string, path: string, { yes = false, json = false }: TrustOptions): Promise<number> {
  const { homedir, uid } = userInfo();
  const { files, without, within } = projectTrust(path, { layout: ownHome(), passwdHome: homedir, uid });
  const { differences, incomplete } = compareImages(without, within, { byRule: true });
  const loosened = differences.filter(({ before, after }) => EFFECT[after.effect] < EFFECT[before.effect]);
  const connections = compareConnections(without, within);
  if (!json) {
    for (const { path: one } of files) print(`${paint('bold', visible(one))}`);
    for (const one of loosened) print(`  would loosen  ${loosenedText(one, within)}`);
    for (const one of connections) print(`  would change  ${connectionText(one)}`);
    for (const action of incomplete)
      print(`  ${paint('yellow', 'not compared')}  ${action}: its patterns are too many together`);
    if (loosened.length + connections.length + incomplete.length === 0)
      print('  would loosen nothing that is decided here and now');
  }
  if (!yes) await agree();
  const at = new Date().toISOString();
  onStore(() => {
    for (const { path: one, digest } of files) addTrust(store, { path: one, digest, at });
  });
  if (json) {
    const shown = loosened.map((one) => ({
      action: one.action,
      before: one.before.effect,
      after: one.after.effect,
      witness: witnessText(one.witness),
    }));
    printJson({ trusted: files, loosens: shown, connections: connections.map(connectionJson), incomplete });
  } else print(`${paint('green', 'trusted')} as long as its text stays what it is`);
  return 0;
}

function loosenedText(
  { action, before, after, witness }: Difference,
  { rules }: { rules: readonly { label: string; pattern: string }[] },
): string {
  const rule = after.rule === null ? undefined : rules[after.rule];
  const why = rule ? paint('dim', `  ${visible(rule.label)} ${visibleShort(rule.pattern, 60)}`) : '';
  return `${action} ${paintVerdict(before.effect)} → ${paintVerdict(after.effect)}  ${witnessText(witness)}${why}`;
}

async function agree(): Promise<void> {
  const answer = canAsk() ? await ask((put) => put('Trust it? Type yes:', 'no')) : 'nobody to ask';
  if (answer === 'yes') return;
  const remedy = canAsk() ? 'nothing was changed' : 'ask on a terminal, or say --yes when you have read it';
  throw new GatekeeperError('GK_POLICY_TRUST', { what: 'nobody agreed to trust it', remedy });
}

function listTrust(store: string, json: boolean): number {
  const files = onStore(() => readTrust(store));
  if (json) printJson(files);
  else if (files.length === 0) print('no project is trusted');
  else
    print(
      table(
        ['SINCE', 'DIGEST', 'FILE'],
        files.map(({ at, digest, path }) => [at.slice(0, 10), digest.slice(0, 12), path]),
      ),
    );
  return 0;
}

function takeBack(store: string, path: string, json: boolean): number {
  const removed = onStore(() => removeTrust(store, path));
  if (!removed)
    throw new GatekeeperError('GK_POLICY_TRUST', {
      what: 'it is not trusted',
      where: path,
      remedy: 'see: gatekeeper policy trust --list',
    });
  if (json) printJson({ removed: path });
  else print(`${visible(path)} is trusted no longer`);
  return 0;
}

function onStore<T>(act: () => T): T {
  try {
    return act();
  } catch (cause) {
    throw new GatekeeperError('GK_POLICY_TRUST', {
      what: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
  }
}
