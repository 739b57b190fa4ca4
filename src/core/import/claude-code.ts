import type { ActionName, EffectName } from '../wire/messages.ts';
import { entriesOf, Imported, stringsOf } from './imported.ts';
import { addSandboxSettings } from './sandbox-runtime.ts';

/**
 * Permissions of Claude Code's settings.json (its documentation, "Configure permissions" and "Settings"): `Tool` or `Tool(what)` under allow, ask
 * and deny. They bind the agent's own tools; here the same rules bind every program that it starts.
 */
export function importClaudeCode(value: unknown): Imported {
  const imported = new Imported();
  imported.extends.push('default');
  const other: string[] = [];
  for (const [key, entry] of entriesOf(value)) {
    if (key === 'permissions') addPermissions(imported, entry);
    else if (key === 'sandbox') addSandboxSettings(imported, entry, 'sandbox.');
    else if (key !== '$schema') other.push(key);
  }
  if (other.length > 0) imported.leave(other.join(', '), 'settings of the agent, and no permissions');
  imported.notes.push(
    'It extends the preset default: what nobody mentions is as there, and its denials of secrets hold.',
  );
  return imported;
}

function addPermissions(imported: Imported, value: unknown): void {
  for (const [key, entry] of entriesOf(value)) {
    if (key === 'allow' || key === 'deny' || key === 'ask') {
      for (const rule of stringsOf(imported, entry, `permissions.${key}`)) addRule(imported, rule, key);
    } else if (key === 'additionalDirectories') {
      for (const directory of stringsOf(imported, entry, key)) {
        const path = /^[/~]/.test(directory) ? directory : `./${directory.replace(/^\.\//, '')}`;
        imported.add(['file_read', ...WRITING], `${path.replace(/\/+$/, '')}/**`, 'allow', { from: directory });
      }
    } else imported.leave(`permissions.${key}: ${JSON.stringify(entry)}`, 'how the agent asks, and no rule');
  }
}

function addRule(imported: Imported, rule: string, effect: EffectName): void {
  const [, tool = rule, what] = /^([A-Za-z_][\w-]*)(?:\((.*)\))?$/s.exec(rule) ?? [];
  const all = what === undefined || what === '*' || what === '';
  if (tool === 'Bash') addCommand(imported, rule, all ? '*' : what, effect);
  else if (Object.hasOwn(FILE_TOOLS, tool)) addFile(imported, rule, FILE_TOOLS[tool]!, all ? '//**' : what, effect);
  else if (tool === 'WebFetch') addFetch(imported, rule, all ? 'domain:*' : what, effect);
  else if (tool.startsWith('mcp__'))
    imported.leave(rule, 'tools of an MCP server are no system calls; what its process does is judged');
  else imported.leave(rule, 'a tool that reads, starts and reaches nothing by itself');
}

/** `x:*` is x with anything behind it. Rules see the programs that start, and never the text that a shell reads. */
function addCommand(imported: Imported, rule: string, what: string, effect: EffectName): void {
  const pattern = what.replace(/:\*$/, (_, at: number) => (/[\s/=]$/.test(what.slice(0, at)) ? '*' : ' *'));
  if (/[|&;<>`$\n]/.test(what)) {
    imported.leave(rule, 'a text for a shell; what the shell starts is judged program by program');
  } else if (/^[A-Za-z_]\w*=/.test(what)) {
    imported.leave(rule, 'rules see a program and its arguments, and not its environment');
  } else imported.add(['shell_exec'], pattern, effect, { from: rule });
}

/** Patterns follow gitignore: a directory stands for what is in it, a bare name for every depth of the working directory. */
function addFile(
  imported: Imported,
  rule: string,
  actions: readonly ActionName[],
  what: string,
  effect: EffectName,
): void {
  if (what.startsWith('!')) imported.leave(rule, 'negation; write a rule with override: true');
  else imported.add(actions, filePattern(what, effect), effect, { from: rule });
}

function filePattern(what: string, effect: EffectName): string {
  const beneath = (path: string): string => (path.endsWith('**') ? path : `${path.replace(/\/+$/, '')}/**`);
  if (what.startsWith('//')) return beneath(what.slice(1));
  if (/^~(\/|$)/.test(what) || what.startsWith('./')) return beneath(what);
  // Relative to the settings file, which stands in the project.
  if (what.startsWith('/')) return beneath(`.${what}`);
  // What is refused at every depth may be refused outside the project too.
  if (what.startsWith('**/')) return beneath(effect === 'allow' ? `./${what}` : what);
  return beneath(what.replace(/\/+$/, '').includes('/') ? `./${what}` : `./**/${what}`);
}

function addFetch(imported: Imported, rule: string, what: string, effect: EffectName): void {
  const [, domain] = /^domain:(.+)$/.exec(what) ?? [];
  const ports = effect === 'allow' ? [':443', ':80'] : [''];
  if (domain) for (const port of ports) imported.add(['network'], `${domain}${port}`, effect, { from: rule });
  else imported.leave(rule, 'not a domain');
}

const WRITING = ['file_write', 'file_delete'] as const;
const FILE_TOOLS: Record<string, readonly ActionName[]> = {
  Read: ['file_read'],
  Edit: WRITING,
  Write: WRITING,
  MultiEdit: WRITING,
  NotebookEdit: WRITING,
};
