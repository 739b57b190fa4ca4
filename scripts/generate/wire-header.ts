import {
  ACTION,
  EFFECT,
  FIELD,
  FRAME,
  FRAME_HEADER_BYTES,
  FRAME_MAX_BYTES,
  FRAME_VERSION,
  JOURNAL_HEADER_BYTES,
  JOURNAL_MAGIC,
  JOURNAL_SEGMENT_BYTES,
  JOURNAL_SEGMENT_END,
  REASON,
  SOURCE,
  VERDICT,
} from '../../src/core/wire/messages.ts';
import { cEnum, cName, generatedHead } from './c-names.ts';

/** Everything of messages.ts as C enums and constants, with the field types and reason texts as tables. */
export function wireHeader(): string {
  const fields = Object.entries(FIELD);
  const maxTag = Math.max(...fields.map(([, field]) => field.tag));
  const magic = [...JOURNAL_MAGIC].map((c) => `0x${c.charCodeAt(0).toString(16).padStart(2, '0')}`).join(', ');
  return [
    generatedHead('src/core/wire/messages.ts', 'GK_WIRE_GEN_H'),
    '#include <stdint.h>\n\n',
    `#define GK_FRAME_VERSION ${FRAME_VERSION}\n`,
    `#define GK_FRAME_HEADER_BYTES ${FRAME_HEADER_BYTES}\n`,
    `#define GK_FRAME_MAX_BYTES ${FRAME_MAX_BYTES}\n`,
    `#define GK_JOURNAL_MAGIC ((const uint8_t[8]){${magic}})\n`,
    `#define GK_JOURNAL_HEADER_BYTES ${JOURNAL_HEADER_BYTES}\n`,
    `#define GK_JOURNAL_SEGMENT_BYTES ${JOURNAL_SEGMENT_BYTES}\n`,
    `#define GK_JOURNAL_SEGMENT_END 0x${JOURNAL_SEGMENT_END.toString(16)}U\n\n`,
    cEnum('gk_frame', 'GK_FRAME_', Object.entries(FRAME)),
    cEnum(
      'gk_field',
      'GK_FIELD_',
      fields.map(([name, field]) => [name, field.tag] as const),
    ),
    `#define GK_FIELD_MAX ${maxTag}\n`,
    '/* 1 for the tags whose fields are 8-byte integers. */\n',
    `static const uint8_t gk_field_is_number[GK_FIELD_MAX + 1] = {\n`,
    fields
      .filter(([, field]) => field.type !== 'b')
      .map(([name]) => `\t[GK_FIELD_${cName(name)}] = 1,\n`)
      .join(''),
    '};\n\n',
    cEnum('gk_action', 'GK_ACTION_', Object.entries(ACTION)),
    `#define GK_ACTION_COUNT ${Object.keys(ACTION).length}\n\n`,
    cEnum('gk_effect', 'GK_EFFECT_', Object.entries(EFFECT)),
    cEnum('gk_verdict_code', 'GK_VERDICT_', Object.entries(VERDICT)),
    cEnum('gk_source', 'GK_SOURCE_', Object.entries(SOURCE)),
    cEnum(
      'gk_reason',
      'GK_REASON_',
      REASON.map((name, index) => [name, index] as const),
    ),
    `#define GK_REASON_COUNT ${REASON.length}\n`,
    'static const char *const gk_reason_codes[GK_REASON_COUNT] = {\n',
    REASON.map((name) => `\t"${name}",\n`).join(''),
    '};\n\n#endif\n',
  ].join('');
}
