import { fileURLToPath } from 'node:url';

export type InitAnswers = { presets: readonly string[]; hosts: readonly string[] };

/** A policy to start from: what was answered, and as comments what else can be said. */
export function initText({ presets, hosts }: InitAnswers): string {
  const rules =
    hosts.length > 0
      ? ['    rules:', ...hosts.map((host) => `      - { destination: ${JSON.stringify(host)}, effect: allow }`)]
      : ['    rules: []'];
  return `${[
    SCHEMA_LINE,
    '# Your own policy. What it does not say, the presets that it extends say: gatekeeper policy show',
    '# The strictest matching rule wins, wherever it stands. After a change: gatekeeper policy check',
    'version: 1',
    'name: mine',
    `extends: [${presets.join(', ')}]`,
    '',
    'policies:',
    '  # Destinations: host, *.suffix, address or range, each with a port or without.',
    '  - action: network',
    ...rules,
    '',
    '  # More that a run may read, by absolute path, ~/ (home) or ./ (workspace). X/** is X and everything beneath it.',
    '  # - action: file_read',
    '  #   rules:',
    '  #     - { path: "~/notes/**", effect: allow }',
    '  #     - { path: "**/*.key", effect: deny, reason: "keys stay here" }',
    '  #     # An exception is written down as one:',
    '  #     - { path: "./fixtures/*.key", effect: allow, override: true }',
    '',
    '  # Writing and deleting.',
    '  # - action: [file_write, file_delete]',
    '  #   rules:',
    '  #     - { path: "./generated/**", effect: deny, reason: "made by the build" }',
    '',
    '  # Commands: the program and its arguments; " *" at the end takes the bare command too.',
    '  # - action: shell_exec',
    '  #   rules:',
    '  #     - { command: "git push *", effect: ask, timeout: 5m }',
  ].join('\n')}\n`;
}

/** What a project can say of itself: it can only tighten, unless its user trusts it. */
export function projectText(): string {
  return `${[
    SCHEMA_LINE,
    "# This project's own policy. It can only tighten what its user's policy says, unless the user trusts it:",
    '# gatekeeper policy trust',
    'version: 1',
    'name: project',
    '',
    'policies:',
    '  - action: file_read',
    '    rules:',
    '      - { path: "./**/*.key", effect: deny, reason: "keys stay here" }',
    '  # - action: [file_write, file_delete]',
    '  #   rules:',
    '  #     - { path: "./generated/**", effect: deny, reason: "made by the build" }',
    '  # - action: shell_exec',
    '  #   rules:',
    '  #     - { command: "git push *", effect: deny }',
  ].join('\n')}\n`;
}

/** Editors that know the YAML language server complete and check by it. */
const SCHEMA_LINE = `# yaml-language-server: $schema=${fileURLToPath(new URL('../../policies/schema.json', import.meta.url))}`;
