import { visible, visibleShort } from '../../core/text/visible.ts';

/** Markup that is safe as it stands. Only the functions of this file make it. */
export type Html = { readonly html: string };

/**
 * Markup with values in it. Of texts, what would not be seen or would be drawn elsewhere is spelled out, and the rest is escaped; markup is taken as it is, lists one after the other, and nothing where
 * there is nothing.
 */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  let out = parts[0]!;
  for (const [at, value] of values.entries()) out += render(value) + parts[at + 1]!;
  return { html: out };
}

export type HtmlValue = string | number | Html | undefined | readonly HtmlValue[];

/** A text that may be long: cut in the middle. */
export const told = (text: string, most = 300): Html => ({ html: escaped(visibleShort(text, most)) });

/** A text of several lines, for `pre`. */
export const lines = (text: string): Html => ({ html: text.split('\n').map(visible).map(escaped).join('\n') });

function render(value: HtmlValue): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return escaped(visible(value));
  return 'html' in value ? value.html : value.map(render).join('');
}

const escaped = (text: string): string => text.replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
