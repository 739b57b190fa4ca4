/** Bytes that are not a valid policy image. */
export class ImageError extends Error {
  constructor(text: string) {
    super(`not a valid policy image: ${text}`);
    this.name = 'ImageError';
  }
}
