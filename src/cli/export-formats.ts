/** How `audit export` can write entries. */
export const EXPORT_FORMATS = ['jsonl', 'ocsf', 'cef', 'otlp'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];
