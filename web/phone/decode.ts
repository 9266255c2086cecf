// Loaded only where the browser can't read QR codes by itself.

import decode from 'qr/decode.js';

/** The text of the QR code in a picture. Throws where there is none. */
export function decodeQR(image: ImageData): string {
  return decode(image);
}
