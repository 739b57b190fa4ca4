/** The product's version; package.json carries the same (checked by a repository test). */
export const VERSION = '0.1.0';
