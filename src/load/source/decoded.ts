/** What a decoder gives: bytes, and between them the places in the stored file where decoding can begin. */
export type Decoded =
  | { readonly bytes: Uint8Array; readonly restart?: undefined }
  | { readonly restart: number; readonly bytes?: undefined };
