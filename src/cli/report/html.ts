import { visible, visibleShort } from '../../core/text/visible.ts';

/** Markup that is safe as it stands. Only the functions of this file make it. */
export type Html = { readonly html: string };

/** Markup with values in it: texts are escaped, markup is taken as it is, lists one after the other, and nothing where there is nothing. */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  let out = parts[0]!;
  for (const [at, value] of values.entries()) out += render(value) + parts[at + 1]!;
  return { html: out };
}

export type HtmlValue = string | number | Html | undefined | readonly HtmlValue[];

/** Text from outside: what would not be seen, or would be drawn elsewhere, is spelled out; long texts are cut in the middle. */
export const told = (text: string, most = 300): string => visibleShort(text, most);
export const whole = (text: string): string => visible(text);

function render(value: HtmlValue): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return value.replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
  return 'html' in value ? value.html : value.map(render).join('');
}
